"""The command `image-labels`: the app, its global options, and error handling. The commands are in `commands/`.

Exit codes: 0 found, 1 nothing found (audit: differences, backfill: not all done, status --check: a person must do
something), 2 wrong usage, 3 AWS error, 70 internal error, 130 Ctrl-C, 141 closed pipe. An internal error has a separate
code so that scripts do not take it for "nothing found".
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable
from dataclasses import fields
from importlib.metadata import version
from itertools import islice
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from image_labels.failures import Failure
from image_labels.search.expression import ExpressionError
from image_labels.search.finder import TokenError
from image_labels.search.printable import visible
from typer.core import TyperGroup

from image_labels_cli import completion as completion_
from image_labels_cli import output
from image_labels_cli.aws import Aws
from image_labels_cli.commands import (
    audit,
    backfill,
    browse,
    completion,
    env,
    faces,
    find,
    labels,
    redrive,
    relabel,
    show,
    status,
)
from image_labels_cli.deployment import PREFIX, Deployment, DeploymentError, flag, variable
from image_labels_cli.expressions import FindCommand, suggested_commands
from image_labels_cli.invocation import DifferencesError, DownloadError, Invocation, NothingFoundError, UsageError
from image_labels_cli.options import Command, without_flag_types
from image_labels_cli.sources import SOURCE_FLAGS, chosen

# If this environment variable is set, an internal error prints its traceback.
DEBUG = "IMAGE_LABELS_DEBUG"
NOTHING_FOUND, USAGE_ERROR, AWS_ERROR, INTERNAL_ERROR, INTERRUPTED, CLOSED_PIPE = 1, 2, 3, 70, 130, 141

_ARGUMENTS = "image_labels_cli.arguments"
_PANEL = "Deployment (before or after the command)"


class CommandGroup(TyperGroup):
    """Converts the commands' exceptions to a message and an exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Accepts the deployment's flags after the command, too."""
        ctx.meta[_ARGUMENTS] = args
        return super().parse_args(ctx, _deployment_flags_first(args))

    def get_params(self, ctx: Any) -> list[Any]:
        """The global options, with --help."""
        return without_flag_types(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Runs a command."""
        try:
            _require_utf8(ctx.meta[_ARGUMENTS])
            result = super().invoke(ctx)
            sys.stdout.flush()  # raises BrokenPipeError here rather than when the interpreter exits
        except (NothingFoundError, DifferencesError) as error:
            output.note(str(error))
            raise typer.Exit(NOTHING_FOUND) from None
        except ExpressionError as error:
            output.print_error("\n".join([str(error), *suggested_commands(error, ctx.obj)]))
            raise typer.Exit(USAGE_ERROR) from None
        except (TokenError, DeploymentError, UsageError) as error:
            output.print_error(str(error))
            raise typer.Exit(USAGE_ERROR) from None
        except (BotoCoreError, ClientError) as error:
            aws = ctx.obj.aws if isinstance(ctx.obj, Invocation) else None
            output.print_error(aws.explain(error) if aws else str(error))
            raise typer.Exit(AWS_ERROR) from None
        except DownloadError as error:
            output.print_error(str(error))
            raise typer.Exit(AWS_ERROR) from None
        except Failure as failure:
            output.print_error(f"{failure.cause}\ntry again later")
            raise typer.Exit(AWS_ERROR) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # Otherwise the interpreter flushes stdout again when it exits, and prints an error.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(CLOSED_PIPE) from None
        return result


def _require_utf8(arguments: Iterable[str]) -> None:
    """Python decodes bytes that are not UTF-8 to lone surrogates. AWS accepts none, not even in an object key."""
    for argument in arguments:
        if argument != argument.encode(errors="replace").decode():
            raise UsageError(f"{visible(argument)} is not valid UTF-8")


def _deployment_flags_first(args: list[str]) -> list[str]:
    flags = {flag(each.name) for each in fields(Deployment)} | set(SOURCE_FLAGS.values())
    end = args.index("--") if "--" in args else len(args)
    first, rest = [], []
    words = iter(args[:end])
    for word in words:
        if word in flags:
            first += [word, *islice(words, 1)]
        elif word.partition("=")[0] in flags:
            first.append(word)
        else:
            rest.append(word)
    return first + rest + args[end:]


app = typer.Typer(
    cls=CommandGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The entry point."""
    output.prepare()
    if shell := os.environ.get(completion_.VARIABLE):
        completion_.main(typer.main.get_command(app), shell, sys.argv[1:])
        return
    try:
        app(prog_name="image-labels")
    except Exception as error:
        if os.environ.get(DEBUG):
            traceback.print_exc()
        frame = traceback.extract_tb(error.__traceback__)[-1]
        output.print_error(
            f"internal error: {type(error).__name__}: {error}\n"
            f"at {os.path.basename(frame.filename)}:{frame.lineno}; please report it with the traceback that "  # noqa: PTH119
            f"{DEBUG}=1 prints"
        )
        sys.exit(INTERNAL_ERROR)


def _print_version(value: bool) -> None:
    if value:
        print(f"image-labels {version('image-labels')}")
        raise typer.Exit


def _deployment_option(name: str, help_: str) -> Any:
    """An option for a field of Deployment, with its environment variable."""
    return typer.Option(
        flag(name),
        envvar=variable(name),
        help=help_,
        show_default=False,
        rich_help_panel=_PANEL,
    )


@app.callback()
def callback(
    ctx: typer.Context,
    deployment: Annotated[
        str,
        typer.Option(
            SOURCE_FLAGS["deployment"],
            metavar="NAME",
            envvar=PREFIX + "DEPLOYMENT",
            help="A deployment of the configuration file: see env --help.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = "",
    terraform_dir: Annotated[
        str,
        typer.Option(
            SOURCE_FLAGS["terraform_dir"],
            metavar="DIR",
            help="Directory of the Terraform configuration. The default is the current one.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = "",
    images_table: Annotated[str, _deployment_option("images_table", "Table with one item per photo.")] = "",
    labels_table: Annotated[str, _deployment_option("labels_table", "Table with the photos of each label.")] = "",
    queue_url: Annotated[str, _deployment_option("queue_url", "URL of the queue of photos to label.")] = "",
    dead_letter_queue_url: Annotated[
        str, _deployment_option("dead_letter_queue_url", "URL of the dead-letter queue.")
    ] = "",
    bucket: Annotated[str, _deployment_option("bucket", "Bucket with the photos.")] = "",
    region: Annotated[str, _deployment_option("region", "AWS Region of these resources.")] = "",
    waiting_queue_url: Annotated[
        str, _deployment_option("waiting_queue_url", "URL of the queue of photos over the daily limit.")
    ] = "",
    filter_prefix: Annotated[str, _deployment_option("filter_prefix", "Key prefix of the photos to label.")] = "",
    filter_suffixes: Annotated[
        str,
        _deployment_option("filter_suffixes", "Key suffixes of the photos to label, comma-separated; * for every key."),
    ] = "",
    min_confidence: Annotated[
        str, _deployment_option("min_confidence", "Minimum confidence of the function's labels.")
    ] = "",
    max_labels: Annotated[
        str, _deployment_option("max_labels", "Maximum number of the function's labels per photo.")
    ] = "",
    rekognition_tps: Annotated[
        str, _deployment_option("rekognition_tps", "Photos per second that the function labels.")
    ] = "",
    daily_image_limit: Annotated[
        str, _deployment_option("daily_image_limit", "Images per day that the function sends to Rekognition.")
    ] = "",
    label_policy_id: Annotated[str, _deployment_option("label_policy_id", "Label policy of the function.")] = "",
    unwanted_id: Annotated[str, _deployment_option("unwanted_id", "Rules of the function for unwanted photos.")] = "",
    moderation_min_confidence: Annotated[
        str, _deployment_option("moderation_min_confidence", "Minimum confidence of the function's moderation labels.")
    ] = "",
    text_min_confidence: Annotated[
        str, _deployment_option("text_min_confidence", "Minimum confidence of the function's lines of text.")
    ] = "",
    faces_settings: Annotated[
        str, _deployment_option("faces_settings", "What the function asks about faces, and their collection.")
    ] = "",
    batch_function_arn: Annotated[
        str, _deployment_option("batch_function_arn", "Function that S3 Batch Operations invokes.")
    ] = "",
    batch_role_arn: Annotated[str, _deployment_option("batch_role_arn", "Role of S3 Batch Operations jobs.")] = "",
    batch_tps: Annotated[str, _deployment_option("batch_tps", "Photos per second of S3 Batch Operations jobs.")] = "",
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find the photos of an S3 bucket by their Amazon Rekognition labels.

    Run it in the directory where you ran `terraform apply`:

    \b
      image-labels labels                    labels to search for
      image-labels find dog                  photos of dogs
      image-labels find 'dog AND NOT cat'
      image-labels show images/dog.jpg       details of one photo
      image-labels faces --like ada.jpg      photos of the same person
      image-labels status                    waiting and failed photos
      image-labels audit                     do bucket and tables agree?
      image-labels backfill                  label what is missing
      image-labels relabel --stale           apply changed settings
      image-labels redrive                   try failed photos again

    Elsewhere, give --terraform-dir, name a deployment of the
    configuration file, or set environment variables: see env --help.

    On a terminal, the output is a table. In a pipe, it is lines of
    tab-separated cells. With --json, it is JSON.

    Exit codes: 0 found, 1 nothing found (audit: differences, backfill:
    not all done), 2 wrong usage, 3 AWS error.
    """
    given = {
        "images_table": images_table,
        "labels_table": labels_table,
        "queue_url": queue_url,
        "dead_letter_queue_url": dead_letter_queue_url,
        "bucket": bucket,
        "region": region,
        "waiting_queue_url": waiting_queue_url,
        "filter_prefix": filter_prefix,
        "filter_suffixes": filter_suffixes,
        "min_confidence": min_confidence,
        "max_labels": max_labels,
        "rekognition_tps": rekognition_tps,
        "daily_image_limit": daily_image_limit,
        "label_policy_id": label_policy_id,
        "unwanted_id": unwanted_id,
        "moderation_min_confidence": moderation_min_confidence,
        "text_min_confidence": text_min_confidence,
        "faces_settings": faces_settings,
        "batch_function_arn": batch_function_arn,
        "batch_role_arn": batch_role_arn,
        "batch_tps": batch_tps,
    }
    values = given | {"deployment": deployment, "terraform_dir": terraform_dir}
    typed = {name: value for name, value in values.items() if value and _is_on_command_line(ctx, name)}
    flags = [word for name, value in typed.items() for word in (flag(name), value)]
    located, source = chosen(given, typed, deployment)
    # A caller of the app, such as a test, may pass another way to make the AWS clients as click's `obj`.
    ctx.obj = Invocation(located, flags, make_aws=ctx.obj or Aws, source=source)


def _is_on_command_line(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


app.command(cls=Command)(show.show)
app.command(cls=FindCommand)(find.find)
app.command(cls=Command)(labels.labels)
app.command(cls=Command)(faces.faces)
app.command(cls=Command)(status.status)
app.command(cls=Command)(audit.audit)
app.command(cls=Command)(backfill.backfill)
app.command(cls=Command)(relabel.relabel)
app.command(cls=Command)(redrive.redrive)
app.command(cls=Command)(browse.browse)
app.command(cls=Command)(env.env)
app.command(cls=Command)(completion.completion)

if __name__ == "__main__":
    main()

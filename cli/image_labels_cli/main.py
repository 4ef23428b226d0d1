"""The command `image-labels`. Here is what it takes; what the commands do is in the modules of their names.

Exit codes: 0 found, 1 nothing found, 2 wrong usage, 3 AWS said no. And of what ends it from outside: 130 Ctrl-C, 141 a
closed pipe; 70 a mistake in this program, which must not look like "nothing found".
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
from image_labels.search.finder import MAX_PAGE, TokenError
from image_labels.search.printable import visible
from typer.core import TyperGroup

from image_labels_cli import find as find_
from image_labels_cli import labels as labels_
from image_labels_cli import output
from image_labels_cli import show as show_
from image_labels_cli import status as status_
from image_labels_cli.expressions import Find, instead_of
from image_labels_cli.invocation import Invocation, NothingFoundError, UsageError
from image_labels_cli.place import Place, PlaceError, flag, variable

# Set to anything, it has a mistake of this program print its traceback.
DEBUG = "IMAGE_LABELS_DEBUG"
NOTHING_FOUND, WRONG_USAGE, AWS_SAID_NO, MISTAKE_OF_OURS, INTERRUPTED, CLOSED_PIPE = 1, 2, 3, 70, 130, 141


class Commands(TyperGroup):
    """Turns what the commands raise into a message and an exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Those flags that say where things are may stand behind the command, too."""
        ctx.meta[_ARGUMENTS] = args
        return super().parse_args(ctx, _place_first(args))

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            _refuse_what_is_no_text(ctx.meta[_ARGUMENTS])
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, where a closed pipe is expected, and not at the interpreter's end
        except NothingFoundError as error:
            output.note(str(error))
            raise typer.Exit(NOTHING_FOUND) from None
        except ExpressionError as error:
            output.complain("\n".join([str(error), *instead_of(error, ctx.obj)]))
            raise typer.Exit(WRONG_USAGE) from None
        except (TokenError, PlaceError, UsageError) as error:
            output.complain(str(error))
            raise typer.Exit(WRONG_USAGE) from None
        except (BotoCoreError, ClientError) as error:
            aws = ctx.obj.aws if isinstance(ctx.obj, Invocation) else None
            output.complain(aws.explain(error) if aws else str(error))
            raise typer.Exit(AWS_SAID_NO) from None
        except Failure as failure:
            output.complain(f"{failure.cause}\ntry again in a while")
            raise typer.Exit(AWS_SAID_NO) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # Else the interpreter tries again to write what nobody reads, and complains.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(CLOSED_PIPE) from None
        return result


_ARGUMENTS = "image_labels_cli.arguments"


def _refuse_what_is_no_text(arguments: Iterable[str]) -> None:
    """Python has halves of surrogate pairs for bytes that are no UTF-8; AWS takes none, in a key neither."""
    for argument in arguments:
        if argument != argument.encode(errors="replace").decode():
            raise UsageError(f"{visible(argument)} has bytes that are no UTF-8")


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The entry point."""
    output.prepare()
    try:
        app(prog_name="image-labels")
    except Exception as error:
        if os.environ.get(DEBUG):
            traceback.print_exc()
        place = traceback.extract_tb(error.__traceback__)[-1]
        output.complain(
            f"a mistake in this program: {type(error).__name__}: {error}\n"
            f"at {os.path.basename(place.filename)}:{place.lineno}; please report it with the traceback, which "  # noqa: PTH119
            f"{DEBUG}=1 prints"
        )
        sys.exit(MISTAKE_OF_OURS)


def _place_first(args: list[str]) -> list[str]:
    flags = {flag(each.name) for each in fields(Place)}
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


def _version(wanted: bool) -> None:
    if wanted:
        print(f"image-labels {version('image-labels')}")
        raise typer.Exit


def _where(name: str, help_: str) -> Any:
    """An option that says where something is, or the environment variable of the same meaning."""
    return typer.Option(
        flag(name),
        envvar=variable(name),
        help=help_,
        show_default=False,
        rich_help_panel="Where things are (before or after the command)",
    )


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, with names that stay, for programs.")]


@app.callback()
def callback(
    ctx: typer.Context,
    images_table: Annotated[str, _where("images_table", "The table with one item per photo.")] = "",
    labels_table: Annotated[str, _where("labels_table", "The table with the photos of each label.")] = "",
    queue_url: Annotated[str, _where("queue_url", "URL of the queue of photos to be labelled.")] = "",
    dead_letter_queue_url: Annotated[
        str, _where("dead_letter_queue_url", "URL of the queue of those that failed.")
    ] = "",
    bucket: Annotated[str, _where("bucket", "The bucket with the photos.")] = "",
    region: Annotated[str, _where("region", "The AWS Region of all that.")] = "",
    waiting_queue_url: Annotated[
        str, _where("waiting_queue_url", "URL of the queue of photos over the daily limit.")
    ] = "",
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find the photos of an S3 bucket by what Amazon Rekognition saw in them.

    Stand in the directory in which you ran `terraform apply`, and try:

    \b
      image-labels labels                    what there is to be found
      image-labels find dog                  photos of dogs, best first
      image-labels find 'dog AND NOT cat'
      image-labels show images/dog.jpg       all about one photo
      image-labels status                    is everything labelled?

    A terminal gets tables, a pipe lines with tabs between the cells.
    --json gives JSON.

    Exit codes: 0 found, 1 nothing found, 2 wrong usage, 3 AWS said no.
    """
    given = {
        "images_table": images_table,
        "labels_table": labels_table,
        "queue_url": queue_url,
        "dead_letter_queue_url": dead_letter_queue_url,
        "bucket": bucket,
        "region": region,
        "waiting_queue_url": waiting_queue_url,
    }
    typed = [name for name, value in given.items() if value and _is_typed(ctx, name)]
    ctx.obj = Invocation(Place(**given), [word for name in typed for word in (flag(name), given[name])])


def _is_typed(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@app.command()
def show(
    ctx: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The photo's key in the bucket, or its address s3://bucket/key.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show what is known of one photo: its labels, or why it has none.

    \b
      image-labels show images/dog.jpg
      image-labels show s3://my-photos/images/dog.jpg --json

    In a pipe, the first cell of a line says what it is: key, status, …
    A label has more cells: name, confidence, parents, aliases,
    categories, and how many of it are boxed.
    """
    show_.run(ctx.obj, key, as_json=as_json)


@app.command(cls=Find)
def find(
    ctx: typer.Context,
    expression: Annotated[str, typer.Argument(metavar="EXPR", help="What to look for: see the examples.")],
    prefix: Annotated[str, typer.Option(help="Only photos whose keys start so.", show_default=False)] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, max=MAX_PAGE, help=f"Photos on a page.  \\[default: {find_.DEFAULT_LIMIT}]")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All photos rather than a page.")] = False,
    token: Annotated[
        str | None, typer.Option(help="Where to go on: the command for the next page is printed after each page.")
    ] = None,
    scan: Annotated[
        bool, typer.Option("--scan", help="Read the whole table, for what cannot be found otherwise, and say the cost.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find photos by label, the most certain first.

    \b
      image-labels find dog
      image-labels find '"traffic light"'     two words are in quotes
      image-labels find 'dog AND NOT cat'
      image-labels find '(dog OR cat) AND beach'
      image-labels find 'dog>=95'             at least 95 % certain
      image-labels find 'traf*'               all labels that start so
      image-labels find 'NOT person' --scan   reads the whole table

    Case does not matter. A photo is also found by its labels' other
    names (cell phone), by what is above them (animal), and by their
    categories. In a pipe a line has: key, confidence, what matched.
    """
    question = find_.Question(expression, prefix, limit, everything, token, scan)
    find_.run(ctx.obj, question, as_json=as_json)


@app.command()
def labels(
    ctx: typer.Context,
    prefix: Annotated[
        str, typer.Argument(metavar="[PREFIX]", help="Only labels that start so.", show_default=False)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List the labels that photos can be found by.

    \b
      image-labels labels
      image-labels labels traf

    A label stays in the list when its last photo goes. In a pipe a line
    has its name, and whether it is a label, an alias (another name of
    one), a parent (what is above one) or a category.
    """
    labels_.run(ctx.obj, prefix, as_json=as_json)


@app.command()
def status(
    ctx: typer.Context,
    limit: Annotated[
        int, typer.Option(min=0, help="So many rejected photos, and dead letters (ten at most), are listed.")
    ] = status_.MAX_LETTERS,
    rejected: Annotated[
        bool, typer.Option(" /--no-rejected", help="Leave out the rejected photos: that reads the whole table.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Say how many photos wait, failed (and why), and were rejected.

    \b
      image-labels status
      image-labels status --no-rejected      without reading the whole table
      image-labels status --json

    Dead letters are photos whose tries have all failed: mend the cause,
    and send them back. Rejected photos are none that Rekognition takes.
    Those over the daily limit are labelled when the day (UTC) is over,
    or the limit is raised.
    SQS counts approximately. In a pipe, the first cell of a line says
    what it is.
    """
    status_.run(ctx.obj, limit=limit, with_rejected=rejected, as_json=as_json)


@app.command()
def browse(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the address only, and open no browser.")] = False,
) -> None:
    """Look for photos in your browser, and at them.

    \b
      image-labels browse
      image-labels browse --port 8080 --no-open

    The page is on this machine and for it alone, until Ctrl-C.
    """
    from image_labels_cli import browse as browse_  # a web server, which the other commands need not wait for

    place, aws = ctx.obj.at("images_table", "labels_table", "bucket")
    access = browse_.Access(aws.dynamodb, aws.s3, place.images_table, place.labels_table, place.bucket)
    try:
        browse_.serve(access, port=port, open_browser=not no_open)
    except browse_.BrowseError as error:
        raise UsageError(str(error)) from None


if __name__ == "__main__":
    main()

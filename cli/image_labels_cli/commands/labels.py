"""`image-labels labels`: the terms that photos can be found by, and how many photos have each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from image_labels.search.finder import Finder
from image_labels.search.printable import visible
from image_labels.tables.terms import Kind  # noqa: TC002 - typer evaluates the annotation

from image_labels_cli import output
from image_labels_cli.invocation import NothingFoundError
from image_labels_cli.layout import number
from image_labels_cli.options import JSON_OPTION

if TYPE_CHECKING:
    from image_labels.search.finder import Counts


def labels(
    ctx: typer.Context,
    prefix: Annotated[
        str, typer.Argument(metavar="PREFIX", help="Only labels that start with this.", show_default=False)
    ] = "",
    top: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Only the N labels of the most photos.", show_default=False),
    ] = None,
    kind: Annotated[
        list[Kind] | None, typer.Option(help="Only labels of this kind. May be repeated.", show_default=False)
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """List the labels that photos can be found by.

    \b
      image-labels labels
      image-labels labels traf
      image-labels labels --top 20 --kind label

    The list is in alphabetical order, with --top in the order of the
    numbers of photos. The numbers are exact, unless a line on stderr says
    that they are not. A label stays in the list after its last photo is
    deleted. In a pipe, a line has the name, its kind and the number of
    photos. Kinds are label, alias (another name of a label), parent (a
    more general label) and category.
    """
    deployment, aws = ctx.obj.connect("labels_table", "images_table")
    finder = Finder(aws.dynamodb, labels_table=deployment.labels_table, images_table=deployment.images_table)
    counts = finder.counts(prefix)
    listed = counts.of_kinds(kind) if kind else counts
    terms = listed.terms if top is None else listed.most_frequent(top)
    if as_json:
        output.write_json(
            [
                {
                    "term": each.term.text,
                    "name": each.term.name,
                    "kind": str(each.term.kind),
                    "photos": each.photos,
                }
                for each in terms
            ]
        )
    elif not output.is_terminal():
        output.write_lines([each.term.name, str(each.term.kind), str(each.photos)] for each in terms)
    elif terms:
        rows = [(each.term.name, str(each.term.kind), f"{each.photos:,}") for each in terms]
        output.write_table(("Label", "Kind", number("Photos")), rows)
        output.note_labels_by(aws.labels_by)
    output.note_skipped(counts.skipped)
    if not terms:
        if kind:
            raise NothingFoundError(f"no label of this kind: `{ctx.obj.command('labels')}` lists all labels")
        raise NothingFoundError(
            f'no label starts with "{visible(prefix)}": `{ctx.obj.command("labels")}` lists all labels'
            if prefix
            else f"no photo has a label yet: `{ctx.obj.command('status')}` shows waiting photos"
        )
    _note_exactness(counts, ctx.obj.command("relabel", "--offline"))


def _note_exactness(counts: Counts, relabel: str) -> None:
    if counts.since:
        output.note(
            f"the numbers may be too low: photos that were labelled before {counts.since[:19]}Z may not be counted. "
            f"This counts them:\n  {relabel}"
        )
    if not counts.exact:
        output.note("the numbers may be wrong by the photos of the last minutes, which are being counted")

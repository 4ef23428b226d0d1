"""`image-labels labels`: the terms that photos can be found by."""

from __future__ import annotations

from typing import Annotated

import typer
from image_labels.search.finder import Finder
from image_labels.search.printable import visible

from image_labels_cli import output
from image_labels_cli.invocation import NothingFoundError
from image_labels_cli.options import JSON_OPTION


def labels(
    ctx: typer.Context,
    prefix: Annotated[
        str, typer.Argument(metavar="PREFIX", help="Only labels that start with this.", show_default=False)
    ] = "",
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """List the labels that photos can be found by.

    \b
      image-labels labels
      image-labels labels traf

    A label stays in the list after its last photo is deleted. In a
    pipe, a line has the name and its kind: label, alias (another name
    of a label), parent (a more general label) or category.
    """
    deployment, aws = ctx.obj.connect("labels_table", "images_table")
    finder = Finder(aws.dynamodb, labels_table=deployment.labels_table, images_table=deployment.images_table)
    terms = finder.vocabulary(prefix)
    count = 0
    if as_json:
        listed = [{"term": term.text, "name": term.name, "kind": str(term.kind)} for term in terms]
        count = len(listed)
        output.write_json(listed)
    elif output.is_terminal():
        rows = [(term.name, str(term.kind)) for term in terms]
        count = len(rows)
        if rows:
            output.write_table(("Label", "Kind"), rows)
            output.note_labels_by(aws.labels_by)
    else:
        for term in terms:
            count += 1
            output.write_lines([(term.name, str(term.kind))])
    output.note_skipped(terms.skipped)
    if not count:
        raise NothingFoundError(
            f'no label starts with "{visible(prefix)}": `{ctx.obj.command("labels")}` lists all labels'
            if prefix
            else f"no photo has a label yet: `{ctx.obj.command('status')}` shows waiting photos"
        )

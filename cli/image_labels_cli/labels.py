"""`image-labels labels`: the vocabulary, which is what photos can be found by."""

from __future__ import annotations

from image_labels.search.finder import Finder
from image_labels.search.printable import visible

from image_labels_cli import output
from image_labels_cli.invocation import Invocation, NothingFoundError


def run(invocation: Invocation, prefix: str, *, as_json: bool) -> None:
    """Print the terms that start with the prefix, in alphabetical order."""
    place, aws = invocation.at("labels_table", "images_table")
    finder = Finder(aws.dynamodb, labels_table=place.labels_table, images_table=place.images_table)
    terms = finder.vocabulary(prefix)
    found = 0
    if as_json:
        listed = [{"term": term.text, "name": term.name, "kind": str(term.kind)} for term in terms]
        found = len(listed)
        output.write_json(listed)
    elif output.is_terminal():
        rows = [(term.name, str(term.kind)) for term in terms]
        found = len(rows)
        if rows:
            output.write_table(("Label", "Kind"), rows)
    else:
        for term in terms:
            found += 1
            output.write_lines([(term.name, str(term.kind))])
    output.note_skipped(terms.skipped)
    if not found:
        raise NothingFoundError(
            f'no label starts with "{visible(prefix)}": `{invocation.command("labels")}` shows them all'
            if prefix
            else f"no photo has a label yet: `{invocation.command('status')}` says whether photos wait"
        )

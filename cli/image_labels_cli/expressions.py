"""Expressions as a shell passes them on, and commands to type instead of one that cannot be understood."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from image_labels.search.expression import ExpressionError, NeedsScan, parse
from image_labels.search.printable import visible
from typer.core import TyperCommand

from image_labels_cli.invocation import Invocation, UsageError


def instead_of(error: ExpressionError, invocation: Invocation) -> list[str]:
    """A line for each command that may have been meant, to be copied into a shell."""
    return _commands(invocation, (error.expression,) if isinstance(error, NeedsScan) else error.suggestions)


def _commands(invocation: Invocation, expressions: Iterable[str]) -> list[str]:
    lines = []
    for expression in expressions:
        scan = []
        try:
            parse(expression).refuse_not_alone()
        except NeedsScan:
            scan = ["--scan"]
        lines.append(f"try: {invocation.command('find', *scan, expression)}")
    return lines


class Find(TyperCommand):
    """Sees an expression that the shell has split, or whose hyphen would be taken for an option's."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse what is not one expression, in terms of the expression rather than of options."""
        words = self._words(args, ctx.help_option_names)
        hyphens = [word for word in words if word.startswith("-")]
        if not hyphens and len(words) < 2:
            return super().parse_args(ctx, args)
        text = " ".join(map(_as_typed, words))
        try:
            parse(text)
            meant: tuple[str, ...] = (text,)
        except ExpressionError as error:
            meant = error.suggestions
        said = (
            f"{visible(hyphens[0])} looks like an option; before what shall not be there stands NOT"
            if hyphens
            else "the expression is one argument: put it in quotes, so that the shell does not split it"
        )
        raise UsageError("\n".join([said, *_commands(ctx.obj, meant)]))

    def _words(self, args: list[str], help_options: Iterable[str]) -> list[str]:
        """The arguments that are neither an option nor the value of one; none if there is an option that is unknown."""
        options = [param for param in self.params if param.param_type_name == "option"]
        flags = {name for each in options if getattr(each, "is_flag", False) for name in each.opts}
        flags.update(help_options)
        valued = {name for each in options for name in each.opts} - flags
        words: list[str] = []
        rest = iter(args)
        for word in rest:
            if word == "--":
                break
            if word in valued:
                next(rest, None)
            elif word.startswith("--") and word.partition("=")[0] not in flags | valued:
                return []
            elif not word.startswith("--") and word not in flags:
                words.append(word)
        # Behind -- nothing is an option: the expression itself says what is wrong.
        behind = list(rest)
        return words + (behind if words or len(behind) > 1 else [])


def _as_typed(word: str) -> str:
    """An argument with the quotes around a label of several words, which the shell takes away."""
    try:
        parse(word)
    except ExpressionError:
        return f'"{word}"' if " " in word and '"' not in word else word
    return word

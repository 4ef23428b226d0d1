"""Expressions as a shell passes them, and suggestions for expressions that cannot be parsed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from image_labels.search.expression import ExpressionError, NeedsScan, parse
from image_labels.search.printable import visible

from image_labels_cli.invocation import Invocation, UsageError
from image_labels_cli.options import Command


def suggested_commands(error: ExpressionError, invocation: Invocation) -> list[str]:
    """One line for each command that the user may have meant, to paste into a shell."""
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


def did_you_mean(term: str, similar: Iterable[str]) -> str:
    """One line for a term that no photo has."""
    term, names = visible(term), [*map(visible, similar)]
    if not names:
        return f'  no photo has the label "{term}": `image-labels labels` lists all labels'
    text = (", ".join(names[:-1]) + " or " if names[1:] else "") + names[-1]
    return f'  no photo has the label "{term}"; did you mean {text}?'


class FindCommand(Command):
    """Detects an expression that the shell has split, or that starts with a hyphen as an option does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises UsageError, which explains the expression, where typer would explain an unknown option."""
        words = self._words(args, ctx.help_option_names)
        hyphenated = [word for word in words if word.startswith("-")]
        if not hyphenated and len(words) < 2:
            return super().parse_args(ctx, args)
        text = " ".join(map(_as_typed, words))
        try:
            parse(text)
            suggestions: tuple[str, ...] = (text,)
        except ExpressionError as error:
            suggestions = error.suggestions
        message = (
            f"{visible(hyphenated[0])} looks like an option; to exclude a label, write NOT before it"
            if hyphenated
            else "the expression is one argument: put it in quotes, so that the shell does not split it"
        )
        raise UsageError("\n".join([message, *_commands(ctx.obj, suggestions)]))

    def _words(self, args: list[str], help_options: Iterable[str]) -> list[str]:
        """The arguments that are neither an option nor an option's value. Empty if an option is unknown."""
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
        # After -- nothing is an option. The parser reports errors in a single word.
        after = list(rest)
        return words + (after if words or len(after) > 1 else [])


def _as_typed(word: str) -> str:
    """The argument with quotes around a label of several words. The shell has removed them."""
    try:
        parse(word)
    except ExpressionError:
        return f'"{word}"' if " " in word and '"' not in word else word
    return word

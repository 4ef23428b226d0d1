"""Expressions as a shell passes them, and suggestions for expressions that are invalid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from image_labels.search.expression import ExpressionError, NeedsScan, parse, parse_words
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


def joined(words: Sequence[str]) -> str:
    """The arguments as one expression, as the user typed it before the shell removed its quotes."""
    return words[0] if len(words) == 1 else " ".join(map(_operand, words))


def _operand(word: str) -> str:
    """One of several arguments. If the shell has removed quotes around a part of the expression, it is kept together:
    a label of several words in quotes, and a part with operators in parentheses.
    """
    try:
        parsed = parse_words(word)
    except ExpressionError:
        return word  # such as AND, or (dog
    first, last = parsed.mentions[0], parsed.mentions[-1]
    if len(parsed.mentions) == 1:
        return word
    if first.start == 0 and all(mention.joined for mention in parsed.mentions[1:]):
        return f'"{word[: last.end]}"{word[last.end :]}'
    return f"({word})"


class FindCommand(Command):
    """Detects an expression that starts with a hyphen as an option does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises UsageError, which explains the expression, where typer would explain an unknown option."""
        words = self._words(args, ctx.help_option_names)
        hyphenated = [word for word in words if word.startswith("-")]
        if not hyphenated:
            return super().parse_args(ctx, args)
        text = joined(words)
        try:
            parse(text)
            suggestions: tuple[str, ...] = (text,)
        except ExpressionError as error:
            suggestions = error.suggestions
        message = f"{visible(hyphenated[0])} looks like an option; to exclude a label, write NOT before it"
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
                break  # nothing after it is an option, and the parser of the expression explains a hyphen
            if word in valued:
                next(rest, None)
            elif word.startswith("--") and word.partition("=")[0] not in flags | valued:
                return []
            elif not word.startswith("--") and word not in flags:
                words.append(word)
        return words

"""The command line up to the cursor: which command, option or argument the next word is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Line:
    """The words before the cursor. `command` is the subcommand, or None before it and after an unknown one.

    `arguments` is the number of arguments so far, and `option` the option that the next word is the value of. `literal`
    is true after `--`. `values` has the values of the global options by their parameter's name.
    """

    root: Any
    command: Any = None
    option: Any = None
    arguments: int = 0
    literal: bool = False
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Any, words: Sequence[str]) -> Line:
        line = cls(root)
        for word in words:
            line._add(word)
        return line

    def options(self) -> Mapping[str, Any]:
        """The options that may follow, by flag. Those of the deployment may follow the command, too."""
        local = _options(self.command) if self.command else {}
        deployment = {name: each for name, each in _options(self.root).items() if _is_valued(each)}
        return local | (deployment if self.command else _options(self.root))

    def parameter(self) -> Any:
        """The option or argument that the next word is a value of, or None."""
        if self.option is not None or self.command is None:
            return self.option
        arguments = [each for each in self.command.params if each.param_type_name == "argument"]
        if arguments and arguments[-1].nargs == -1:
            return arguments[min(self.arguments, len(arguments) - 1)]
        return arguments[self.arguments] if self.arguments < len(arguments) else None

    def _add(self, word: str) -> None:
        if self.option is not None:
            self._set(self.option, word)
            self.option = None
        elif word == "--" and not self.literal:
            self.literal = True
        elif word.startswith("-") and len(word) > 1 and not self.literal:
            name, equals, value = word.partition("=")
            option = self.options().get(name)
            if option is None or not _is_valued(option):
                return
            if equals:
                self._set(option, value)
            else:
                self.option = option
        elif self.command is None and not self.arguments and word in self.root.commands:
            self.command = self.root.commands[word]
        else:
            self.arguments += 1

    def _set(self, option: Any, value: str) -> None:
        if option in self.root.params:
            self.values[option.name] = value


def _options(command: Any) -> dict[str, Any]:
    return {
        name: each
        for each in command.params
        if each.param_type_name == "option" and not getattr(each, "hidden", False)
        for name in (*each.opts, *each.secondary_opts)
    }


def _is_valued(option: Any) -> bool:
    return not getattr(option, "is_flag", False)

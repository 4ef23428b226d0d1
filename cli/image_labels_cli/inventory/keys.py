"""The keys that the module labels: its inputs filter_prefix and filter_suffixes."""

from __future__ import annotations

from dataclasses import dataclass

# The one suffix of filter_suffixes = [""]. A suffix has neither this character nor a comma (variables.tf).
EVERY_KEY = "*"


@dataclass(frozen=True)
class KeyFilter:
    """The filter of the module's events. As in S3, prefix and suffix of a key may overlap."""

    prefix: str
    suffixes: tuple[str, ...]

    @classmethod
    def of(cls, prefix: str, suffixes: str) -> KeyFilter:
        """From the values in the output cli_environment: a prefix, and suffixes with commas between them."""
        return cls(prefix, tuple("" if suffix == EVERY_KEY else suffix for suffix in suffixes.split(",")))

    def matches(self, key: str) -> bool:
        """Whether the module labels the object with this key."""
        return key.startswith(self.prefix) and key.endswith(self.suffixes)

    def within(self, prefix: str) -> str | None:
        """The prefix of all keys that start with both prefixes, or None if no key can."""
        if prefix.startswith(self.prefix):
            return prefix
        return self.prefix if self.prefix.startswith(prefix) else None

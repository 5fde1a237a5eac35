"""Show old outputs of tools without their content."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.pairing import output_key

__all__ = ["Clear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """How `Trim` shows outputs of tools that are no longer new; the store keeps them.

    Attributes:
        keep: So many of the newest outputs stay as they are. Older ones are cleared in steps, so
            that what the model has seen changes seldom.
        placeholder: What stands in place of a cleared output.

    Raises:
        ConfigurationError: ``keep`` is negative or no whole number, or the placeholder no text.
    """

    keep: int = 3
    placeholder: str = "[old output, cleared]"

    def __post_init__(self) -> None:
        if type(self.keep) is not int or self.keep < 0:
            raise ConfigurationError(f"Clear(keep=...) is a whole number from 0 on: {self.keep!r}")
        if not isinstance(self.placeholder, str):
            raise ConfigurationError("Clear(placeholder=...) is a text")

    def step(self, history: Sequence[Item], begin: int, drop_to: float) -> int:
        """Return the place before which outputs are to be cleared.

        Args:
            history: The items.
            begin: The place before which they are cleared already.
            drop_to: Which part of the outputs stays when there are too many.
        """
        places = [n for n in range(begin, len(history)) if _can_be_cleared(history[n])]
        most = math.floor(self.keep / drop_to) if drop_to else self.keep
        if len(places) <= most:
            return begin
        return places[-self.keep] if self.keep else len(history)

    def cleared(self, history: Sequence[Item], end: int) -> list[Item]:
        """Return the items, those outputs before *end* without their content."""
        return [
            {**item, "output": self.placeholder} if n < end and _can_be_cleared(item) else item
            for n, item in enumerate(history)
        ]


def _can_be_cleared(item: Item) -> bool:
    # An output that is an object, such as a screenshot, has a form that text has not.
    return output_key(item) is not None and isinstance(item.get("output"), (str, list))

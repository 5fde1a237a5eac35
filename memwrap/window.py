"""The window: the part of the history that a turn loads, as its layers ask for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from memwrap.exceptions import ConfigurationError
from memwrap.items import Item, turn_starts
from memwrap.marks import Mark

__all__ = ["NeedsPast", "PastCut", "Window", "Windows", "windows_of"]

_ITEMS_OF_A_TURN = 8  # how many most turns have at most: a first guess
_FIRST_ROWS = 256  # where there is nothing to guess by
_MORE = 4  # how many times as many are read when the first guess does not suffice


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a layer needs of the past: all of it, unless a field says less.

    Attributes:
        items: The newest that many items.
        turns: The newest that many turns; a turn begins where the user begins to speak.
        suffices: Tells whether the newest items, oldest first, are enough of the past.
        mark: The name of the layer's mark. When the layer has set it in an earlier turn, all from
            there on is loaded, whatever the other fields say, and what the layer kept from before.
        keep_first: The first that many items and all instructions are needed too, wherever they
            stand, as long as there is no mark; None for neither.

    Raises:
        ConfigurationError: A number is negative or no whole number.
    """

    items: int | None = None
    turns: int | None = None
    suffices: Callable[[Sequence[Item]], bool] | None = None
    mark: str | None = None
    keep_first: int | None = None

    def __post_init__(self) -> None:
        for name in ("items", "turns", "keep_first"):
            number = getattr(self, name)
            if number is not None and (type(number) is not int or number < 0):
                raise ConfigurationError(
                    f"Window({name}=...) is a whole number from 0 on, not {number!r}"
                )

    @property
    def is_bounded(self) -> bool:
        """Whether it is less than all."""
        return any(need is not None for need in (self.items, self.turns, self.suffices))

    @property
    def rows(self) -> int:
        """How many rows are read at first."""
        if self.items is not None:
            return self.items
        return _FIRST_ROWS if self.turns is None else self.turns * _ITEMS_OF_A_TURN + 1

    def begin(self, items: Sequence[Item]) -> int:
        """Return where the window begins in the newest items; negative if they do not suffice."""
        if self.suffices is not None:
            return 0 if self.suffices(items) else -1
        begins = []
        if self.items is not None:
            begins.append(len(items) - self.items)
        if self.turns is not None:
            starts = [*turn_starts(items), len(items)]
            # The first of them may have begun before, where nothing has been read.
            place = len(starts) - 1 - self.turns
            begins.append(starts[place] if place > 0 else -1)
        return min(begins, default=0)


@runtime_checkable
class NeedsPast(Protocol):
    """A layer that may say which part of the past it needs."""

    window: Any


@dataclass(frozen=True, slots=True)
class Windows:
    """What all layers of a chain need of the past together."""

    parts: tuple[Window, ...]

    @property
    def marks(self) -> list[str]:
        """The names of the layers' marks, if each layer has one."""
        names = [part.mark for part in self.parts if part.mark is not None]
        return names if len(names) == len(self.parts) else []

    @property
    def rows(self) -> int:
        """How many rows are read at first."""
        return max(part.rows for part in self.parts)

    @property
    def keep_first(self) -> int | None:
        """How many of the first items are needed, and with them all instructions."""
        numbers = [part.keep_first for part in self.parts if part.keep_first is not None]
        return max(numbers, default=None)

    def begin(self, items: Sequence[Item]) -> int:
        """Return where the window begins in the newest items; negative if they do not suffice."""
        return min(part.begin(items) for part in self.parts)

    def more(self, rows: int) -> int:
        """Return how many rows are read when that many have not sufficed."""
        return max(rows * _MORE, _FIRST_ROWS)


def windows_of(layers: Sequence[object]) -> Windows | None:
    """Return what *layers* need of the past; None for all of it."""
    asked = [layer.window for layer in layers if isinstance(layer, NeedsPast)]
    parts = tuple(part for part in asked if isinstance(part, Window))
    return Windows(parts) if parts and all(part.is_bounded for part in parts) else None


class PastCut(Protocol):
    """Where layers cut the history of a turn."""

    @property
    def added(self) -> Sequence[Item]:
        """The instructions in the history that were in front of no input."""
        ...

    @property
    def text(self) -> str:
        """The text by which the marks are stored."""
        ...

    def mark(self, name: str) -> Mark | None:
        """Return the mark that a layer has set."""
        ...

    def number_of(self, item: Item) -> int | None:
        """Return the number of the row of *item*; None for an object that was not loaded."""
        ...

    def set(self, name: str, mark: Mark) -> None:
        """Set the mark of a layer, to be stored with the turn."""
        ...

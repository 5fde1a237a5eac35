"""Where the history of one turn is cut, and has been cut in earlier ones."""

from __future__ import annotations

from collections.abc import Sequence

from memwrap.items import Item
from memwrap.marks import Mark, text_of_marks, with_mark
from memwrap.sessions.turns import OpenTurn

__all__ = ["Cut"]


class Cut:
    """The marks of a turn's session, and which row each loaded item is from.

    Args:
        opened: The turn in its store.
    """

    def __init__(self, opened: OpenTurn) -> None:
        self._history = opened.history
        self._numbers = opened.numbers
        self._number_of: dict[int, int] | None = None
        self.marks = opened.marks

    @property
    def added(self) -> Sequence[Item]:
        """The instructions in the history that were in front of no input."""
        rows = {number for mark in self.marks.values() for number in mark.added}
        return [
            item
            for item, number in zip(self._history, self._numbers, strict=False)
            if number in rows
        ]

    @property
    def text(self) -> str:
        """The text by which the marks are stored."""
        return text_of_marks(self.marks)

    def mark(self, name: str) -> Mark | None:
        """Return the mark that a layer has set, in this turn or an earlier one."""
        return self.marks.get(name)

    def number_of(self, item: Item) -> int | None:
        """Return the number of the row of *item*; None for an object that was not loaded."""
        if self._number_of is None:
            pairs = zip(self._history, self._numbers, strict=False)
            self._number_of = {id(item): number for item, number in pairs}
        return self._number_of.get(id(item))

    def set(self, name: str, mark: Mark) -> None:
        """Set the mark of a layer, to be stored with the turn."""
        self.marks = with_mark(self.marks, name, mark)

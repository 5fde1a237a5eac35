"""The rows of one session in memory, and the turns that they were stored in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from weakref import ref

from memwrap.marks import marks_from
from memwrap.sessions.backend import RecordedRows, Rows, RowWindow
from memwrap.sessions.records import TurnRow
from memwrap.sessions.rows import joined
from memwrap.sessions.turns import STOPPED, TurnRecord

__all__ = ["About", "Conversation", "Life", "MemoryTurn", "row_of"]

_MANY = 4_000  # rows that are not joined at once, which would hold others up
_NEVER = datetime.fromtimestamp(0, UTC)


class MemoryTurn(NamedTuple):
    """A recorded turn: what `TurnRow` says of it, and its token."""

    first: int
    last: int
    size: int
    record: TurnRecord
    token: str
    number: int
    stored_at: datetime


class About:
    """What is known of a session besides its rows."""

    __slots__ = (
        *("expires_at", "metadata", "owner", "parent", "parent_turn", "tags", "title", "usage"),
    )

    def __init__(self) -> None:
        self.owner: str | None = None
        self.tags: Sequence[str] = ()
        self.title: str | None = None
        self.metadata: str | None = None
        self.usage: tuple[int, ...] = ()
        self.parent: str | None = None
        self.parent_turn: int | None = None
        self.expires_at: datetime | None = None


class Life:
    """What a turn holds while it runs: the conversation that it has begun with."""

    __slots__ = ("__weakref__", "conversation")

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation


class Conversation:
    """The rows and the recorded turns of one session, under its store's guard."""

    __slots__ = (
        *("__weakref__", "created_at", "ids", "life", "named", "order", "rows", "turns"),
        "updated_at",
    )

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.ids: list[int] = []
        self.turns: list[MemoryTurn] = []
        self.named: dict[str, MemoryTurn] = {}  # the newest turn of each id
        self.created_at = self.updated_at = _NEVER
        self.order = 0  # the number of the newest row when it was last written to
        self.life: ref[Life] | None = None

    @property
    def head(self) -> int:
        """The number of the newest row; 0 for none."""
        return self.ids[-1] if self.ids else 0

    @property
    def is_running(self) -> bool:
        """Whether a turn has begun and is neither stored nor gone."""
        return self.life is not None and self.life() is not None

    def begun(self) -> Life:
        """Return what a turn holds that begins now."""
        life = Life(self)
        self.life = ref(life)
        return life

    def newest(self, limit: int | None, before: int | None = None) -> Rows:
        """Return the newest rows, or those before a number."""
        end = len(self.ids) if before is None else bisect_left(self.ids, before)
        begin = 0 if limit is None else max(end - limit, 0)
        return Rows(self.ids[begin:end], self.rows[begin:end], self.head)

    def oldest(self, after: int, limit: int) -> tuple[list[int], list[bytes]]:
        """Return the numbers and the bytes of the oldest rows behind a number."""
        begin = bisect_right(self.ids, after)
        return self.ids[begin : begin + limit], self.rows[begin : begin + limit]

    def joined(self, limit: int | None, life: Life | None = None) -> Rows:
        """Return the newest rows, in one piece if they are not many, for the turn of a life."""
        begin = 0 if limit is None else max(len(self.ids) - limit, 0)
        head = self.ids[-1] if self.ids else 0
        if len(self.ids) - begin > _MANY:
            return Rows(self.ids[begin:], self.rows[begin:], head, life)
        if not begin:
            return Rows(self.ids[:], joined(self.rows), head, life)
        return Rows(self.ids[begin:], joined(self.rows[begin:]), head, life)

    def window(self, window: RowWindow, life: Life) -> Rows:
        """Return the rows of a window, with the marks of the session, for the turn of a life."""
        text = next((turn.record.marks for turn in reversed(self.turns) if turn.record.marks), None)
        marks = marks_from(text)
        asked = [marks[name] for name in window.names if name in marks]
        if len(asked) < len(window.names):
            return self.joined(window.limit, life)._replace(marks=text)
        shown = 0 if window.most is None else max(len(self.ids) - window.most, 0)
        begin = max(bisect_left(self.ids, min(mark.first for mark in asked)), shown)
        kept = {bisect_left(self.ids, number) for mark in asked for number in mark.kept}
        places = [place for place in sorted(kept) if shown <= place < begin]
        ids = [self.ids[place] for place in places] + self.ids[begin:]
        rows = [self.rows[place] for place in places] + self.rows[begin:]
        return Rows(ids, joined(rows), self.head, life, text)

    def has(self, token: str) -> bool:
        """Tell whether the turn of that token is stored."""
        return any(turn.token == token for turn in reversed(self.turns))

    def record(self, turn: MemoryTurn) -> None:
        """Note a turn whose rows have been appended."""
        self.turns.append(turn)
        if turn.record.turn_id is not None:
            self.named[turn.record.turn_id] = turn

    def forget(self, begin: int, end: int) -> None:
        """Remove turns, by their places."""
        for turn in self.turns[begin:end]:
            turn_id = turn.record.turn_id
            if turn_id is not None and self.named.get(turn_id) is turn:
                del self.named[turn_id]
        del self.turns[begin:end]

    def newest_turn(self) -> MemoryTurn | None:
        """Return the turn that ends with the newest row, if one does."""
        return self.turns[-1] if self.turns and self.turns[-1].last == self.head else None

    def question(self, count: int) -> int | None:
        """Forget the newest turn if it is a question of that many rows; return its first row."""
        turn = self.newest_turn()
        if turn is None or turn.size != count:
            return None
        self.forget(len(self.turns) - 1, len(self.turns))
        return turn.first

    def drop_half(self, turn_id: str) -> None:
        """Remove the turn of that id if it was stopped."""
        turn = self.named.get(turn_id)
        if turn is not None and turn.record.shape == STOPPED:
            self.cut(turn.first, turn.last, None)

    def recorded(self, turn: MemoryTurn) -> RecordedRows:
        """Return a turn with those of its rows that are still there."""
        begin, end = bisect_left(self.ids, turn.first), bisect_right(self.ids, turn.last)
        return RecordedRows(turn.record, Rows(self.ids[begin:end], self.rows[begin:end]), turn.size)

    def cut(self, first: int, last: int, count: int | None) -> bool:
        """Remove rows, and the turns that are no longer whole."""
        begin, end = bisect_left(self.ids, first), bisect_right(self.ids, last)
        if count is not None and end - begin != count:
            return False
        del self.rows[begin:end], self.ids[begin:end]
        begin = bisect_left(self.turns, first, key=lambda turn: turn.last)
        self.forget(begin, bisect_right(self.turns, last, key=lambda turn: turn.first))
        return True

    def place_of(self, at: int | str) -> int | None:
        """Return the place of a turn among the turns, by its number or id; None for none."""
        if isinstance(at, str):
            turn = self.named.get(at)
            at = 0 if turn is None else turn.number
        place = bisect_left(self.turns, at, key=lambda turn: turn.number)
        there = place < len(self.turns) and self.turns[place].number == at
        return place if there else None

    def turn_of(self, number: int) -> MemoryTurn | None:
        """Return the turn that the row of a number is of, if there is one."""
        place = bisect_left(self.turns, number, key=lambda turn: turn.last)
        found = self.turns[place] if place < len(self.turns) else None
        return found if found is not None and found.first <= number else None

    def listed(self, limit: int | None, before: int | None) -> list[TurnRow]:
        """Return the newest turns, or those before a number, oldest first."""
        end = len(self.turns)
        if before is not None:
            end = bisect_left(self.turns, before, key=lambda turn: turn.number)
        begin = 0 if limit is None else max(end - limit, 0)
        return [row_of(turn) for turn in self.turns[begin:end]]

    def whole_turns(self, first: int, last: int) -> Sequence[TurnRow]:
        """Return the turns that end within a range of rows, and have all their rows."""
        begin = bisect_left(self.turns, first, key=lambda turn: turn.last)
        end = bisect_right(self.turns, last, key=lambda turn: turn.last)
        return [
            row_of(turn)
            for turn in self.turns[begin:end]
            if len(self.recorded(turn).rows.ids) == turn.size
        ]


def row_of(turn: MemoryTurn) -> TurnRow:
    """Return a turn as stores list it."""
    return TurnRow(turn.record, turn.number, turn.first, turn.last, turn.size, turn.stored_at)

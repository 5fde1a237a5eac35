"""The rows of one session in memory, and the turns that they were stored in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime

from memwrap.marks import marks_from
from memwrap.sessions.backend import RecordedRows, Rows, RowWindow
from memwrap.sessions.rows import joined
from memwrap.sessions.turns import STOPPED, TurnRecord

__all__ = ["Conversation"]

_MANY = 4_000  # rows that are not joined at once, which would hold others up
_NEVER = datetime.fromtimestamp(0, UTC)

# Of a turn its first and last row, its count of rows, its record and its token.
_Turn = tuple[int, int, int, TurnRecord, str]


class Conversation:
    """The rows and the recorded turns of one session, under its store's guard."""

    __slots__ = ("__weakref__", "created_at", "ids", "named", "rows", "turns", "updated_at")

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.ids: list[int] = []
        self.turns: list[_Turn] = []
        self.named: dict[str, _Turn] = {}  # the newest turn of each id
        self.created_at = self.updated_at = _NEVER

    @property
    def head(self) -> int:
        """The number of the newest row; 0 for none."""
        return self.ids[-1] if self.ids else 0

    def newest(self, limit: int | None, before: int | None = None) -> Rows:
        """Return the newest rows, or those before a number."""
        end = len(self.ids) if before is None else bisect_left(self.ids, before)
        begin = 0 if limit is None else max(end - limit, 0)
        return Rows(self.ids[begin:end], self.rows[begin:end], self.head)

    def joined(self, limit: int | None) -> Rows:
        """Return the newest rows, in one piece if they are not many."""
        begin = 0 if limit is None else max(len(self.ids) - limit, 0)
        head = self.ids[-1] if self.ids else 0
        if len(self.ids) - begin > _MANY:
            return Rows(self.ids[begin:], self.rows[begin:], head, self)
        if not begin:
            return Rows(self.ids[:], joined(self.rows), head, self)
        return Rows(self.ids[begin:], joined(self.rows[begin:]), head, self)

    def window(self, window: RowWindow) -> Rows:
        """Return the rows of a window, with the marks of the session."""
        text = next((turn[3].marks for turn in reversed(self.turns) if turn[3].marks), None)
        marks = marks_from(text)
        asked = [marks[name] for name in window.names if name in marks]
        if len(asked) < len(window.names):
            return self.joined(window.limit)._replace(marks=text)
        shown = 0 if window.most is None else max(len(self.ids) - window.most, 0)
        begin = max(bisect_left(self.ids, min(mark.first for mark in asked)), shown)
        kept = {bisect_left(self.ids, number) for mark in asked for number in mark.kept}
        places = [place for place in sorted(kept) if shown <= place < begin]
        ids = [self.ids[place] for place in places] + self.ids[begin:]
        rows = [self.rows[place] for place in places] + self.rows[begin:]
        return Rows(ids, joined(rows), self.head, self, text)

    def has(self, token: str) -> bool:
        """Tell whether the turn of that token is stored."""
        return any(turn[4] == token for turn in reversed(self.turns))

    def record(self, turn: _Turn) -> None:
        """Note a turn whose rows have been appended."""
        self.turns.append(turn)
        if turn[3].turn_id is not None:
            self.named[turn[3].turn_id] = turn

    def forget(self, begin: int, end: int) -> None:
        """Remove turns, by their places."""
        for turn in self.turns[begin:end]:
            turn_id = turn[3].turn_id
            if turn_id is not None and self.named.get(turn_id) is turn:
                del self.named[turn_id]
        del self.turns[begin:end]

    def newest_turn(self) -> _Turn | None:
        """Return the turn that ends with the newest row, if one does."""
        return self.turns[-1] if self.turns and self.turns[-1][1] == self.head else None

    def question(self, count: int) -> int | None:
        """Forget the newest turn if it is a question of that many rows; return its first row."""
        turn = self.newest_turn()
        if turn is None or turn[2] != count:
            return None
        self.forget(len(self.turns) - 1, len(self.turns))
        return turn[0]

    def drop_half(self, turn_id: str) -> None:
        """Remove the turn of that id if it was stopped."""
        turn = self.named.get(turn_id)
        if turn is not None and turn[3].shape == STOPPED:
            self.cut(turn[0], turn[1], len(self.recorded(turn).rows.ids))

    def recorded(self, turn: _Turn) -> RecordedRows:
        """Return a turn with those of its rows that are still there."""
        first, last, count, record, _ = turn
        begin, end = bisect_left(self.ids, first), bisect_right(self.ids, last)
        return RecordedRows(record, Rows(self.ids[begin:end], self.rows[begin:end]), count)

    def cut(self, first: int, last: int, count: int) -> bool:
        """Remove rows, and the turns that are no longer whole."""
        begin, end = bisect_left(self.ids, first), bisect_right(self.ids, last)
        if end - begin != count:
            return False
        del self.rows[begin:end], self.ids[begin:end]
        begin = bisect_left(self.turns, first, key=lambda turn: turn[1])
        self.forget(begin, bisect_right(self.turns, last, key=lambda turn: turn[0]))
        return True

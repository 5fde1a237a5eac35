"""Values on their way into statements and out of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, overload

from memwrap.sessions.backend import Rows, RowWindow
from memwrap.sessions.base import Durability, Promises
from memwrap.sessions.records import TurnRow
from memwrap.sessions.turns import OpenTurn, TurnRecord

__all__ = [
    "ALL",
    "FEW",
    "Life",
    "Numbers",
    "Page",
    "apart",
    "is_too_big",
    "json_list",
    "live_on",
    "page_of_rows",
    "promises_of",
    "turn_row",
    "unpacked",
    "values_of",
    "values_of_record",
]

ALL = 2**62
"""More rows than there can be: SQLite's integers end at 2**63."""

FEW = 200
"""So many rows are read by the statement that takes the lease, and holds up others."""


@lru_cache(maxsize=8)
def promises_of(durability: Durability, *, expires: bool, searches: bool) -> Promises:
    """Return one object for all back ends that promise the same."""
    return Promises(
        durability=durability,
        shared=True,
        isolated=True,
        settles=True,
        turns=True,
        expires=expires,
        searches=searches,
    )


def values_of(session_id: str, window: RowWindow, *lease: Any) -> tuple[Any, ...]:
    """Return the parameters of a statement that reads a window, as the statement counts them.

    Args:
        session_id: The session.
        window: The rows.
        *lease: Token, seconds and dead holder of the lease; nothing for no lease.
    """
    size = FEW + 1 if window.limit is None else min(window.limit, ALL)
    values = (session_id, *(lease or _NO_LEASE), size)
    if not window.names:
        return values
    return (*values, window.most and min(window.most, ALL), json.dumps(window.names))


def values_of_record(record: TurnRecord) -> tuple[Any, ...]:
    """Return the values of a turn's record, in the order of the fields; NULL for what is empty."""
    *fields, marks, usage, metadata, seconds = record
    return (*fields, marks or None, json_list(usage), metadata or None, seconds)


def turn_row(found: Sequence[Any]) -> TurnRow:
    """Return the turn that a statement has read."""
    turn_id, fingerprint, shape, inputs, answers, marks, usage, metadata, seconds, *place = found
    number, first, last, size, stored = place
    known = tuple(json.loads(usage)) if usage else ()
    record = TurnRecord(
        *(turn_id, fingerprint, shape, inputs, answers, marks, known, metadata, seconds)
    )
    return TurnRow(record, number, first, last, size, datetime.fromtimestamp(stored, UTC))


def json_list(values: Sequence[Any]) -> str | None:
    """Return a list as a column holds it; NULL for an empty one."""
    return json.dumps(list(values), separators=(",", ":")) if values else None


_NO_LEASE = (None, None, None)


class Numbers(Sequence[int]):
    """The numbers of rows, as one text until somebody asks for them: few readers do.

    Args:
        text: The numbers, with commas between them.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text

    def __len__(self) -> int:
        return self._text.count(b",") + 1

    def __iter__(self) -> Iterator[int]:
        return iter(self._all)

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> list[int]: ...
    def __getitem__(self, place: int | slice) -> int | list[int]:
        return self._all[place]

    @cached_property
    def _all(self) -> list[int]:
        return [*map(int, self._text.split(b","))]


def unpacked(packed: bytes | None) -> Rows:
    """Return the rows that come with their numbers as one value; None for no row."""
    if packed is None:
        return Rows((), (), 0)
    numbers, _, data = packed.partition(b" ")
    return Rows(Numbers(numbers), data, int(numbers[numbers.rfind(b",") + 1 :]))


class Page(NamedTuple):
    """Some rows of a session.

    Attributes:
        size: How many they are.
        data: Their bytes, joined.
        first: The number of the oldest.
        last: The number of the newest.
        numbers: Those of all rows, where they were asked for.
    """

    size: int
    data: bytes
    first: int
    last: int
    numbers: Sequence[int]


def page_of_rows(found: tuple[Any, ...]) -> Page:
    """Return the page that a statement has read."""
    size, data, first, last, *numbers = found
    return Page(size, data, first, last, Numbers(numbers[0]) if numbers and size else ())


def is_too_big(error: BaseException) -> bool:
    """Tell whether rows together are longer than a value of SQLite's may be."""
    return getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_TOOBIG


def apart(rows: Sequence[tuple[int, bytes]]) -> Rows:
    """Return rows that come one by one, with their numbers."""
    return Rows([row_id for row_id, _ in rows], [data for _, data in rows])


class Life:
    """What tells that a session has not been cleared since a turn began.

    Attributes:
        since: The newest row's number then: that or one before must be there. 0 for an empty
            session, None if it is not looked at.
        mark: The token of the row that an empty session has instead.
    """

    __slots__ = ("mark", "since")

    def __init__(self, since: int | None, mark: str) -> None:
        self.since = since
        self.mark = mark


def live_on(own: Sequence[OpenTurn]) -> None:
    """Let turns go on that remove rows of their own session."""
    for turn in own:
        turn.life = None

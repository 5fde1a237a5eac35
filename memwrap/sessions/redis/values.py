"""Keys of sessions, and values on their way into scripts and out of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zlib import crc32

from memwrap.sessions.backend import Rows
from memwrap.sessions.records import SessionRow, TurnRow
from memwrap.sessions.turns import TurnRecord

__all__ = [
    "BUCKETS",
    "Keys",
    "answered_record",
    "escaped",
    "micros",
    "record_text",
    "rows_of",
    "session_row",
    "time_of",
    "turn_of",
    "unescaped",
]

BUCKETS = 256
"""Into so many parts the sessions of a store fall, each with an index of its own."""

_KINDS = "imtnol"
_ESCAPES = {"%": "%25", "{": "%7B", "}": "%7D", "|": "%7C"}
_SPECIAL = re.compile(r"[%{}|]")
_ESCAPED = re.compile(r"%(25|7B|7D|7C)")
_BEGINNING = datetime.fromtimestamp(0, UTC)


def escaped(text: str) -> str:
    """Return a text as a part of a key: braces would move it into another slot of a cluster."""
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], text)


def unescaped(text: str) -> str:
    """Return the text of which `escaped` made this one."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


class Keys(NamedTuple):
    """The keys of a store.

    Attributes:
        prefix: What all keys begin with.
        tenant: Whose sessions they are of, escaped.
    """

    prefix: str
    tenant: str

    def of(self, name: str) -> list[str]:
        """Return the keys of a session by its escaped id, as scripts take them."""
        place = f"{self.tenant}|{name}"
        front = self.front(crc32(place.encode()) % BUCKETS)
        return [*(f"{front}{kind}:{place}" for kind in _KINDS), f"{front}z:{self.tenant}"]

    def front(self, bucket: int) -> str:
        """Return what the keys of a part of the sessions begin with."""
        return f"{self.prefix}{{{bucket:02x}}}"

    def bucket_of(self, name: str) -> int:
        """Return the part that a session is in, by its escaped id."""
        return crc32(f"{self.tenant}|{name}".encode()) % BUCKETS

    @property
    def secret(self) -> str:
        """The key of the tenant's secret."""
        return f"{self.prefix}{{k}}k:{self.tenant}"

    @property
    def version(self) -> str:
        """The key of the version of all keys with this prefix."""
        return f"{self.prefix}{{v}}version"


def micros(time: datetime) -> int:
    """Return a time as microseconds."""
    return (time - _BEGINNING) // timedelta(microseconds=1)


def time_of(text: bytes | int | None) -> datetime:
    """Return the time of so many microseconds."""
    return _BEGINNING + timedelta(microseconds=int(text or 0))


def rows_of(found: Sequence[bytes]) -> tuple[list[int], list[bytes]]:
    """Return the numbers and the bytes of rows as the server has them."""
    ids, data = [], []
    for row in found:
        number, _, body = row.partition(b" ")
        ids.append(int(number))
        data.append(body)
    return ids, data


def record_text(record: TurnRecord, token: str, *, marks: str) -> str:
    """Return a turn's record as the end of a JSON array, from its token on."""
    fields = [
        *(token, record.turn_id, record.fingerprint, record.shape, record.inputs, marks),
        *(list(record.usage), record.metadata, record.seconds),
    ]
    return json.dumps(fields, ensure_ascii=False)[1:-1]


def turn_of(member: bytes) -> TurnRow:
    """Return the turn of which the server has this text."""
    number, first, last, size, stored, answers, _, turn_id, *rest = json.loads(member)
    fingerprint, shape, inputs, marks, usage, metadata, seconds = rest
    record = TurnRecord(
        *(turn_id, fingerprint, shape, inputs, answers, marks, tuple(usage), metadata, seconds)
    )
    return TurnRow(record, number, first, last, size, time_of(stored))


def answered_record(found: Sequence[Any]) -> tuple[TurnRow, Rows] | None:
    """Return a turn with those of its rows that are still there."""
    if not found:
        return None
    ids, data = rows_of(found[1])
    return turn_of(found[0]), Rows(ids, data)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def session_row(found: Sequence[Any]) -> SessionRow:
    """Return a session as the script lists it."""
    name, made, upd, exp, owner, tags, title, metadata, parent, parent_turn, *rest = found
    *spent, items, turns, time = rest
    usage = tuple(int(amount or 0) for amount in spent)
    origin = _text(parent)
    return SessionRow(
        unescaped(name.decode()),
        time_of(made or upd),
        time_of(upd),
        items,
        turns,
        None if exp is None else time_of(exp),
        _text(owner),
        json.loads(tags) if tags else (),
        _text(title),
        _text(metadata),
        usage if any(amount is not None for amount in spent) else (),
        None if origin is None else unescaped(origin),
        None if parent_turn is None else int(parent_turn),
        str(int(float(time))),
    )

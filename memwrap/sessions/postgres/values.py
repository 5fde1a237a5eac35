"""Values on their way into statements and out of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from memwrap.sessions.records import MovedTurn, TurnRow
from memwrap.sessions.turns import TurnRecord

__all__ = ["escaped", "moved_values", "number_of", "record_values", "turn_of", "unescaped"]

_ESCAPES = re.compile("\x01(.)", re.DOTALL)


def escaped(text: str) -> str:
    """Return a text as a column can hold it, which takes no NUL."""
    if "\0" not in text and "\x01" not in text:
        return text
    return text.replace("\x01", "\x01\x01").replace("\0", "\x010")


def unescaped(text: str) -> str:
    """Return the text of which `escaped` made this one."""
    if "\x01" not in text:
        return text
    return _ESCAPES.sub(lambda found: "\0" if found[1] == "0" else found[1], text)


def number_of(token: str) -> int:
    """Return the number by which the tables know a token."""
    digest = hashlib.blake2b(token.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def record_values(record: TurnRecord) -> tuple[Any, ...]:
    """Return a turn's record as columns: id, shape, inputs, answers, record and marks."""
    rest = json.dumps([record.fingerprint, record.metadata, record.seconds])
    turn_id = None if record.turn_id is None else escaped(record.turn_id)
    marks = record.marks or None
    return turn_id, escaped(record.shape), record.inputs, record.answers, rest, marks


def turn_of(columns: Sequence[Any]) -> TurnRow:
    """Return the turn of which a statement has read the record, and the number of its last row."""
    turn_id, shape, inputs, answers, rest, usage, marks, first, size, number, stored_at, last = (
        columns
    )
    fingerprint, metadata, seconds = json.loads(rest)
    record = TurnRecord(
        None if turn_id is None else unescaped(turn_id),
        fingerprint,
        unescaped(shape),
        inputs,
        answers,
        marks or "",
        tuple(usage or ()),
        metadata,
        seconds,
    )
    return TurnRow(record, number, first, last, size, stored_at)


def moved_values(turns: Sequence[MovedTurn]) -> tuple[list[Any], ...]:
    """Return turns from another store as columns, a list of each."""
    columns: tuple[list[Any], ...] = ([], [], [], [], [], [], [], [], [], [], [])
    for turn in turns:
        turn_id, shape, inputs, answers, rest, _ = record_values(turn.record)
        usage = "{" + ",".join(map(str, turn.record.usage)) + "}" if turn.record.usage else None
        values = (
            *(turn.end, turn.size, turn.number, turn.stored_at, turn_id, shape, inputs, answers),
            *(rest, usage, None),  # marks name rows by their numbers, which are others here
        )
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    return columns

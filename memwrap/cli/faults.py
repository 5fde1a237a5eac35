"""What is wrong with a conversation: rows, numbers, turns, calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from memwrap.items import Item, fault_of
from memwrap.pairing import call_key, output_key, pairs
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import SessionInfo, TurnInfo
from memwrap.sessions.rows import decode_row

__all__ = ["Fault", "faults_in"]

_PAGE = 200
_OF_PAIRS = ("type", "role", "call_id", "id", "approval_request_id")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was stored, or that no reader can use.

    Attributes:
        session_id: The session; empty for the store itself.
        kind: ``"row"``, ``"item"``, ``"call"``, ``"turn"`` or ``"index"``.
        number: The number of a row, or of a turn; None for neither.
        problem: What is wrong, without any content.
    """

    session_id: str
    kind: str
    number: int | None
    problem: str


class _Rows:
    """The rows of a session, as much of them as is needed to judge."""

    def __init__(self, session_id: str) -> None:
        self.numbers: list[int] = []
        self.stubs: list[Item] = []  # of each item that can be read what pairs are told by
        self.places: list[int] = []
        self.faults: list[Fault] = []
        self._session_id = session_id

    def fault(self, kind: str, number: int | None, problem: str) -> None:
        self.faults.append(Fault(self._session_id, kind, number, problem))

    def take(self, number: int, row: bytes) -> None:
        """Look at a row."""
        if self.numbers and number <= self.numbers[-1]:
            self.fault("index", number, "its number is not greater than that before")
        self.numbers.append(number)
        item = decode_row(row)
        if item is None:
            self.fault("row", number, "the row is damaged: no JSON object")
            return
        problem = fault_of(item)
        if problem is not None:
            self.fault("item", number, f"nobody can read the item: {problem}")
        self.stubs.append({name: item[name] for name in _OF_PAIRS if name in item})
        self.places.append(number)

    def judge_calls(self) -> None:
        """Find calls and outputs that stand alone; a last call may wait for its output."""
        paired = {place for pair in pairs(self.stubs) for place in pair}
        last = max(
            (at for at, stub in enumerate(self.stubs) if stub.get("role") == "user"), default=-1
        )
        for place, stub in enumerate(self.stubs):
            if place in paired:
                continue
            if output_key(stub) is not None:
                self.fault("call", self.places[place], "an output without its call")
            elif call_key(stub) is not None and place < last:
                self.fault("call", self.places[place], "a call without its output")


async def faults_in(store: DatabaseStore, info: SessionInfo) -> list[Fault]:
    """Return all that is wrong with a session."""
    name = info.session_id
    rows = _Rows(name)
    after = -1
    while True:
        found = await store.backend.export(name, after, _PAGE)
        for number, row in zip(found.ids, found.rows, strict=True):
            rows.take(number, row)
        if len(found.ids) < _PAGE:
            break
        after = found.ids[-1]
    rows.judge_calls()
    turns = await store.turns(name)
    again = await store.info(name)
    if again is not None and _counts(again) == _counts(info):  # nobody has written meanwhile
        if info.item_count != len(rows.numbers):
            text = f"the list counts {info.item_count} items, there are {len(rows.numbers)}"
            rows.fault("index", None, text)
        if info.turn_count != len(turns):
            text = f"the list counts {info.turn_count} turns, there are {len(turns)}"
            rows.fault("index", None, text)
        _judge_turns(rows, turns)
    return rows.faults


def _counts(info: SessionInfo) -> tuple[Any, ...]:
    return info.item_count, info.turn_count, info.updated_at


def _judge_turns(rows: _Rows, turns: list[TurnInfo]) -> None:
    """Compare the records of turns with the rows that are there."""
    there = rows.numbers
    before: TurnInfo | None = None
    ids: set[str] = set()
    for turn in turns:
        size = sum(1 for number in there if turn.first_item <= number <= turn.last_item)
        if size != turn.item_count:
            text = f"its record counts {turn.item_count} items, there are {size}"
            rows.fault("turn", turn.number, text)
        if before is not None:
            if turn.number <= before.number:
                rows.fault("turn", turn.number, "its number is not greater than that before")
            if turn.first_item <= before.last_item:
                rows.fault("turn", turn.number, "its items are those of the turn before, too")
        if turn.id is not None and turn.id in ids:
            rows.fault("turn", turn.number, "its id is that of another turn, too")
        ids.add(turn.id or "")
        before = turn

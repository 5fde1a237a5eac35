"""A turn as sessions see it: begun, committed whole, found again by its id, undone."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from memwrap.items import Item, turn_starts
from memwrap.marks import Marks
from memwrap.sessions.leases import Stand
from memwrap.window import Windows

__all__ = [
    "STOPPED",
    "UNANSWERED",
    "OpenTurn",
    "StoredTurn",
    "TurnRecord",
    "TurnSession",
    "canonical",
    "carried",
    "fingerprint",
    "made_with",
    "newest_turns",
    "recorded_turns",
]

UNANSWERED = "unanswered"
"""The shape of a turn whose agent failed: its items are the question only."""

STOPPED = "stopped"
"""The shape of a turn with an id that its caller left: it holds what had been delivered."""


@dataclass(slots=True)
class StoredTurn:
    """A turn that is stored with a record.

    Attributes:
        fingerprint: Tells its input from others.
        shape: What kind of answer the caller got; `UNANSWERED` for none, `STOPPED` for half.
        new_items: What the agent added.
        items: How many items the turn has in the store, input and question included.
        input: The input and the question, as they are stored.
    """

    fingerprint: str
    shape: str
    new_items: list[Item]
    items: int = 0
    input: list[Item] = field(default_factory=list)


@dataclass(slots=True, eq=False, weakref_slot=True)
class OpenTurn:
    """A turn that has begun.

    Attributes:
        history: The items of the session.
        head: Version of the history when it was read. Without a lease, the append succeeds only
            if it is still this version. None: not checked.
        token: Names the holder of the lease, and the turn once it is stored.
        lease: Seconds after which others may take the session over; None for no lease.
        lease_token: The holder of the lease that covers the turn, itself or the turn around it;
            None without a lease, and when it has been given back.
        attempted: Whether a commit has been tried, which may have happened though it failed.
        life: What the back end tells by that the session has not been cleared since the turn
            began; None for nothing.
        stand: Where the turn runs, held for as long as the turn is.
        numbers: The numbers of the rows of *history*, if a window was asked for.
        marks: The marks of the session, if a window with marks was asked for.
        began: When it began, by the clock of `time.monotonic`.
    """

    history: list[Item]
    head: int | None
    token: str
    lease: float | None
    lease_token: str | None = None
    attempted: bool = False
    life: Any = None
    stand: Stand | None = None
    numbers: Sequence[int] = ()
    marks: Marks = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)


class TurnRecord(NamedTuple):
    """What is stored beside the items of a turn.

    Attributes:
        turn_id: The caller's name for the turn, or None.
        fingerprint: Tells its input from others; empty for a turn that nobody looks for.
        shape: What kind of answer the caller got; `UNANSWERED` for none, `STOPPED` for half.
        inputs: How many of the items are input.
        answers: How many items at the end of the session, stored before, are the question that
            this turn answers; they become part of the turn.
        marks: The session's marks after the turn, as text; empty for none.
        usage: The tokens that the turn cost: five numbers, as of `memwrap.usage.Usage`; empty if
            nobody counted.
        metadata: What layers note of the turn: JSON text in ASCII; empty for nothing.
        seconds: How long the turn took, from its beginning until it was stored; 0 if unknown.
    """

    turn_id: str | None = None
    fingerprint: str = ""
    shape: str = ""
    inputs: int = 0
    answers: int = 0
    marks: str = ""
    usage: tuple[int, ...] = ()
    metadata: str = ""
    seconds: float = 0.0


class TurnSession(Protocol):
    """What a session may offer besides its four methods: turns that are safe between processes.

    A class says so with ``promises.turns``. Without these methods the four of `Session` are used,
    and turns are safe within one process.
    """

    async def begin_turn(
        self, token: str, *, lease: float | None, windows: Windows | None = None
    ) -> OpenTurn | None:
        """Take the lease and load the history, or the window of it that is asked for.

        Args:
            token: The holder's name, unlike any other.
            lease: Seconds, by the store's clock; None takes no lease.
            windows: What the turn needs of the history; None for all.

        Returns:
            None if another holder has a lease that has not ended.
        """
        ...

    async def find_turn(self, turn_id: str) -> StoredTurn | None:
        """Return the turn of that id, if it is whole and has an answer, or half of one."""
        ...

    async def newest_turn(self) -> StoredTurn | None:
        """Return the recorded turn that ends with the newest item of the session, if one does.

        A question and the turn that answered it are one turn.
        """
        ...

    async def turn_key(self) -> bytes:
        """Return the secret of the store, for `fingerprint`; empty where there is none."""
        ...

    async def renew_turn(self, turn: OpenTurn) -> None:
        """Let the lease begin anew, unless somebody else has it."""
        ...

    async def commit_turn(self, turn: OpenTurn, items: list[Item], record: TurnRecord) -> bool:
        """Append the items with their record and give the lease back, all or nothing.

        A record that ``answers`` a question makes one turn of the question and the items, if
        the question is a recorded turn of that many items at the end of the session. A turn of
        the same id that was `STOPPED` is removed: the new one takes its place.

        Doing it again for a turn that is stored changes nothing.

        Returns:
            Whether the turn is stored; False when the lease has been lost, somebody else has
            cleared the session since or, without a lease, the history has changed.
        """
        ...

    async def release_turn(self, turn: OpenTurn) -> None:
        """Give the lease back without storing anything."""
        ...

    async def undo_turns(self, turns: int) -> list[list[Item]]:
        """Remove the newest turns and return them, oldest first."""
        ...


def recorded_turns(
    items: dict[int, Item], ranges: Sequence[tuple[int, int]]
) -> list[dict[int, Item]]:
    """Split items, by place, into turns: those recorded as ranges, and between them by structure.

    What comes before the first turn belongs to none.
    """
    places = list(items)
    starts = {first for first, last in ranges if first in items and last in items}
    covered: set[int] = set()
    for first, last in ranges:
        if first in starts:  # other sessions may have places between
            covered.update(places[bisect_left(places, first) : bisect_right(places, last)])
    loose = [place for place in places if place not in covered]
    starts |= {loose[index] for index in turn_starts([items[place] for place in loose])}
    turns: list[dict[int, Item]] = []
    for place, item in items.items():
        if place in starts:
            turns.append({})
        if turns:
            turns[-1][place] = item
    return turns


def newest_turns(
    items: dict[int, Item], ranges: Sequence[tuple[int, int]], turns: int, *, is_all: bool
) -> list[dict[int, Item]] | None:
    """Return the newest turns; None if more items have to be looked at.

    Args:
        items: The newest items of a session, by place.
        ranges: The recorded turns that have items among them.
        turns: How many turns.
        is_all: Whether these are all items of the session.
    """
    if not is_all:
        # What comes first may belong to a turn that begins before.
        first = next(iter(items), 0)
        split = max((last for begin, last in ranges if begin < first), default=0)
        items = {place: item for place, item in items.items() if place > split}
    found = recorded_turns(items, ranges)
    if not is_all and len(found) <= turns:
        return None
    return found[-turns:]


def fingerprint(items: Sequence[Item], key: bytes) -> str:
    """Return a short string that differs for items that differ.

    Args:
        items: The items.
        key: The secret of the store: without it nobody can try which items have the fingerprint.
            Empty for a fingerprint without a secret.
    """
    text = canonical(items).encode()
    if not key:
        return hashlib.sha256(text).hexdigest()
    return hmac.digest(key, text, "sha256").hex()


def carried(stored: str, key: bytes) -> str:
    """Return a fingerprint that another store can compare: with the secret that it was made with.

    What only its maker could compare stays as it is.
    """
    if not stored or not key or stored[0] in "~=":
        return stored
    return f"={key.hex()}:{stored}"


def made_with(stored: str, key: bytes) -> tuple[str, bytes]:
    """Return a stored fingerprint and the secret that it was made with: its own, or the store's."""
    if not stored.startswith("="):
        return stored, key
    text, _, found = stored[1:].partition(":")
    try:
        return found, bytes.fromhex(text)
    except ValueError:
        return stored, key


def canonical(value: object) -> str:
    """Return the JSON of *value* that is the same for all equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))

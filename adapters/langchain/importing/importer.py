"""Conversations that LangChain's chat histories have stored, brought into a store of memwrap's.

Their back ends hold nearly the same: for each message a row with the JSON of ``message_to_dict``.
So nothing is needed of a back end but a query.

Nothing is noted in the store about what has been imported. What an import makes is compared with
what is there: it goes on where that ends too early, and stays away where that differs.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from hashlib import blake2b
from sys import maxsize
from time import perf_counter
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, BaseMessageChunk, ToolMessage

from memwrap.adapters.langchain.importing.report import ImportReport
from memwrap.adapters.langchain.importing.rows import (
    TYPES,
    UNREADABLE,
    entries_of,
    is_reduced,
    message_of,
    name_of,
    pair_of,
    reason_of,
)
from memwrap.adapters.langchain.shape import items_for
from memwrap.codec import copy_items
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.sessions.base import Session, StoreLike
from memwrap.sessions.popping import maybe
from memwrap.sessions.resolve import resolve

__all__ = ["ImportReport", "import_histories"]

_BATCH = 500  # messages
_AT_ONCE = 32  # sessions: a store can commit what waits at the same time in one go
_SLICE = 0.005  # seconds after which other tasks run
_DIGEST = 16  # bytes


async def import_histories(
    source: Iterable[Any] | AsyncIterable[Any], store: StoreLike
) -> ImportReport:
    """Bring conversations that LangChain's chat histories have stored into a store.

    It may be interrupted, and run again: what is stored already is not stored twice, and sessions
    that have gone on since stay as they are. While it runs, nobody else should write to them.

    A synchronous source is read in the event loop's own thread, since cursors of sqlite3 belong
    to the thread that made them; other tasks run between its rows.

    Args:
        source: Pairs of a session's id and a row, those of a session in their order; a cursor is
            one. An id is a string, bytes, a UUID or a number. A row is the JSON of
            ``message_to_dict``, or a dict, or a list of them for several messages.
        store: Where the sessions are to be: anything with ``session(id)``, or a function from id
            to session.

    Returns:
        What was done, and what had been lost before.

    Raises:
        ConfigurationError: The source gives no pairs, or the store is none.
        StoreError: The store failed; run again, the import goes on.
    """
    if not callable(getattr(store, "session", store)):
        raise ConfigurationError(
            f"import_histories takes a store, or a function from id to session; not"
            f" {type(store).__name__}"
        )
    run = _Import(store)
    if isinstance(source, AsyncIterable):
        async for pair in source:
            await run.read(pair)
    elif isinstance(source, Iterable):
        for pair in source:
            await run.read(pair)
    else:
        raise ConfigurationError(
            "import_histories takes an iterable of (session id, row) pairs, such as a cursor that"
            f" has been executed (and awaited); not {type(source).__name__}"
        )
    await run.store_batch()
    return run.report()


class _Import:
    """One import: a batch of messages, and what is known of each conversation."""

    def __init__(self, store: StoreLike) -> None:
        self._store = store
        self._conversations: dict[tuple[str, bool], _Conversation] = {}
        self._new: list[_Conversation] = []
        self._batch: list[tuple[_Conversation, Any]] = []
        self._losses = Counter[str]()
        self._until = 0.0

    async def read(self, pair: Any) -> None:
        session_id, row = pair_of(pair)
        name = name_of(session_id)
        conversation = self._conversations.get(name)
        if conversation is None:
            conversation = self._conversations[name] = _Conversation(*name, self._losses)
            self._new.append(conversation)
        for entry in entries_of(row):
            self._batch.append((conversation, entry))
            if len(self._batch) == _BATCH:
                await self.store_batch()
        await self._give_way()

    async def store_batch(self) -> None:
        new, self._new = self._new, []
        batch, self._batch = self._batch, []
        await _each(lambda one: one.open(self._store, self._give_way), new)
        for conversation, entry in batch:
            conversation.take(entry)
            await self._give_way()
        await _each(_Conversation.append, dict.fromkeys(one for one, _ in batch if one.pending))

    async def _give_way(self) -> None:
        """Let other tasks run, if they have waited long enough."""
        if perf_counter() >= self._until:
            await asyncio.sleep(0)
            self._until = perf_counter() + _SLICE

    def report(self) -> ImportReport:
        every = self._conversations.values()
        return ImportReport(
            sessions=len(every),
            messages=sum(one.messages for one in every),
            items_added=sum(one.added for one in every),
            items_present=sum(one.matched for one in every if not one.is_other),
            conflicts=tuple(one.name for one in every if one.is_other),
            refused=tuple(one.name for one in every if one.session is None),
            unreadable=tuple((one.name, *left_out) for one in every for left_out in one.unreadable),
            open_calls=sum(one.calls.total() for one in every),
            **self._losses,
        )


class _Conversation:
    """One conversation: what the store has of it, and what is still to be added."""

    __slots__ = (
        *("added", "calls", "is_id", "is_other", "last", "losses", "matched", "messages", "name"),
        *("pending", "session", "stored", "unreadable"),
    )

    def __init__(self, name: str, is_id: bool, losses: Counter[str]) -> None:
        self.name = name
        self.is_id = is_id
        self.session: Session | None = None
        self.stored = b""  # the digests of the items that the store has
        self.matched = 0  # how many of them are what the import makes
        self.is_other = False
        self.pending: list[Item] = []
        self.added = 0
        self.messages = 0
        self.last: list[Item] = []
        self.calls = Counter[str]()  # that have no output yet
        self.losses = losses
        self.unreadable: list[tuple[int, str]] = []

    async def open(self, store: StoreLike, give_way: Callable[[], Awaitable[None]]) -> None:
        """Find the session and what it holds, if the store takes the id."""
        if not self.is_id:
            return
        try:
            session = resolve(self.name, store)
            items = await maybe(_all_items(session))
        except ValueError:  # ConfigurationError, and what drivers say; no StoreError is one
            return
        digests = bytearray()
        for item in items:
            digests += _digest(item)
            await give_way()
        self.session = session
        self.stored = bytes(digests)
        # Without those that cannot be read it may look like what an import left unfinished.
        self.is_other = bool(getattr(session, "damaged_items", 0))

    def take(self, entry: Any) -> None:
        """Read one message, and hold its items ready unless they are stored already."""
        place = self.messages
        self.messages += 1
        try:
            message = message_of(entry)
            items = copy_items(items_for(message, self.last, is_stored=True))
        except UNREADABLE as exc:
            self.unreadable.append((place, reason_of(entry, exc)))
            return
        self.last = items
        self._count(entry, message)
        if self.session is not None:
            for item in items:
                self._match(item)

    def _match(self, item: Item) -> None:
        begin = self.matched * _DIGEST
        if self.is_other:
            return
        if begin == len(self.stored):
            self.pending.append(item)
        elif self.stored.startswith(_digest(item), begin):
            self.matched += 1
        else:
            self.is_other = True

    def _count(self, entry: Mapping[str, Any], message: BaseMessage) -> None:
        if isinstance(message, AIMessage):
            calls = [*message.tool_calls, *message.invalid_tool_calls]
            self.calls.update(call["id"] for call in calls if call["id"])
        elif isinstance(message, ToolMessage):
            self.losses["orphan_outputs"] += message.tool_call_id not in self.calls
            self.calls -= Counter([message.tool_call_id])
        self.losses["chunks"] += isinstance(message, BaseMessageChunk)
        self.losses["reduced"] += is_reduced(entry)
        self.losses["unknown_types"] += entry["type"] not in TYPES

    async def append(self) -> None:
        """Store what is ready, in one append."""
        items, self.pending = self.pending, []
        if self.session is not None:
            await maybe(self.session.add_items(items))
        self.added += len(items)


async def _each(
    work: Callable[[_Conversation], Awaitable[None]], on: Iterable[_Conversation]
) -> None:
    """Do the same for several conversations at once; if one fails, the others still end."""
    several = list(on)
    for start in range(0, len(several), _AT_ONCE):
        some = [work(one) for one in several[start : start + _AT_ONCE]]
        for result in await asyncio.gather(*some, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result


def _all_items(session: Any) -> Any:
    """Ask for all items, also a session whose settings say less."""
    limit = getattr(getattr(session, "session_settings", None), "limit", None)
    return session.get_items() if limit is None else session.get_items(maxsize)


def _digest(item: Any) -> bytes:
    """Return what differs for items that do, by the types of their values too."""
    text = json.dumps(item, sort_keys=True, separators=(",", ":"), default=repr)
    return blake2b(text.encode(), digest_size=_DIGEST).digest()

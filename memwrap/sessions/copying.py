"""Copy conversations from one store into another, whatever stores they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from memwrap.exceptions import ConfigurationError, StoreError
from memwrap.sessions.backend import Backend
from memwrap.sessions.checks import check_id
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.records import Exported, MovedTurn, SessionQuery, SessionRow, TurnRow
from memwrap.sessions.retention import listed
from memwrap.sessions.turns import carried

__all__ = ["CopyReport", "copy", "copy_session"]

_AT_ONCE = 8  # sessions
_FIRST_ROWS, _MOST_ROWS = 64, 1000
_PIECE = 1024 * 1024  # bytes that are aimed at


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a copy has done.

    Attributes:
        sessions: How many sessions were copied or completed.
        items: How many items were added to the target.
        skipped: How many sessions were there already.
    """

    sessions: int = 0
    items: int = 0
    skipped: int = 0


async def copy(
    source: DatabaseStore,
    target: DatabaseStore,
    *,
    prefix: str = "",
    progress: Callable[[CopyReport], object] | None = None,
) -> CopyReport:
    """Copy all sessions of a store into another, with their turns and what is known of them.

    Items come byte by byte as they are, turns with their ids, so that an answered request stays
    answered, and all is read again and compared. A copy that was interrupted goes on when it is
    called again, within a session too; nothing is stored twice. What is written to the source
    meanwhile may be missing until then. Marks (where layers have cut the history) are not copied:
    the layers cut anew.

    Args:
        source: Where the sessions are; stays as it is.
        target: Where they are to be.
        prefix: Only sessions whose ids begin with it.
        progress: Called with what has been done so far, again and again.

    Returns:
        What was done.

    Raises:
        ConfigurationError: One of them is no store of memwrap, or both are the same.
        StoreError: A store failed, or the target has other items under an id; that session is
            left as it is.
    """
    for name, store in (("source", source), ("target", target)):
        if not isinstance(store, DatabaseStore):
            raise ConfigurationError(
                f"copy: the {name} is of type {type(store).__name__}, and no store of memwrap"
            )
    if source.backend.identity("id") == target.backend.identity("id"):
        raise ConfigurationError("copy: source and target are the same store")
    prefix = check_id(prefix, "a prefix") if prefix != "" else ""
    return await _Copy(source.backend, target.backend, progress).run(prefix)


async def copy_session(source: Backend, target: Backend, row: SessionRow) -> CopyReport:
    """Copy one session, or what is missing of it, as `copy` does."""
    under_way = _Copy(source, target, None)
    under_way.key = await source.key()
    await under_way.session(row)
    return under_way.report


class _Copy:
    """A copy under way."""

    def __init__(
        self,
        source: Backend,
        target: Backend,
        progress: Callable[[CopyReport], object] | None,
    ) -> None:
        self.report = CopyReport()
        self._source = source
        self._target = target
        self._progress = progress
        self.key = b""
        self._next = asyncio.Lock()

    async def run(self, prefix: str) -> CopyReport:
        self.key = await self._source.key()
        rows = listed(self._source, SessionQuery(prefix=prefix, empty=True))
        workers = [asyncio.create_task(self._work(rows)) for _ in range(_AT_ONCE)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await rows.aclose()
        return self.report

    async def _work(self, rows: AsyncIterator[SessionRow]) -> None:
        while True:
            async with self._next:
                row = await anext(rows, None)
            if row is None:
                return
            await self.session(row)

    async def session(self, row: SessionRow) -> None:
        """Copy a session, or what is missing of it."""
        size = _FIRST_ROWS
        found = await self._source.export(row.session_id, 0, size)
        place, after, behind = 0, 0, 0  # rows that are there; the last of them, here and there
        if not await self._insert(row, 0, found):
            place, after, behind = await self._there(row.session_id)
            found = await self._source.export(row.session_id, after, size)
            if not found.ids:
                await self._skip(row, place)
                return
            if not await self._insert(row, place, found):
                raise self._differs(row.session_id)
        while True:
            behind = await self._check(row.session_id, behind, found)
            self._tell(items=len(found.ids))
            place += len(found.ids)
            if len(found.ids) < size:
                break
            size = _size_after(found)
            after = found.ids[-1]
            found = await self._source.export(row.session_id, after, size)
            if found.ids and not await self._insert(row, place, found):
                raise self._differs(row.session_id)
        self._tell(sessions=1)

    async def _insert(self, row: SessionRow, place: int, found: Exported) -> bool:
        ends = {number: end for end, number in enumerate(found.ids)}
        turns = [
            MovedTurn(
                turn.record._replace(
                    marks="", fingerprint=carried(turn.record.fingerprint, self.key)
                ),
                *(turn.number, ends[turn.last], turn.size, turn.stored_at),
            )
            for turn in found.turns
            if turn.last in ends
        ]
        if not found.ids and place == 0 and await self._known(row):
            return False  # it has no items, and all else is there
        return await self._target.insert(row.session_id, place, found.rows, turns, row)

    async def _known(self, row: SessionRow) -> bool:
        """Tell whether the target knows of the session what the source does."""
        query = SessionQuery(session_id=row.session_id, limit=1, empty=True)
        there = await self._target.sessions(query)
        return bool(there) and _known_of(there[0]) == _known_of(row)

    async def _there(self, session_id: str) -> tuple[int, int, int]:
        """Return how many rows the target has, and the last of them in the source and there.

        Raises:
            StoreError: They are not the first rows of the source.
        """
        place = after = behind = 0
        while (there := await self._target.export(session_id, behind, _FIRST_ROWS)).ids:
            here = await self._source.export(session_id, after, len(there.ids))
            if not _are_alike(here, there):
                raise self._differs(session_id)
            place += len(there.ids)
            after, behind = here.ids[-1], there.ids[-1]
        return place, after, behind

    async def _check(self, session_id: str, behind: int, found: Exported) -> int:
        """Read what has been stored, and return the number of its last row.

        Raises:
            StoreError: It is not what it should be.
        """
        if not found.ids:
            return behind
        there = await self._target.export(session_id, behind, len(found.ids))
        if not _are_alike(found, there):
            raise self._differs(session_id)
        return there.ids[-1]

    async def _skip(self, row: SessionRow, place: int) -> None:
        """Note that a session is there; bring what is known of it up to date."""
        if not await self._known(row):
            await self._target.insert(row.session_id, place, (), (), row)
        self._tell(skipped=1)

    def _differs(self, session_id: str) -> StoreError:
        return StoreError(
            f"{self._target.place(session_id)}: it holds other items than the source's session of"
            " this id, and was left as it is"
        )

    def _tell(self, *, sessions: int = 0, items: int = 0, skipped: int = 0) -> None:
        known = self.report
        self.report = replace(
            known,
            sessions=known.sessions + sessions,
            items=known.items + items,
            skipped=known.skipped + skipped,
        )
        if self._progress is not None:
            self._progress(self.report)


def _size_after(found: Exported) -> int:
    """Return how many rows to read next: not more bytes at once than are good for memory."""
    bytes_each = max(sum(map(len, found.rows)) // max(len(found.rows), 1), 1)
    return max(min(_PIECE // bytes_each, _MOST_ROWS), 1)


def _are_alike(here: Exported, there: Exported) -> bool:
    if [*here.rows] != [*there.rows]:
        return False
    return _ends(here.ids, here.turns) == _ends(there.ids, there.turns)


def _ends(ids: Sequence[int], turns: Sequence[TurnRow]) -> list[tuple[int, int, str | None]]:
    """Return of each turn the place of its last row, its size and its id."""
    places = {number: place for place, number in enumerate(ids)}
    return [(places.get(turn.last, -1), turn.size, turn.record.turn_id) for turn in turns]


def _known_of(row: SessionRow) -> tuple[object, ...]:
    tags, usage = tuple(row.tags), tuple(row.usage)
    return (row.owner, tags, row.title, row.metadata, usage, row.parent, row.parent_turn)

"""``memwrap tail``: the newest turns, and those that are stored from now on."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import click

from memwrap.cli import common
from memwrap.cli.output import print_json
from memwrap.cli.reading import Entry, entries, first_of
from memwrap.cli.transcript import Transcript
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import SessionInfo, TurnInfo

__all__ = ["tail"]

_PAUSE = 0.2  # seconds; a look takes a small part of the time, however large the store is
_SHARE = 4
_PAGE = 50


@click.command()
@click.argument("session_id", metavar="[ID]", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is stored from now on.")
@common.count(10, "The newest turns to begin with.")
@click.option("--full", is_flag=True, help="Arguments and outputs of tools in full.")
@common.as_json
@common.quiet
@common.in_store("read")
async def tail(
    store: DatabaseStore,
    *,
    session_id: str | None,
    follow: bool,
    limit: int,
    full: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Show the newest turns of the conversation ID, or of all."""
    tailing = _Tail(store, session_id, Transcript(full=full, session=True), as_json, quiet)
    if not await tailing.begin(limit) and not follow:
        return common.nothing("no turn found")
    while follow:
        began = time.monotonic()
        await tailing.look()
        await asyncio.sleep(max(_PAUSE, _SHARE * (time.monotonic() - began)))
    return 0


class _Tail:
    """What has been shown of which session."""

    def __init__(
        self,
        store: DatabaseStore,
        session_id: str | None,
        transcript: Transcript,
        as_json: bool,
        quiet: bool,
    ) -> None:
        self._store = store
        self._only = session_id
        self._transcript = transcript
        self._as_json = as_json
        self._quiet = quiet
        self._since = datetime.now(UTC)
        self._seen: dict[str, int] = {}  # the number of the newest row that was there
        self._known: dict[str, tuple[object, ...]] = {}

    async def begin(self, limit: int) -> bool:
        """Show the newest turns; return whether there are any."""
        turns: list[TurnInfo] = []
        for info in await self._newest(limit):
            turns += await self._store.turns(info.session_id, limit=limit)
            self._known[info.session_id] = _mark(info)
            self._seen[info.session_id] = await first_of(self._store.backend, info.session_id, 1)
        turns.sort(key=lambda turn: turn.stored_at)
        for turn in turns[-limit:]:
            rows = entries(self._store, turn.session_id, turn.first_item, turn.last_item)
            async for entry in rows:
                self._show(turn.session_id, entry)
        return bool(turns)

    async def _newest(self, limit: int) -> list[SessionInfo]:
        if self._only is not None:
            info = await self._store.info(self._only)
            return [] if info is None else [info]
        return await self._store.sessions(limit=max(limit, _PAGE))

    async def look(self) -> None:
        """Show what has been stored since the last look."""
        for info in reversed(await self._newest(_PAGE)):
            name = info.session_id
            if self._known.get(name) == _mark(info):
                continue
            newest = await first_of(self._store.backend, name, 1)
            if name not in self._known and info.updated_at < self._since:
                self._seen[name] = newest  # it was there before, behind the first page
            self._known[name] = _mark(info)
            seen = self._seen.get(name)
            if seen is None:
                seen = await self._before(info)
            seen = min(seen, newest)  # less if turns were undone
            self._seen[name] = seen
            async for entry in entries(self._store, name, seen + 1):
                self._show(name, entry)
                self._seen[name] = entry.number

    async def _before(self, info: SessionInfo) -> int:
        """Return the number of the newest row of a session that was there at the beginning."""
        if info.created_at >= self._since:
            return 0
        turns = await self._store.turns(info.session_id, limit=_PAGE)
        new = [turn.first_item for turn in turns if turn.stored_at >= self._since]
        return min(new) - 1 if new else await first_of(self._store.backend, info.session_id, 1) - 1

    def _show(self, session_id: str, entry: Entry) -> None:
        if self._as_json:
            turn = entry.turn
            place = {"session_id": session_id, "number": entry.number}
            told = {"turn": turn and turn.number, "turn_id": turn and turn.id, "item": entry.item}
            print_json({**place, **told})
        elif self._quiet:
            self._transcript.name(session_id, entry)
        else:
            self._transcript.write(session_id, entry)


def _mark(info: SessionInfo) -> tuple[object, ...]:
    return info.updated_at, info.item_count, info.turn_count

"""``memwrap show``: a conversation, or a turn of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import click

from memwrap.cli import common
from memwrap.cli.codes import DAMAGED
from memwrap.cli.output import ago, clean, line, print_json
from memwrap.cli.reading import Entry, entries, first_of
from memwrap.cli.transcript import Transcript, said_by
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import SessionInfo

__all__ = ["show"]


@click.command()
@click.argument("session_id", metavar="ID")
@click.option("--turn", type=click.IntRange(min=1), help="Only the turn of that number.")
@common.count(20, "The newest turns, or, without turns, items.")
@click.option("-r", "--response", is_flag=True, help="Only the text of the last answer.")
@click.option("--raw", is_flag=True, help="Items as they are stored, one a line.")
@click.option("--full", is_flag=True, help="Arguments and outputs of tools in full.")
@common.as_json
@common.quiet
@common.in_store("read")
async def show(
    store: DatabaseStore,
    *,
    session_id: str,
    turn: int | None,
    limit: int,
    response: bool,
    raw: bool,
    full: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Show the conversation ID."""
    info = await store.info(session_id)
    if info is None:
        return common.nothing(f"there is no conversation {session_id!r}")
    found = await _place(store, session_id, turn, limit)
    if found is None:
        return common.nothing(f"conversation {session_id!r} has no turn {turn}")
    if quiet:
        line(clean(session_id))
        return 0
    rows = entries(store, session_id, *found)
    if response:
        return await _response(rows, as_json=as_json)
    transcript = Transcript(full=full)
    if not (as_json or raw or turn):
        _about(info)
    is_damaged = False
    async for entry in rows:
        is_damaged = is_damaged or entry.item is None
        if raw:
            print_json(entry.item)
        elif as_json:
            print_json(_fields(session_id, entry))
        else:
            transcript.write(session_id, entry)
    return DAMAGED if is_damaged else 0


async def _place(
    store: DatabaseStore, session_id: str, turn: int | None, limit: int
) -> tuple[int, int | None] | None:
    """Return the numbers of the first and the last row to show; None if there is no such turn."""
    if turn is not None:
        found = await store.turns(session_id, limit=1, before=turn + 1)
        if not found or found[0].number != turn:
            return None
        return found[0].first_item, found[0].last_item
    turns = await store.turns(session_id, limit=limit)
    if not turns:
        return await first_of(store.backend, session_id, limit), None
    return (turns[0].first_item if len(turns) == limit else 0), None


async def _response(rows: AsyncIterator[Entry], *, as_json: bool) -> int:
    answer = None
    async for entry in rows:
        if entry.item is not None:
            text = said_by(entry.item, "assistant")
            answer = answer if text is None else text
    if answer is None:
        return common.nothing("there is no answer")
    if as_json:
        print_json({"response": answer})
    else:
        line(clean(answer, lines=True))
    return 0


def _fields(session_id: str, entry: Entry) -> dict[str, object]:
    turn = entry.turn
    return {
        "session_id": session_id,
        "number": entry.number,
        "turn": None if turn is None else turn.number,
        "turn_id": None if turn is None else turn.id,
        "item": entry.item,
        "damaged": entry.item is None,
    }


def _about(info: SessionInfo) -> None:
    parts = [clean(info.title or info.session_id)]
    if info.title:
        parts.append(clean(info.session_id))
    if info.owner:
        parts.append(f"owner {clean(info.owner)}")
    parts += [f"#{clean(tag)}" for tag in info.tags]
    parts += [f"{info.turn_count} turns", f"{info.item_count} items", ago(info.updated_at)]
    if info.parent:
        parts.append(f"⑂ {clean(info.parent)} turn {info.parent_turn}")
    line(" · ".join(parts))

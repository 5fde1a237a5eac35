"""``memwrap purge`` and ``memwrap erase``: what removes whole conversations."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from memwrap.cli import common
from memwrap.cli.output import clean, line, plain, print_json
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import Receipt
from memwrap.sessions.records import SessionQuery
from memwrap.sessions.retention import listed

__all__ = ["erase", "purge"]


@click.command()
@click.option("--older-than", help="Those to which nothing was written for that long: 90d, 12h.")
@click.option("--keep-turns", type=click.IntRange(min=1), help="Keep that many turns of each.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@common.everything
@common.as_json
@common.quiet
@common.in_store("change")
async def purge(
    store: DatabaseStore,
    *,
    older_than: str | None,
    keep_turns: int | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Remove what has expired, and what is older.

    With --keep-turns conversations are not removed for their age: each keeps its newest turns.
    """
    seconds = None if older_than is None else common.seconds_of(older_than, "--older-than")
    count = await store.purge(seconds, keep_turns=keep_turns, dry_run=True)
    if count and not dry_run:
        common.ask(f"Remove or shorten {count} conversation(s)?", yes=yes)
        count = await store.purge(seconds, keep_turns=keep_turns)
    if as_json:
        print_json({"sessions": count, "dry_run": dry_run})
    elif not quiet:
        what = "removed" if keep_turns is None else "removed or shortened"
        line(f"{count} conversations {'would be ' if dry_run else ''}{what}")
    return 0


@click.command()
@click.argument("session_id", metavar="[ID]", required=False)
@click.option("--owner", help="All conversations of that owner.")
@click.option("--receipt", metavar="FILE", help="Write the receipt to a file, as JSON.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@common.everything
@common.as_json
@common.quiet
@common.in_store("change")
async def erase(
    store: DatabaseStore,
    *,
    session_id: str | None,
    owner: str | None,
    receipt: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Remove all that there is of an owner, or of the conversation ID."""
    if (session_id is None) is (owner is None):
        raise click.UsageError("pass one of ID and --owner")
    found = await _found(store, session_id, owner)
    if not found and session_id is not None:
        return common.nothing(f"there is no conversation {session_id!r}")
    if not found:
        return common.nothing(f"there is no conversation of owner {owner!r}")
    if dry_run:
        _list(found, as_json=as_json, quiet=quiet)
        return 0
    common.ask(f"Erase {len(found)} conversation(s), for ever?", yes=yes)
    handle = None if receipt is None else _new_file(receipt)
    erased = await store.erase(owner=owner, session_id=session_id)
    if handle is not None:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_text(erased))
    if as_json:
        print_json(erased)
    elif quiet:
        for name in found:
            line(clean(name))
    else:
        line(f"{erased.sessions} conversations, {erased.turns} turns, {erased.items} items erased")
    return 0


async def _found(
    store: DatabaseStore, session_id: str | None, owner: str | None
) -> dict[str, tuple[int, int]]:
    """Return what would be erased: of each session the turns and the items."""
    query = SessionQuery(session_id=session_id, owner=owner, empty=True, expired=True)
    rows = listed(store.backend, query)
    return {row.session_id: (row.turns, row.items) async for row in rows}


def _list(found: dict[str, tuple[int, int]], *, as_json: bool, quiet: bool) -> None:
    for name, (turns, items) in found.items():
        if as_json:
            print_json({"session_id": name, "turns": turns, "items": items, "dry_run": True})
        elif quiet:
            line(clean(name))
        else:
            line(f"{clean(name)}: {turns} turns, {items} items would be erased")


def _new_file(path: str) -> int:
    """Return a new file, so that nothing is erased if the receipt has no place.

    Raises:
        OSError: It is there, or cannot be made.
    """
    return os.open(Path(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _text(receipt: Receipt) -> str:
    fields: dict[str, Any] = plain(receipt)
    return json.dumps(fields, indent=2) + "\n"

"""``memwrap undo``, ``fork`` and ``update``: what changes one conversation."""

from __future__ import annotations

import json
from typing import Any

import click

from memwrap.cli import common
from memwrap.cli.output import clean, line, print_json
from memwrap.exceptions import ConfigurationError
from memwrap.memory.undo import undo as undo_turns
from memwrap.sessions.database_store import DatabaseStore

__all__ = ["fork", "undo", "update"]


@click.command()
@click.argument("session_id", metavar="ID")
@common.count(1, "How many turns.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@common.everything
@common.as_json
@common.quiet
@common.in_store("change")
async def undo(
    store: DatabaseStore,
    *,
    session_id: str,
    limit: int,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Remove the newest turns of the conversation ID.

    With --json their items are written, so that nothing is lost.
    """
    info = await store.info(session_id)
    if info is None or not info.item_count:
        return common.nothing(f"there is no conversation {session_id!r} with items")
    if dry_run:
        turns = [turn.item_count for turn in await store.turns(session_id, limit=limit)]
        counts = {"turns": len(turns), "items": sum(turns), "dry_run": True}
        _say(session_id, counts, "would be removed", as_json=as_json, quiet=quiet)
        return 0
    common.ask(f"Remove the newest {limit} turn(s) of {clean(session_id)}?", yes=yes)
    removed = await undo_turns(store.session(session_id), limit)
    if as_json:
        for turn in removed:
            print_json({"session_id": session_id, "items": turn})
        return 0
    counts = {"turns": len(removed), "items": sum(map(len, removed))}
    _say(session_id, counts, "removed", as_json=False, quiet=quiet)
    return 0


def _say(session_id: str, counts: dict[str, Any], what: str, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json({"session_id": session_id, **counts})
    elif quiet:
        line(clean(session_id))
    else:
        line(f"{clean(session_id)}: {counts['turns']} turns, {counts['items']} items {what}")


@click.command()
@click.argument("session_id", metavar="ID")
@click.argument("new_id", metavar="NEW")
@click.option("--at", metavar="N", help="The newest turn that it has: a number, or a turn's id.")
@common.as_json
@common.quiet
@common.in_store("change")
async def fork(
    store: DatabaseStore,
    *,
    session_id: str,
    new_id: str,
    at: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Make the conversation NEW of the turns of ID, which stays as it is."""
    if await store.info(session_id) is None:
        return common.nothing(f"there is no conversation {session_id!r}")
    turn = int(at) if at is not None and at.isascii() and at.isdecimal() else at
    await store.fork(session_id, new_id, at=turn)
    info = await store.info(new_id)
    if as_json:
        print_json(info)
    elif quiet or info is None:
        line(clean(new_id))
    else:
        line(f"{clean(new_id)}: {info.turn_count} turns, {info.item_count} items")
    return 0


@click.command()
@click.argument("session_id", metavar="ID")
@click.option("--title", help="Its title.")
@click.option("--no-title", is_flag=True, help="Take the title away.")
@click.option("--tag", "tags", multiple=True, help="All its tags from now on, one each time.")
@click.option("--no-tags", is_flag=True, help="Take all tags away.")
@click.option("--owner", help="Whose it is.")
@click.option("--no-owner", is_flag=True, help="Make it nobody's.")
@click.option("--metadata", help="All its metadata: a JSON object.")
@click.option("--no-metadata", is_flag=True, help="Take the metadata away.")
@common.as_json
@common.quiet
@common.in_store("change")
async def update(
    store: DatabaseStore,
    *,
    session_id: str,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Change what is known of the conversation ID; what is left out stays as it is."""
    changes = _changes(given)
    if await store.info(session_id) is None:
        return common.nothing(f"there is no conversation {session_id!r}")
    await store.update(session_id, **changes)
    info = await store.info(session_id)
    if as_json:
        print_json(info)
    elif quiet:
        line(clean(session_id))
    else:
        line(f"{clean(session_id)}: {', '.join(sorted(changes))} changed")
    return 0


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    """Return what to change.

    Raises:
        UsageError: There is nothing to change, or something is set and taken away.
        ConfigurationError: The metadata is no JSON object.
    """
    changes: dict[str, Any] = {}
    for name in ("title", "tags", "owner", "metadata"):
        value, is_taken = given[name] or None, given[f"no_{name}"]
        if is_taken and value is not None:
            raise click.UsageError(f"--no-{name} takes away what is set beside it")
        if is_taken:
            changes[name] = [] if name == "tags" else None
        elif value is not None:
            changes[name] = _object(value) if name == "metadata" else value
    if not changes:
        raise click.UsageError("what is to change? Pass --title, --tag, --owner or --metadata")
    return changes


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ConfigurationError('--metadata is a JSON object, such as \'{"channel": "web"}\'')
    return value

"""``memwrap stats``: how many conversations, turns and tokens there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

import click

from memwrap.cli import common
from memwrap.cli.output import clean, line, number, print_json, table
from memwrap.cli.reading import listed
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import SessionInfo

__all__ = ["stats"]

_HEADS = ("SESSIONS", "TURNS", "ITEMS", "TOKENS IN", "TOKENS OUT")


@click.command()
@click.option("--by", type=click.Choice(["day", "owner"]), help="A line for each.")
@click.option("--prefix", default="", help="Only ids that begin with it.")
@click.option("--owner", help="Only those of that owner.")
@click.option("--since", help="Only those written to since: 7d, 12h, 30m, 2w, or a date.")
@common.as_json
@common.quiet
@common.in_store("read")
async def stats(
    store: DatabaseStore,
    *,
    by: str | None,
    prefix: str,
    owner: str | None,
    since: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Count conversations with their turns, items and tokens."""
    oldest = common.since_time(since)
    counts: dict[str, _Counts] = {}
    async for info in listed(store, prefix=prefix, owner=owner):
        if oldest is not None and info.updated_at < oldest:
            break
        counts.setdefault(_name(info, by), _Counts()).add(info)
    if not counts:
        return common.nothing("no conversation found")
    if as_json:
        for name, count in counts.items():
            print_json({by: name or None, **count.fields()} if by else count.fields())
    elif quiet:
        for name in counts:
            line(clean(name))
    else:
        heads = (*((by.upper(),) if by else ()), *_HEADS)
        rows = [
            (*((clean(name) or "-",) if by else ()), *map(number, count.fields().values()))
            for name, count in counts.items()
        ]
        table(heads, rows, right=range(bool(by), len(heads)))
    return 0


@dataclass
class _Counts:
    sessions: int = 0
    turns: int = 0
    items: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, info: SessionInfo) -> None:
        self.sessions += 1
        self.turns += info.turn_count
        self.items += info.item_count
        if info.usage is not None:
            self.input_tokens += info.usage.input_tokens
            self.output_tokens += info.usage.output_tokens

    def fields(self) -> dict[str, int]:
        return dict(vars(self))


def _name(info: SessionInfo, by: str | None) -> str:
    if by == "owner":
        return info.owner or ""
    return info.updated_at.astimezone(UTC).strftime("%Y-%m-%d") if by == "day" else ""

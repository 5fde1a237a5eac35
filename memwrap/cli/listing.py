"""``memwrap list``: one line of each conversation."""

from __future__ import annotations

import click

from memwrap.cli import common
from memwrap.cli.output import ago, clean, cut, line, number, print_json, table, talk
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import SessionInfo

__all__ = ["list_"]

_HEADS = ("SESSION", "TITLE", "OWNER", "TURNS", "ITEMS", "TOKENS", "UPDATED")


@click.command("list")
@click.option("--prefix", default="", help="Only ids that begin with it.")
@click.option("--owner", help="Only those of that owner.")
@click.option("--tag", help="Only those with that tag.")
@click.option("--since", help="Only those written to since: 7d, 12h, 30m, 2w, or a date.")
@click.option("--after", metavar="ID", help="Go on behind that conversation.")
@common.count(50, "At most that many.")
@common.as_json
@common.quiet
@common.in_store("read")
async def list_(
    store: DatabaseStore,
    *,
    prefix: str,
    owner: str | None,
    tag: str | None,
    since: str | None,
    after: str | None,
    limit: int,
    as_json: bool,
    quiet: bool,
) -> int:
    """List conversations, those with the newest items first."""
    oldest = common.since_time(since)
    found = await store.sessions(prefix, limit + 1, after, owner=owner, tag=tag)
    page = [info for info in found if oldest is None or info.updated_at >= oldest]
    is_more = len(page) > limit
    page = page[:limit]
    if not page:
        return common.nothing("no conversation found")
    if as_json:
        for info in page:
            print_json(info)
    elif quiet:
        for info in page:
            line(clean(info.session_id))
    else:
        table(_HEADS, [_row(info) for info in page], right=(3, 4, 5))
        if is_more:
            talk(f"there are more: -n {2 * limit}, or --after {page[-1].session_id!r}")
    return 0


def _row(info: SessionInfo) -> tuple[str, ...]:
    usage = info.usage
    tokens = 0 if usage is None else usage.input_tokens + usage.output_tokens
    return (
        cut(clean(info.session_id), 40) + (" ⑂" if info.parent else ""),
        cut(clean(info.title or ""), 40),
        cut(clean(info.owner or ""), 20),
        str(info.turn_count),
        str(info.item_count),
        number(tokens) if usage else "",
        ago(info.updated_at),
    )

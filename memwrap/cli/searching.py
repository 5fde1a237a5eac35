"""``memwrap search``: items that have all words of a text."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import count

import click

from memwrap.cli import common
from memwrap.cli.output import clean, dim, line, print_json
from memwrap.cli.reading import entries, listed
from memwrap.codec import encode
from memwrap.exceptions import ConversionError
from memwrap.items import Item
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import SearchHit
from memwrap.sessions.queries import search_query
from memwrap.sessions.snippets import snippet_of
from memwrap.sessions.words import score_of

__all__ = ["search"]


@click.command()
@click.argument("text")
@click.option("--owner", help="Only conversations of that owner.")
@click.option("--prefix", default="", help="Only ids that begin with it.")
@click.option("--index", is_flag=True, help="By the store's index, which is made or completed.")
@common.count(20, "At most that many.")
@common.as_json
@common.quiet
@common.store
@common.on_loop
async def search(
    *,
    url: str,
    text: str,
    owner: str | None,
    prefix: str,
    index: bool,
    limit: int,
    as_json: bool,
    quiet: bool,
) -> int:
    """Find items that hold all words of TEXT, those that fit best first.

    Each item is looked at, and nothing is written. With --index the store's own search is used,
    which is faster the second time.
    """
    if index:
        async with common.opened(url, "change", search=True) as store:
            hits = await store.search(text, prefix=prefix, owner=owner, limit=limit)
    else:
        async with common.opened(url) as store:
            hits = await _looked(store, text, prefix=prefix, owner=owner, limit=limit)
    if not hits:
        return common.nothing("nothing found")
    seen: set[str] = set()
    for hit in hits:
        if as_json:
            print_json(hit)
        elif not quiet:
            turn = "" if hit.turn is None else f":{hit.turn}"
            line(f"{dim(clean(hit.session_id) + turn)}  {clean(hit.snippet)}")
        elif hit.session_id not in seen:
            seen.add(hit.session_id)
            line(clean(hit.session_id))
    return 0


async def _looked(
    store: DatabaseStore, text: str, *, prefix: str, owner: str | None, limit: int
) -> list[SearchHit]:
    """Return what is found by a look at each item, the best first."""
    query = search_query(text, prefix, owner, limit)
    if not query.terms:
        return []
    best: list[tuple[float, int, SearchHit]] = []
    looked, places = 0, count(0, -1)
    with common.progress("conversations") as tell:
        async for info in listed(store, prefix=prefix, owner=owner):
            async for number, item, turn in entries(store, info.session_id):
                score = 0.0 if item is None else _score(item, query.terms)
                if item is not None and score:
                    number_of, id_of = (turn.number, turn.id) if turn else (None, None)
                    snippet = snippet_of(item, text)
                    hit = SearchHit(info.session_id, number_of, id_of, number, snippet, item)
                    heapq.heappush(best, (score, next(places), hit))
                    if len(best) > query.limit:
                        heapq.heappop(best)
            looked += 1
            tell(looked)
    return [hit for _, _, hit in sorted(best, key=lambda one: one[:2], reverse=True)]


def _score(item: Item, terms: Sequence[str]) -> float:
    try:
        return score_of(encode(item), terms)
    except ConversionError:  # a number that only other writers store
        return 0.0

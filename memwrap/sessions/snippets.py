"""What was found, with the words around the place that has what was searched for."""

from __future__ import annotations

import re

from memwrap.items import Item
from memwrap.sessions.backend import Backend
from memwrap.sessions.info import SearchHit
from memwrap.sessions.records import SearchQuery
from memwrap.sessions.rows import decode_row
from memwrap.sessions.words import folded, text_to_search

__all__ = ["hits_of", "snippet_of"]

_AROUND = 60  # characters before and behind
_SPACE = re.compile(r"\s+")


async def hits_of(backend: Backend, query: SearchQuery, text: str) -> list[SearchHit]:
    """Return what a back end finds for a text; nothing for one without words."""
    hits = []
    for found in await backend.search(query) if query.terms else ():
        item = decode_row(found.row)
        if item is not None:
            where = found.session_id, found.turn, found.turn_id, found.number
            hits.append(SearchHit(*where, snippet_of(item, text), item))
    return hits


def snippet_of(item: Item, text: str) -> str:
    """Return some words of *item* around the first place that has a word of *text*."""
    said = text_to_search(item)
    begin = _place(said, text)
    first, last = max(begin - _AROUND, 0), min(begin + len(text) + _AROUND, len(said))
    first = _at_space(said, first, begin) if first else 0
    cut = _SPACE.sub(" ", said[first:last]).strip()
    return f"{'…' if first else ''}{cut}{'…' if last < len(said) else ''}"


def _place(said: str, text: str) -> int:
    """Return where *said* has *text*, or else a word of it."""
    looked_in, places = _folded_with_places(said)
    for looked_for in (folded(text).strip(), *re.findall(r"\w+", folded(text))):
        if looked_for and (found := looked_in.find(looked_for)) >= 0:
            return places[found]
    return 0


def _folded_with_places(said: str) -> tuple[str, range | list[int]]:
    """Return the text to look in, and of each of its characters the place in *said*."""
    if said.isascii():
        return said.lower(), range(len(said))
    parts = [folded(sign) for sign in said]
    return "".join(parts), [place for place, part in enumerate(parts) for _ in part]


def _at_space(said: str, first: int, begin: int) -> int:
    """Return where a word begins between both places, so that none is cut in two."""
    space = said.find(" ", first, begin)
    return first if space < 0 else space + 1

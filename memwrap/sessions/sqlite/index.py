"""The index of words in a SQLite file: made up to date before each search, by whoever searches.

So it holds what any program has stored, and costs a turn nothing. A row's words go with the row.
"""

from __future__ import annotations

import json

from memwrap.sessions.records import Found, SearchQuery
from memwrap.sessions.sqlite.engine import Engine
from memwrap.sessions.sqlite.listing import end_of
from memwrap.sessions.sqlite.words import WIPES_EACH
from memwrap.sessions.words import terms_of

__all__ = ["found_in", "wipe_words"]

_BATCH = 200  # rows whose words are looked for at once: some milliseconds


async def found_in(engine: Engine, query: SearchQuery) -> list[Found]:
    """Return the rows that hold all terms, best first, those of the last moment too."""
    tables = engine.tables
    while rows := await engine.read(tables["not_indexed"], (_BATCH,)):
        words = [(number, " ".join(terms_of(row))) for number, row in rows]
        await engine.write(tables["index"], (json.dumps(words),))
    # Terms have letters and digits only: nothing in them has a meaning of its own.
    match = " AND ".join(f'"{term}"*' for term in query.terms)
    values = (match, query.prefix, end_of(query.prefix), query.owner, query.limit)
    return [Found(*row) for row in await engine.read(tables["search"], values)]


async def wipe_words(engine: Engine) -> None:
    """Leave nothing of removed rows in the index, if the file has one."""
    tables = engine.tables
    if not await engine.read(tables["is_indexed"], (tables.words.lower(),)):
        return
    if not tables.search:  # it may have been made since the file was opened
        await engine.write(tables["trigger_words"], ())
        await engine.write(tables["sweep"], ())
    if not WIPES_EACH:
        await engine.write(tables["wipe"], ())

"""Rows are searched by their terms, which are made here and not on the server.

A server would cut words by a configuration of its own, of which none knows scripts without
spaces, and an extension for parts of words may not be there. The terms are those of every store;
PostgreSQL keeps them as a vector with an inverted index. They are made before a search, by whoever
searches: so rows are found that any program has stored, and a turn takes no time for it.
"""

from __future__ import annotations

from memwrap.sessions.postgres.tables import Tables
from memwrap.sessions.postgres.values import escaped, unescaped
from memwrap.sessions.records import Found, SearchQuery
from memwrap.sessions.words import terms_of

__all__ = ["found_rows"]

_BATCH = 200  # rows whose words are looked for at once: some milliseconds
_LONGEST = 900_000  # bytes of terms that a row is found by: a vector takes no more than 1 MiB


async def found_rows(tables: Tables, query: SearchQuery) -> list[Found]:
    """Return the rows that hold all terms, best first, those of the last moment too."""
    while rows := await tables.fetch("not_indexed", _BATCH):
        terms = [_terms_text(row["body"]) for row in rows]
        ids, numbers = [row["session_id"] for row in rows], [row["seq"] for row in rows]
        await tables.fetch("index", ids, numbers, terms)
    # Terms have letters and digits only: nothing in them has a meaning of its own.
    wanted = " & ".join(f"'{term}':*" for term in query.terms)
    owner = None if query.owner is None else escaped(query.owner)
    values = wanted, query.terms, escaped(query.prefix), owner, query.limit
    return [
        Found(
            unescaped(row["session_id"]),
            row["seq"],
            row["body"],
            row["number"],
            None if row["turn_id"] is None else unescaped(row["turn_id"]),
        )
        for row in await tables.fetch("search", *values)
    ]


def _terms_text(row: bytes) -> str:
    text = " ".join(terms_of(row))
    return text if len(text) <= _LONGEST else text[:_LONGEST].rpartition(" ")[0]

"""The list of sessions: what a query means in SQL, and a session in a row of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from memwrap.sessions.postgres.about_statements import LISTED
from memwrap.sessions.postgres.statements import ALL
from memwrap.sessions.postgres.values import escaped, unescaped
from memwrap.sessions.records import SessionQuery, SessionRow

__all__ = ["list_statement", "row_of"]

_LIVE = "(s.expires_at IS NULL OR s.expires_at > statement_timestamp())"
_KNOWN = "coalesce(s.owner, s.title, s.metadata, s.parent) IS NOT NULL OR s.tags IS NOT NULL"


def list_statement(schema: str, query: SessionQuery) -> tuple[str, list[Any]]:
    """Return the statement that lists sessions, and its parameters behind the tenant.

    Args:
        schema: The schema.
        query: Which sessions; the place to go on behind has a cursor.
    """
    values: list[Any] = []
    tests = ["s.tenant = $1 AND s.tenant || '' = $1"]

    def test(text: str, *given: Any) -> None:
        numbers = [f"${len(values) + 2 + place}" for place in range(len(given))]
        values.extend(given)
        tests.append(text.format(*numbers))

    if query.session_id is not None:
        test("s.session_id = {}", escaped(query.session_id))
    if query.prefix:
        prefix = escaped(query.prefix)
        test("s.session_id >= {} AND starts_with(s.session_id, {})", prefix, prefix)
    if query.owner is not None:
        test("s.owner = {}", escaped(query.owner))
    if query.tag is not None:
        test("{} = ANY (s.tags)", escaped(query.tag))
    if query.after is not None:
        session_id, cursor = query.after
        place = datetime.fromisoformat(cursor), escaped(session_id)
        test("(s.updated_at, s.session_id) < ({}, {})", *place)
    tests.append(f"(s.items > 0 OR {_KNOWN})" if query.empty else "s.items > 0")
    if not query.expired:
        tests.append(_LIVE)
    test("true LIMIT {}", ALL if query.limit is None else query.limit)
    limit = tests.pop().removeprefix("true ")
    sql = (
        f'SELECT {LISTED} FROM "{schema}".sessions AS s WHERE {" AND ".join(tests)}'  # noqa: S608
        f" ORDER BY s.updated_at DESC, s.session_id DESC {limit}"
    )
    return sql, values


def row_of(columns: Sequence[Any]) -> SessionRow:
    """Return a session as a statement has read it."""
    session_id, created_at, updated_at, items, turns, expires_at, owner, tags, *rest = columns
    title, metadata, usage, parent, parent_turn = rest
    return SessionRow(
        unescaped(session_id),
        created_at or updated_at,
        updated_at,
        items,
        turns,
        expires_at,
        None if owner is None else unescaped(owner),
        tuple(map(unescaped, tags or ())),
        title,
        metadata,
        tuple(usage or ()),
        None if parent is None else unescaped(parent),
        parent_turn,
        updated_at.isoformat(),
    )

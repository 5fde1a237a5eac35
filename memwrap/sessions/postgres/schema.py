"""The tables of a schema: made, or checked, by whoever needs them first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from memwrap.exceptions import StoreError
from memwrap.sessions.postgres.failures import is_missing

__all__ = ["VERSION", "Known", "check", "make"]

VERSION = 1
"""The version of the tables, which is kept beside them."""

Known = dict[str, str]
"""What is kept of a schema: its version, and whether it can be searched."""


async def check(fetch: Callable[..., Any], schema: str, place: str) -> Known | None:
    """Return what is known of a schema; None if there is none.

    Args:
        fetch: Runs a statement.
        schema: The schema.
        place: Names the server.

    Raises:
        StoreError: It is of a newer version, or not memwrap's.
    """
    try:
        rows = await fetch(f'SELECT name, value FROM "{schema}".about', ())  # noqa: S608  (checked)
    except StoreError as exc:
        if is_missing(exc):
            return None
        raise
    known = {row[0]: row[1] for row in rows}
    version = known.get("version", "")
    if not version.isdecimal() or int(version) > VERSION:
        raise StoreError(
            f"PostgreSQL at {place}: schema {schema!r} has version {version!r}, and this memwrap"
            f" knows {VERSION}: upgrade memwrap, or choose another schema; nothing was changed"
        )
    return known


async def make(connection: Any, schema: str, *, search: bool) -> None:
    """Make what is missing, in a transaction of *connection*; others wait meanwhile."""
    await connection.fetch("SELECT pg_advisory_xact_lock(hashtext('memwrap ' || $1))", schema)
    there = await connection.fetch(
        "SELECT to_regclass($1 || '.about') IS NOT NULL, to_regnamespace($1) IS NOT NULL",
        f'"{schema}"',
    )
    if not there[0][1]:
        await connection.execute(f'CREATE SCHEMA "{schema}"')
    if not there[0][0]:
        for text in _TABLES:
            await connection.execute(text.replace("<schema>", f'"{schema}"'))
        await connection.execute(
            f'INSERT INTO "{schema}".about VALUES ($1, $2)',  # noqa: S608  (a checked name)
            "version",
            str(VERSION),
        )
    if search:
        for text in _SEARCH:
            await connection.execute(text.replace("<schema>", f'"{schema}"'))


_TABLES = (
    # Ids are compared byte by byte, which is by code points in UTF-8. Rows of sessions change with
    # each turn: with room on its page a row need not be entered in each index again.
    """CREATE TABLE <schema>.sessions (
        tenant text COLLATE "C" NOT NULL,
        session_id text COLLATE "C" NOT NULL,
        life bigint NOT NULL,
        base bigint NOT NULL,
        head bigint NOT NULL,
        version bigint NOT NULL DEFAULT 0,
        items bigint NOT NULL DEFAULT 0,
        turns integer NOT NULL DEFAULT 0,
        number integer NOT NULL DEFAULT 0,
        lease_until timestamptz,
        holder text,
        created_at timestamptz,
        updated_at timestamptz NOT NULL,
        expires_at timestamptz,
        owner text COLLATE "C",
        tags text[] COLLATE "C",
        title text,
        metadata text,
        usage bigint[],
        parent text COLLATE "C",
        parent_turn integer,
        PRIMARY KEY (tenant, session_id)
    ) WITH (fillfactor = 80)""",
    # An expression, so that no server looks for an id in it before it knows the table.
    "CREATE INDEX sessions_by_time ON <schema>.sessions ((tenant || ''), updated_at)",
    """CREATE INDEX sessions_by_owner ON <schema>.sessions (tenant, owner)
        WHERE owner IS NOT NULL""",
    """CREATE INDEX sessions_by_expiry ON <schema>.sessions (tenant, expires_at)
        WHERE expires_at IS NOT NULL""",
    # The record of a turn is on its last row, so that it cannot be left behind.
    """CREATE TABLE <schema>.items (
        tenant text COLLATE "C" NOT NULL,
        session_id text COLLATE "C" NOT NULL,
        seq bigint NOT NULL,
        body bytea NOT NULL,
        token bigint,
        first bigint,
        size integer,
        number integer,
        inputs integer,
        answers integer,
        stored_at timestamptz,
        turn_id text COLLATE "C",
        shape text,
        record text,
        usage bigint[],
        marks text,
        terms tsvector,
        PRIMARY KEY (tenant, session_id, seq)
    )""",
    """CREATE UNIQUE INDEX items_by_token ON <schema>.items (tenant, session_id, token)
        WHERE token IS NOT NULL""",
    """CREATE INDEX items_by_turn ON <schema>.items (tenant, session_id, seq)
        WHERE number IS NOT NULL""",
    # Three texts of 1 KiB are too long for an index.
    """CREATE INDEX items_by_turn_id ON <schema>.items
        (tenant, session_id, hashtextextended(turn_id, 0), seq) WHERE turn_id IS NOT NULL""",
    """CREATE INDEX items_by_marks ON <schema>.items (tenant, session_id, seq)
        WHERE marks IS NOT NULL""",
    """CREATE TABLE <schema>.secrets (
        tenant text COLLATE "C" PRIMARY KEY,
        secret bytea NOT NULL
    )""",
    "CREATE TABLE <schema>.about (name text PRIMARY KEY, value text NOT NULL)",
)

_SEARCH = (
    "CREATE INDEX IF NOT EXISTS items_by_terms ON <schema>.items USING gin (terms)",
    """CREATE INDEX IF NOT EXISTS items_without_terms ON <schema>.items (tenant)
        WHERE terms IS NULL""",
    """INSERT INTO <schema>.about VALUES ('search', 'yes')
        ON CONFLICT (name) DO NOTHING""",
)

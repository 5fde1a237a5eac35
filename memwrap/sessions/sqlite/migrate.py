"""The tables in a file: recognised, refused, created or brought up to date.

The version of each pair of tables is a row of ``memwrap_schema``: SQLite's own ``user_version``
belongs to the whole file, which may hold other tables too.
"""

from __future__ import annotations

import sqlite3

from memwrap.sessions.sqlite.schema import Tables

__all__ = ["MIGRATIONS", "check", "migrate"]

# The statements that lead from each version to the next. Version 0 has no stamp: no tables at
# all, the common session tables alone, or those of memwrap before there was a stamp.
MIGRATIONS = (
    (
        *("create_schema", "create_sessions", "create_messages", "create_index"),
        *("create_turns", "create_turn_ids"),
    ),
    ("create_keys", "add_answers", "add_items"),
    ("add_marks",),
    (
        *("create_about", "create_owners", "create_expiries", "add_number", "add_usage"),
        *("add_metadata", "add_seconds", "add_stored", "number_turns"),
    ),
)

# Columns of the table of turns.
_ADDED = {
    f"add_{column}": column
    for column in (
        *("answers", "items", "marks", "number", "usage", "metadata", "seconds", "stored"),
    )
}


def check(connection: sqlite3.Connection, tables: Tables) -> int:
    """Return the version of the tables in the file, without a change to it.

    Raises:
        sqlite3.Error: A newer memwrap made them, others did, or the file is no database.
    """
    found = _found(connection, tables)
    version = _version(connection, tables) if tables.schema.lower() in found else 0
    if version > len(MIGRATIONS):
        raise sqlite3.DatabaseError(
            f"table {tables.messages} is of version {version}, and this memwrap knows versions"
            f" up to {len(MIGRATIONS)}; upgrade memwrap"
        )
    for name, columns in tables.columns.items():
        if name.lower() in found:
            _check_columns(connection, name, columns)
    return version if len(found) == len(tables.entries) else 0


def migrate(connection: sqlite3.Connection, tables: Tables) -> None:
    """Create the tables, or bring them up to date, in one transaction.

    Raises:
        sqlite3.Error: As for `check`, or the file cannot be written.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in MIGRATIONS[check(connection, tables) :]:
            for statement in statements:
                if not _is_done(connection, tables, statement):
                    connection.execute(tables[statement])
        connection.execute(tables["set_version"], (tables.messages.lower(), len(MIGRATIONS)))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _is_done(connection: sqlite3.Connection, tables: Tables, statement: str) -> bool:
    """Tell whether a column has been added: a file that lost another table is migrated again."""
    columns = connection.execute(f'PRAGMA table_info("{tables.turns}")').fetchall()
    return _ADDED.get(statement) in {name for _, name, *_ in columns}


def _found(connection: sqlite3.Connection, tables: Tables) -> set[str]:
    """Return which of memwrap's tables and indexes are there."""
    entries = {name.lower(): (kind, table.lower()) for kind, name, table in tables.entries}
    found = set()
    rows = connection.execute("SELECT type, name, tbl_name FROM sqlite_master").fetchall()
    for kind, name, table in rows:
        entry = entries.get(name.lower())
        if entry is None or kind == "trigger":  # triggers have names of their own
            continue
        if entry != (kind, table.lower()):
            raise _foreign(f"{kind} {name} is not memwrap's")
        found.add(name.lower())
    return found


def _version(connection: sqlite3.Connection, tables: Tables) -> int:
    _check_columns(connection, tables.schema, tables.columns[tables.schema])
    row = connection.execute(tables["get_version"], (tables.messages.lower(),)).fetchone()
    version: object = 0 if row is None else row[0]
    if not isinstance(version, int):
        raise _foreign(f"table {tables.schema} is not memwrap's: a version is no number")
    return version


def _check_columns(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> None:
    rows = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    there = {name.lower(): (kind.upper(), key) for _, name, kind, _, _, key in rows}
    for column in columns:
        if column not in there:
            raise _foreign(f"table {table} is not memwrap's: it has no column {column}")
    if columns[0] == "id" and there["id"] != ("INTEGER", 1):
        raise _foreign(f"table {table} is not memwrap's: id is not its INTEGER PRIMARY KEY")
    for _, name, _, required, default, _ in rows:
        if required and default is None and name.lower() not in columns:
            raise _foreign(f"table {table} is not memwrap's: column {name} must not be empty")


def _foreign(problem: str) -> sqlite3.DatabaseError:
    return sqlite3.DatabaseError(
        f"{problem}; choose other names with sessions_table= and messages_table="
    )

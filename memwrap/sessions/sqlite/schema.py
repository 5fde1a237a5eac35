"""The tables of the OpenAI Agents SDK, and the statements on them.

A file written by either library opens in the other. What memwrap adds lives in its own connection
only: temporary triggers, which keep the table of sessions in step, so that each operation is one
statement and so atomic without a transaction around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from memwrap.exceptions import ConfigurationError

__all__ = ["Tables"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")

# Later writers sort after earlier ones within a second; the SDK neither reads nor parses times.
_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now')"


@dataclass(frozen=True)
class Tables:
    """A pair of tables and the statements on it.

    Raises:
        ConfigurationError: A name is no plain identifier; names become part of statements.
    """

    sessions: str = "agent_sessions"
    messages: str = "agent_messages"
    _sql: dict[str, str] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        for name in (self.sessions, self.messages):
            if not isinstance(name, str) or not _NAME.match(name):
                raise ConfigurationError(
                    f"a table's name is a letter or _ and then up to 62 letters, digits and _,"
                    f" not {name!r}"
                )
        if self.sessions.lower() == self.messages.lower():
            raise ConfigurationError(f"both tables are named {self.messages!r}")
        names = {"sessions": self.sessions, "messages": self.messages, "now": _NOW}
        sql = {name: text.format(**names) for name, text in _STATEMENTS.items()}
        object.__setattr__(self, "_sql", sql)

    def __getitem__(self, statement: str) -> str:
        return self._sql[statement]

    def insert(self, count: int) -> str:
        """Return the statement that inserts *count* rows."""
        return self["insert"] + ",".join(["(?,?)"] * count)


_STATEMENTS = {
    "create_sessions": """
        CREATE TABLE IF NOT EXISTS {sessions} (
            session_id TEXT PRIMARY KEY,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        )""",
    "create_messages": """
        CREATE TABLE IF NOT EXISTS {messages} (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session_id TEXT NOT NULL,
            message_data TEXT NOT NULL,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            FOREIGN KEY (session_id) REFERENCES {sessions} (session_id) ON DELETE CASCADE
        )""",
    "create_index": """
        CREATE INDEX IF NOT EXISTS idx_{messages}_session_id ON {messages} (session_id, id)""",
    "trigger_insert": """
        CREATE TEMP TRIGGER memwrap_insert AFTER INSERT ON main.{messages} BEGIN
            INSERT INTO {sessions} (session_id, created_at, updated_at)
            VALUES (NEW.session_id, {now}, {now})
            ON CONFLICT (session_id) DO UPDATE SET updated_at = excluded.updated_at;
        END""",
    "trigger_delete": """
        CREATE TEMP TRIGGER memwrap_delete AFTER DELETE ON main.{sessions} BEGIN
            DELETE FROM {messages} WHERE session_id = OLD.session_id;
        END""",
    "insert": "INSERT INTO {messages} (session_id, message_data) VALUES ",
    # One parameter holds all rows, for batches with more rows than a statement has parameters.
    "insert_many": """
        INSERT INTO {messages} (session_id, message_data)
        SELECT ?1, value FROM json_each(?2) ORDER BY key""",
    # The whole history is read as one value and decoded once, which is twice as fast as row by
    # row; as a BLOB, since one wide character would make a wide string of all of it.
    "get": """
        SELECT count(*), CAST('[' || group_concat(message_data) || ']' AS BLOB) FROM (
            SELECT message_data FROM {messages} WHERE session_id = ?1 ORDER BY id)""",
    "get_newest": """
        SELECT count(*), CAST('[' || group_concat(message_data) || ']' AS BLOB) FROM (
            SELECT message_data FROM {messages} WHERE session_id = ?1 AND id >= coalesce((
                SELECT id FROM {messages} WHERE session_id = ?1
                ORDER BY id DESC LIMIT 1 OFFSET ?2 - 1), 0) ORDER BY id)""",
    # As BLOBs too: the error for a text that is no UTF-8 would quote it.
    "get_rows": """
        SELECT id, CAST(message_data AS BLOB) FROM {messages}
        WHERE session_id = ?1 AND id >= coalesce((
            SELECT id FROM {messages} WHERE session_id = ?1
            ORDER BY id DESC LIMIT 1 OFFSET ?2 - 1), 0) ORDER BY id""",
    # A damaged row is not deleted: its content could not be returned.
    "pop": """
        DELETE FROM {messages} WHERE id = (
            SELECT id FROM {messages} WHERE session_id = ? ORDER BY id DESC LIMIT 1)
        AND memwrap_is_item(CAST(message_data AS BLOB))
        RETURNING CAST(message_data AS BLOB)""",
    "newest_id": "SELECT id FROM {messages} WHERE session_id = ? ORDER BY id DESC LIMIT 1",
    "clear": "DELETE FROM {sessions} WHERE session_id = ?",
    # Rows of a writer that keeps no table of sessions; not those added since the clearing.
    "clear_strays": """
        DELETE FROM {messages} WHERE session_id = ?1
        AND NOT EXISTS (SELECT 1 FROM {sessions} WHERE session_id = ?1)""",
    "position": "SELECT updated_at, rowid FROM {sessions} WHERE session_id = ?",
    "list": """
        SELECT session_id, created_at, updated_at,
            (SELECT count(*) FROM {messages} AS m WHERE m.session_id = s.session_id)
        FROM {sessions} AS s
        WHERE session_id >= ?1 AND (?2 IS NULL OR session_id < ?2)
            AND (?3 IS NULL OR (updated_at, rowid) < (?3, ?4))
        ORDER BY updated_at DESC, rowid DESC LIMIT ?5""",
}

"""The statements on the session tables.

Each operation is one statement, and so atomic without a transaction around it: temporary triggers
and views, which live in memwrap's own connection only, do what belongs to it.
"""

from __future__ import annotations

from functools import lru_cache

from memwrap.sessions.rows import BETWEEN
from memwrap.sessions.sqlite.about import ABOUT, ABOUT_PARTS, ABOUT_TEMPORARY
from memwrap.sessions.sqlite.moves import MOVES, MOVES_PARTS, MOVES_TEMPORARY
from memwrap.sessions.sqlite.window import WINDOW, windows
from memwrap.sessions.sqlite.words import WORDS
from memwrap.sessions.turns import STOPPED

__all__ = ["MOST_WINDOWS", "TEMPORARY", "statements"]

MOST_WINDOWS = 8
"""How many windows one statement reads at most."""

_COUNTS = range(1, MOST_WINDOWS + 1)

# Later writers sort after earlier ones within a second; other libraries never parse the times.
_CLOCK = "((julianday('now') - 2440587.5) * 86400.0)"
_ARRAY = f"'[' || group_concat(message_data, '{BETWEEN.decode()}') || ']'"
_JOINED = f"CAST({_ARRAY} AS BLOB)"
_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now')"


# Kept for the few pairs that a program has: it may make an object for each request.
@lru_cache(maxsize=16)
def statements(names: tuple[tuple[str, str], ...], ttl: float | None) -> dict[str, str]:
    """Return the statements, by what they do.

    Args:
        names: The names of tables and indexes.
        ttl: The seconds for which sessions live that are written to; None for ever.
    """
    parts = {part: f'"{name}"' for part, name in names}
    # A file keeps the text of these: it is to be what the other library would have made.
    parts |= {f"plain_{part}": name for part, name in names}
    parts |= {
        "now": _NOW,
        "clock": _CLOCK,
        "array": _ARRAY,
        "joined": _JOINED,
        "stopped": f"'{STOPPED}'",
    }
    parts["expiry"] = "NULL" if ttl is None else f"({_CLOCK} + {ttl!r})"
    # Each may be a part of the next.
    for name, text in (*ABOUT_PARTS.items(), *WINDOW.items(), *MOVES_PARTS.items()):
        parts[name] = text.format(**parts)
    parts["stay"] = "" if ttl is None else _STAY.format(**parts)
    parts["recorded"] = _RECORDED.format(**parts)
    parts["page_of"] = _PAGE.format(**parts)
    found = {name: text.format(**parts) for name, text in (_STATEMENTS | MOVES | WORDS).items()}
    for name, text in ABOUT.items():  # one is within others
        found[name] = text.format(**parts, purged=found.get("purged"))
    return found | {f"windows {count}": windows(parts, count) for count in _COUNTS}


# Of each row of a turn: the record, how many rows the turn had, and the row. In a turn of version
# 1 no question was answered, and its rows were all inserted at once.
_RECORDED = """
        SELECT t.turn_id, t.fingerprint, t.shape, t.inputs, coalesce(t.answers, 0),
            coalesce(t.items, t.last_id + 1 - t.first_id), m.id, CAST(m.message_data AS BLOB)
        FROM {turns} AS t JOIN {messages} AS m
            ON m.session_id = t.session_id AND m.id BETWEEN t.first_id AND t.last_id
        WHERE t.session_id = {live}"""

# The newest rows before a number, at most so many.
_PAGE = """
        SELECT message_data, id FROM {messages}
        WHERE session_id = {live} AND id < ?2 AND id >= coalesce((
            SELECT id FROM {messages} WHERE session_id = ?1 AND id < ?2
            ORDER BY id DESC LIMIT 1 OFFSET ?3 - 1), 0) ORDER BY id"""

# What keeps a session alive that is written to, where sessions expire.
_STAY = """
            INSERT INTO {about} (session_id, expires) VALUES (NEW.session_id, {expiry})
            ON CONFLICT (session_id) DO UPDATE SET expires = excluded.expires;"""

TEMPORARY = (
    *("trigger_insert", "trigger_delete", "view_clear", "trigger_clear", "view_cut"),
    *("trigger_cut", "view_commit", "trigger_commit", *ABOUT_TEMPORARY, *MOVES_TEMPORARY),
)
"""The statements that make the triggers and views of a writing connection."""

_STATEMENTS = {
    "create_schema": """
        CREATE TABLE IF NOT EXISTS {schema} (
            messages TEXT PRIMARY KEY,
            version INTEGER NOT NULL
        ) WITHOUT ROWID""",
    "get_version": "SELECT version FROM {schema} WHERE messages = ?",
    "set_version": """
        INSERT INTO {schema} VALUES (?, ?)
        ON CONFLICT (messages) DO UPDATE SET version = excluded.version""",
    "create_keys": """
        CREATE TABLE IF NOT EXISTS {keys} (
            messages TEXT PRIMARY KEY,
            secret BLOB NOT NULL
        ) WITHOUT ROWID""",
    "get_key": "SELECT CAST(secret AS BLOB) FROM {keys} WHERE messages = ?",
    "make_key": """
        INSERT INTO {keys} VALUES (?1, ?2) ON CONFLICT (messages) DO UPDATE SET secret = secret
        RETURNING CAST(secret AS BLOB)""",
    "create_sessions": """
        CREATE TABLE IF NOT EXISTS {plain_sessions} (
            session_id TEXT PRIMARY KEY,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        )""",
    "create_messages": """
        CREATE TABLE IF NOT EXISTS {plain_messages} (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session_id TEXT NOT NULL,
            message_data TEXT NOT NULL,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            FOREIGN KEY (session_id) REFERENCES {plain_sessions} (session_id) ON DELETE CASCADE
        )""",
    "create_index": """
        CREATE INDEX IF NOT EXISTS {plain_messages_index} ON {plain_messages} (session_id, id)""",
    "create_turns": """
        CREATE TABLE IF NOT EXISTS {turns} (
            session_id TEXT NOT NULL,
            last_id INTEGER NOT NULL,
            first_id INTEGER,
            token TEXT NOT NULL,
            expires REAL,
            turn_id TEXT,
            fingerprint TEXT,
            shape TEXT,
            inputs INTEGER,
            PRIMARY KEY (session_id, last_id)
        ) WITHOUT ROWID""",
    "create_turn_ids": """
        CREATE UNIQUE INDEX IF NOT EXISTS {turns_index}
        ON {turns} (session_id, turn_id) WHERE turn_id IS NOT NULL""",
    "add_answers": "ALTER TABLE {turns} ADD COLUMN answers INTEGER",
    "add_items": "ALTER TABLE {turns} ADD COLUMN items INTEGER",
    "add_marks": "ALTER TABLE {turns} ADD COLUMN marks TEXT",
    "trigger_insert": """
        CREATE TEMP TRIGGER memwrap_insert AFTER INSERT ON main.{messages} BEGIN
            UPDATE {sessions} SET updated_at = {now} WHERE session_id = NEW.session_id;
            INSERT INTO {sessions} (session_id, created_at, updated_at)
            SELECT NEW.session_id, {now}, {now} WHERE changes() = 0;
            {stay}
        END""",
    "trigger_delete": """
        CREATE TEMP TRIGGER memwrap_delete AFTER DELETE ON main.{sessions} BEGIN
            DELETE FROM {messages} WHERE session_id = OLD.session_id;
            DELETE FROM {turns} WHERE session_id = OLD.session_id AND last_id > 0;
        END""",
    # Views to insert into, so that an operation with all its conditions is one statement.
    "view_clear": """
        CREATE TEMP VIEW memwrap_clear AS SELECT NULL AS session_id, NULL AS spared,
            NULL AS whole, NULL AS items, NULL AS turns""",
    # The rows of turns that run go too, and with them their right to be stored.
    "trigger_clear": """
        CREATE TEMP TRIGGER memwrap_clear_all INSTEAD OF INSERT ON memwrap_clear BEGIN
            DELETE FROM {turns} WHERE session_id = NEW.session_id AND (
                last_id > 0 OR token NOT IN (
                    SELECT value FROM json_each(NEW.spared) WHERE value IS NOT NULL));
            DELETE FROM {messages} WHERE session_id = NEW.session_id;
            DELETE FROM {sessions} WHERE session_id = NEW.session_id;
            DELETE FROM {about}
            WHERE session_id = NEW.session_id AND (
                NEW.whole OR owner IS NULL OR expires <= {clock});
            UPDATE {about} SET tags = NULL, title = NULL, metadata = NULL, usage = NULL,
                parent = NULL, parent_turn = NULL WHERE session_id = NEW.session_id;
        END""",
    "view_cut": """
        CREATE TEMP VIEW memwrap_cut AS SELECT
            NULL AS session_id, NULL AS first, NULL AS last, NULL AS count""",
    "trigger_cut": """
        CREATE TEMP TRIGGER memwrap_cut_rows INSTEAD OF INSERT ON memwrap_cut BEGIN
            SELECT RAISE(ABORT, 'memwrap: the history has changed')
            WHERE NEW.count <> (
                SELECT count(*) FROM {messages}
                WHERE session_id = NEW.session_id AND id BETWEEN NEW.first AND NEW.last);
            DELETE FROM {messages}
            WHERE session_id = NEW.session_id AND id BETWEEN NEW.first AND NEW.last;
            DELETE FROM {turns}
            WHERE session_id = NEW.session_id AND last_id >= NEW.first AND first_id <= NEW.last;
        END""",
    "view_commit": """
        CREATE TEMP VIEW memwrap_commit AS SELECT
            NULL AS session_id, NULL AS items, NULL AS lease, NULL AS head, NULL AS token,
            NULL AS turn_id, NULL AS fingerprint, NULL AS shape, NULL AS inputs, NULL AS answers,
            NULL AS marks, NULL AS usage, NULL AS metadata, NULL AS seconds, NULL AS since,
            NULL AS mark""",
    "trigger_commit": """
        CREATE TEMP TRIGGER memwrap_commit_turn INSTEAD OF INSERT ON memwrap_commit BEGIN
            SELECT RAISE(ABORT, 'memwrap: the lease is lost')
            WHERE NEW.lease IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM {turns}
                WHERE session_id = NEW.session_id AND last_id = 0 AND token = NEW.lease);
            SELECT RAISE(ABORT, 'memwrap: the history has changed')
            WHERE NEW.head IS NOT NULL AND NEW.head <> coalesce((
                SELECT max(id) FROM {messages} WHERE session_id = NEW.session_id), 0)
            AND NOT (NEW.head = 0 AND {lapsed});
            SELECT RAISE(ABORT, 'memwrap: the session has been cleared')
            WHERE NEW.since > 0 AND NOT EXISTS (
                SELECT 1 FROM {messages} WHERE session_id = NEW.session_id AND id <= NEW.since)
            OR NEW.since = 0 AND NEW.lease IS NULL AND NOT EXISTS (
                SELECT 1 FROM {turns}
                WHERE session_id = NEW.session_id AND last_id < 0 AND token = NEW.mark);
            DELETE FROM {messages}
            WHERE NEW.turn_id IS NOT NULL AND session_id = NEW.session_id AND id BETWEEN (
                SELECT first_id FROM {turns} WHERE session_id = NEW.session_id
                    AND turn_id = NEW.turn_id AND shape = {stopped})
            AND (
                SELECT last_id FROM {turns} WHERE session_id = NEW.session_id
                    AND turn_id = NEW.turn_id AND shape = {stopped});
            INSERT INTO {messages} (session_id, message_data)
            SELECT NEW.session_id, value FROM json_each(NEW.items) ORDER BY key;
            DELETE FROM {turns}
            WHERE session_id = NEW.session_id AND last_id <= 0 AND token = NEW.token;
            INSERT OR REPLACE INTO {turns}
                (session_id, last_id, first_id, token, turn_id, fingerprint, shape, inputs,
                answers, items, marks, usage, metadata, seconds, stored, number)
            SELECT NEW.session_id, added.last, coalesce(question.first_id, added.first), NEW.token,
                NEW.turn_id, NEW.fingerprint, NEW.shape, NEW.inputs,
                iif(question.first_id, NEW.answers, 0),
                json_array_length(NEW.items) + iif(question.first_id, NEW.answers, 0), NEW.marks,
                NEW.usage, NEW.metadata, NEW.seconds, {clock},
                coalesce(question.number, (
                    SELECT number FROM {turns} WHERE session_id = NEW.session_id AND last_id > 0
                    ORDER BY last_id DESC LIMIT 1) + 1, 1)
            FROM (
                SELECT max(id) AS last, max(id) + 1 - json_array_length(NEW.items) AS first
                FROM {messages} WHERE session_id = NEW.session_id) AS added
            LEFT JOIN {turns} AS question
                ON NEW.answers > 0 AND question.session_id = NEW.session_id
                AND question.last_id = (
                    SELECT max(id) FROM {messages}
                    WHERE session_id = NEW.session_id AND id < added.first)
                AND NEW.answers = coalesce(
                    question.items, question.last_id + 1 - question.first_id);
            DELETE FROM {turns}
            WHERE NEW.answers > 0 AND session_id = NEW.session_id AND last_id < (
                SELECT max(last_id) FROM {turns} WHERE session_id = NEW.session_id)
                AND last_id >= (
                    SELECT first_id FROM {turns} WHERE session_id = NEW.session_id
                    ORDER BY last_id DESC LIMIT 1);
        END""",
    "insert": "INSERT INTO {messages} (session_id, message_data) VALUES ",
    # One parameter holds all rows, for batches with more rows than a statement has parameters.
    "insert_many": """
        INSERT INTO {messages} (session_id, message_data)
        SELECT ?1, value FROM json_each(?2) ORDER BY key""",
    # The whole history is read as one value and decoded once, which is twice as fast as row by
    # row; as a BLOB, since one wide character would make a wide string of all of it.
    "page": "SELECT count(*), {joined}, min(id), max(id) FROM ({page_of})",
    "page_numbered": """
        SELECT count(*), {joined}, min(id), max(id), CAST(group_concat(id) AS BLOB)
        FROM ({page_of})""",
    "count": "SELECT count(*) FROM {messages} WHERE session_id = ? AND id BETWEEN ? AND ?",
    # As BLOBs too: the error for a text that is no UTF-8 would quote it.
    "get_rows": """
        SELECT id, CAST(message_data AS BLOB) FROM {messages}
        WHERE session_id = {live} AND id >= coalesce((
            SELECT id FROM {messages} WHERE session_id = ?1
            ORDER BY id DESC LIMIT 1 OFFSET ?2 - 1), 0) ORDER BY id""",
    "get_page": """
        SELECT id, CAST(message_data AS BLOB) FROM {messages}
        WHERE session_id = {live} AND id < ?2 ORDER BY id DESC LIMIT ?3""",
    # A damaged row is not deleted: its content could not be returned.
    "pop": """
        DELETE FROM {messages} WHERE id = (
            SELECT id FROM {messages} WHERE session_id = {live} ORDER BY id DESC LIMIT 1)
        AND memwrap_is_readable(?2, CAST(message_data AS BLOB))
        RETURNING id, CAST(message_data AS BLOB)""",
    "clear": "INSERT INTO memwrap_clear (session_id, spared, whole) VALUES (?, ?, 0)",
    # The lease of the turn that runs, and what the turn reads. A row whose time is over belongs to
    # whoever comes.
    "begin": "{lease} RETURNING {window}",
    "begin_marked": "{lease} RETURNING {marked_window}, {marks}",
    # With all numbers in it: the driver takes parameters by number if there is no gap.
    "window": "SELECT {window}, ?2, ?3, ?4",
    "window_marked": "SELECT {marked_window}, {marks}, ?2, ?3, ?4",
    # A turn without a lease that began with an empty session has a row too, to be deleted with it.
    "mark": """
        INSERT INTO {turns} (session_id, last_id, token, expires)
        SELECT ?1, min(coalesce(min(last_id), 0), 0) - 1, ?2, {clock} + 86400.0
        FROM {turns} WHERE session_id = ?1""",
    "release_marked": """
        UPDATE {turns} SET last_id = (
            SELECT min(last_id) - 1 FROM {turns} WHERE session_id = ?1), expires = {clock} + 86400.0
        WHERE session_id = ?1 AND last_id = 0 AND token = ?2""",
    "holder": "SELECT token FROM {turns} WHERE session_id = ? AND last_id = 0",
    "renew": """
        UPDATE {turns} SET expires = {clock} + ?3
        WHERE session_id = ?1 AND last_id = 0 AND token = ?2""",
    "release": "DELETE FROM {turns} WHERE session_id = ? AND last_id = 0 AND token = ?",
    "commit": "INSERT INTO memwrap_commit VALUES ",
    "is_stored": """
        SELECT 1 FROM {turns} WHERE session_id = ? AND token = ? AND last_id > 0""",
    "find_turn": "{recorded} AND t.turn_id = ?2 ORDER BY m.id",
    "newest_turn": """{recorded} AND t.last_id = (
            SELECT max(id) FROM {messages} WHERE session_id = ?1) ORDER BY m.id""",
    "turn_ranges": """
        SELECT first_id, last_id FROM {turns}
        WHERE session_id = {live} AND last_id > 0 AND last_id >= ?2 ORDER BY 2""",
    "cut": "INSERT INTO memwrap_cut VALUES (?, ?, ?, ?)",
}

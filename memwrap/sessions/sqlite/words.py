"""The index of words, in SQL."""

from __future__ import annotations

import sqlite3

__all__ = ["WIPES_EACH", "WORDS"]

WIPES_EACH = sqlite3.sqlite_version_info >= (3, 42)
"""Whether SQLite wipes out words when they are deleted; before, the whole index is written anew."""

WORDS = {
    "create_words": """
        CREATE VIRTUAL TABLE IF NOT EXISTS {words}
        USING fts5(words, tokenize = 'ascii', detail = none)""",
    "is_indexed": "SELECT 1 FROM sqlite_master WHERE lower(name) = ?",
    "trigger_words": """
        CREATE TEMP TRIGGER IF NOT EXISTS memwrap_words AFTER DELETE ON main.{messages} BEGIN
            DELETE FROM {words} WHERE rowid = OLD.id;
        END""",
    "not_indexed": """
        SELECT id, CAST(message_data AS BLOB) FROM {messages}
        WHERE id > coalesce((SELECT rowid FROM {words} ORDER BY rowid DESC LIMIT 1), 0)
        ORDER BY id LIMIT ?""",
    # What has been removed meanwhile, or was indexed by another, is left alone.
    "index": """
        INSERT INTO {words} (rowid, words)
        SELECT m.id, json_extract(new.value, '$[1]') FROM json_each(?) AS new
        JOIN {messages} AS m ON m.id = json_extract(new.value, '$[0]')
        WHERE m.id > coalesce((SELECT rowid FROM {words} ORDER BY rowid DESC LIMIT 1), 0)
        ORDER BY m.id""",
    "search": """
        SELECT m.session_id, m.id, CAST(m.message_data AS BLOB), t.number, t.turn_id
        FROM {words} AS w
        JOIN {messages} AS m ON m.id = w.rowid
        LEFT JOIN {about} AS a ON a.session_id = m.session_id
        LEFT JOIN {turns} AS t ON t.session_id = m.session_id AND t.last_id = (
            SELECT min(last_id) FROM {turns}
            WHERE session_id = m.session_id AND last_id > 0 AND last_id >= m.id)
            AND t.first_id <= m.id
        WHERE w.{words} MATCH ?1 AND m.session_id >= ?2 AND (?3 IS NULL OR m.session_id < ?3)
            AND (?4 IS NULL OR a.owner = ?4) AND (a.expires IS NULL OR a.expires > {clock})
        ORDER BY w.rank, m.id DESC LIMIT ?5""",
    "sweep": """
        DELETE FROM {words} WHERE rowid IN (
            SELECT w.rowid FROM {words} AS w LEFT JOIN {messages} AS m ON m.id = w.rowid
            WHERE m.id IS NULL)""",
    # An index that cannot wipe out single words is written anew without them.
    "wipe": "INSERT INTO {words} ({plain_words}) VALUES ('optimize')",
    "wipe_each": "INSERT INTO {words} ({plain_words}, rank) VALUES ('secure-delete', 1)",
}
"""The statements, by what they do."""

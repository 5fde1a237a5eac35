"""What is known of sessions besides their items, in SQL: parts of statements and statements.

It lies in a table of its own, with a row for each session of which something is known. What has
expired counts for nothing, and goes when the session is written to.
"""

from __future__ import annotations

__all__ = ["ABOUT", "ABOUT_PARTS", "ABOUT_TEMPORARY"]

ABOUT_PARTS = {
    # The session of a statement's first parameter, or none if it has expired. To be compared with,
    # so that each statement looks it up once and not for each row.
    "live": """(
        SELECT ?1 WHERE NOT EXISTS (
            SELECT 1 FROM {about} WHERE session_id = ?1 AND expires <= {clock}))""",
    "lapsed": """EXISTS (
        SELECT 1 FROM {about} WHERE session_id = NEW.session_id AND expires <= {clock})""",
    # What is left of an expired session that is written to.
    "leave": """
        DELETE FROM {sessions} WHERE session_id = NEW.session_id AND {lapsed};
        DELETE FROM {about} WHERE session_id = NEW.session_id AND expires <= {clock}""",
    "spent": """json_array(
        coalesce(json_extract({about}.usage, '$[0]'), 0) + json_extract(excluded.usage, '$[0]'),
        coalesce(json_extract({about}.usage, '$[1]'), 0) + json_extract(excluded.usage, '$[1]'),
        coalesce(json_extract({about}.usage, '$[2]'), 0) + json_extract(excluded.usage, '$[2]'),
        coalesce(json_extract({about}.usage, '$[3]'), 0) + json_extract(excluded.usage, '$[3]'),
        coalesce(json_extract({about}.usage, '$[4]'), 0) + json_extract(excluded.usage, '$[4]'))""",
    # Of a turn that was stored before there were times, that of its last item.
    "stored": """coalesce(t.stored, (
        SELECT (julianday(created_at) - 2440587.5) * 86400.0 FROM {messages}
        WHERE id = t.last_id), 0.0)""",
    "turn": """
        t.turn_id, t.fingerprint, t.shape, t.inputs, coalesce(t.answers, 0),
        coalesce(t.marks, ''), t.usage, coalesce(t.metadata, ''), coalesce(t.seconds, 0.0),
        t.number, t.first_id, t.last_id, coalesce(t.items, t.last_id + 1 - t.first_id), {stored}""",
    # Other programs may have written any times: as BLOBs none fails, and none is NULL. What does
    # not begin with a digit is no time.
    "line": """
        coalesce(s.session_id, a.session_id) AS session_id, CAST(s.created_at AS BLOB),
        CAST(s.updated_at AS BLOB), a.expires, a.owner, a.tags, a.title, a.metadata, a.usage,
        a.parent, a.parent_turn, coalesce(s.updated_at, '') AS at, coalesce(s.rowid, 0) AS place""",
    # ?1 to ?3 the prefix, its end and the owner, ?4 and ?5 a tag as it stands in the list, first or
    # not; ?6 whether those that have expired are listed; ?7 and ?8 the place to go on behind.
    "wanted": """
        coalesce(s.session_id, a.session_id) >= ?1
        AND (?2 IS NULL OR coalesce(s.session_id, a.session_id) < ?2)
        AND (?3 IS NULL OR a.owner = ?3)
        AND (?4 IS NULL OR instr(a.tags, ?4) OR instr(a.tags, ?5))
        AND (?6 OR a.expires IS NULL OR a.expires > {clock})
        AND (?7 IS NULL OR (coalesce(s.updated_at, ''), coalesce(s.rowid, 0)) < (?7, ?8))
        ORDER BY at DESC, place DESC LIMIT ?9""",
    "counted": """
        SELECT page.*,
            (SELECT count(*) FROM {messages} AS m WHERE m.session_id = page.session_id),
            (SELECT count(*) FROM {turns} AS t
                WHERE t.session_id = page.session_id AND t.last_id > 0)""",
    "page_end": "AS page ORDER BY at DESC, place DESC",
}
"""The parts, by name; each may be a part of the next."""

ABOUT = {
    "create_about": """
        CREATE TABLE IF NOT EXISTS {about} (
            session_id TEXT PRIMARY KEY,
            owner TEXT,
            tags TEXT,
            title TEXT,
            metadata TEXT,
            usage TEXT,
            parent TEXT,
            parent_turn INTEGER,
            expires REAL
        ) WITHOUT ROWID""",
    "create_owners": """
        CREATE INDEX IF NOT EXISTS {about_owners} ON {about} (owner) WHERE owner IS NOT NULL""",
    "create_expiries": """
        CREATE INDEX IF NOT EXISTS {about_expiries} ON {about} (expires)
        WHERE expires IS NOT NULL""",
    "add_number": "ALTER TABLE {turns} ADD COLUMN number INTEGER",
    "add_usage": "ALTER TABLE {turns} ADD COLUMN usage TEXT",
    "add_metadata": "ALTER TABLE {turns} ADD COLUMN metadata TEXT",
    "add_seconds": "ALTER TABLE {turns} ADD COLUMN seconds REAL",
    "add_stored": "ALTER TABLE {turns} ADD COLUMN stored REAL",
    "number_turns": """
        UPDATE {turns} SET number = counted.number FROM (
            SELECT session_id, last_id,
                row_number() OVER (PARTITION BY session_id ORDER BY last_id) AS number
            FROM {turns} WHERE last_id > 0) AS counted
        WHERE {turns}.session_id = counted.session_id AND {turns}.last_id = counted.last_id
            AND {turns}.number IS NULL""",
    # Before the first new row of an expired session the old ones go.
    "trigger_leave": """
        CREATE TEMP TRIGGER memwrap_leave BEFORE INSERT ON main.{messages} WHEN {lapsed} BEGIN
            {leave};
        END""",
    "trigger_spent": """
        CREATE TEMP TRIGGER memwrap_spent INSTEAD OF INSERT ON memwrap_commit
        WHEN NEW.usage IS NOT NULL BEGIN
            INSERT INTO {about} (session_id, usage) VALUES (NEW.session_id, NEW.usage)
            ON CONFLICT (session_id) DO UPDATE SET usage = {spent};
        END""",
    "view_update": """
        CREATE TEMP VIEW memwrap_update AS SELECT NULL AS session_id, NULL AS which,
            NULL AS owner, NULL AS tags, NULL AS title, NULL AS metadata""",
    "trigger_update": """
        CREATE TEMP TRIGGER memwrap_update_one INSTEAD OF INSERT ON memwrap_update BEGIN
            {leave};
            INSERT INTO {about} (session_id, owner, tags, title, metadata, expires)
            VALUES (NEW.session_id, NEW.owner, NEW.tags, NEW.title, NEW.metadata, {expiry})
            ON CONFLICT (session_id) DO UPDATE SET
                owner = iif(instr(NEW.which, 'owner'), excluded.owner, owner),
                tags = iif(instr(NEW.which, 'tags'), excluded.tags, tags),
                title = iif(instr(NEW.which, 'title'), excluded.title, title),
                metadata = iif(instr(NEW.which, 'metadata'), excluded.metadata, metadata),
                expires = coalesce(excluded.expires, expires);
            DELETE FROM {about}
            WHERE session_id = NEW.session_id
                AND coalesce(owner, tags, title, metadata, parent, usage) IS NULL
                AND (expires IS NULL OR NOT EXISTS (
                    SELECT 1 FROM {sessions} WHERE session_id = NEW.session_id));
        END""",
    "update": "INSERT INTO memwrap_update VALUES (?, ?, ?, ?, ?, ?)",
    "position": """
        SELECT coalesce(s.updated_at, ''), coalesce(s.rowid, 0)
        FROM (SELECT ?1 AS id) AS x
        LEFT JOIN {sessions} AS s ON s.session_id = x.id
        LEFT JOIN {about} AS a ON a.session_id = x.id
        WHERE coalesce(s.session_id, a.session_id) IS NOT NULL""",
    # The page is found among the sessions alone, of which there may be many.
    "list": """{counted} FROM (
            SELECT {line} FROM (
                SELECT session_id, rowid AS id, coalesce(updated_at, '') AS time
                FROM {sessions} AS one
                WHERE session_id >= ?1 AND (?2 IS NULL OR session_id < ?2) AND ?3 IS NULL
                    AND (?4 IS NULL OR (
                        SELECT instr(tags, ?4) OR instr(tags, ?5) FROM {about}
                        WHERE session_id = one.session_id))
                    AND (?6 OR session_id NOT IN (
                        SELECT session_id FROM {about} WHERE expires <= {clock}))
                    AND (?7 IS NULL OR (coalesce(updated_at, ''), rowid) < (?7, ?8))
                ORDER BY time DESC, id DESC LIMIT ?9) AS found
            JOIN {sessions} AS s ON s.rowid = found.id
            LEFT JOIN {about} AS a ON a.session_id = found.session_id) {page_end}""",
    "list_owned": """{counted} FROM (
            SELECT {line} FROM {about} AS a LEFT JOIN {sessions} AS s USING (session_id)
            WHERE a.owner = ?3 AND {wanted}) {page_end}""",
    "list_every": """{counted} FROM (
            SELECT {line} FROM (
                SELECT session_id AS id FROM {sessions} UNION SELECT session_id FROM {about}) AS x
            LEFT JOIN {sessions} AS s ON s.session_id = x.id
            LEFT JOIN {about} AS a ON a.session_id = x.id WHERE {wanted}) {page_end}""",
    "list_one": """{counted} FROM (
            SELECT {line} FROM (SELECT ?10 AS id) AS x
            LEFT JOIN {sessions} AS s ON s.session_id = x.id
            LEFT JOIN {about} AS a ON a.session_id = x.id WHERE {wanted}) {page_end}""",
    "turns": """
        SELECT * FROM (
            SELECT {turn} FROM {turns} AS t
            WHERE t.session_id = {live} AND t.last_id > 0 AND (?2 IS NULL OR t.number < ?2)
            ORDER BY t.last_id DESC LIMIT ?3)
        ORDER BY 12""",
    "erase": """
        INSERT INTO memwrap_clear (session_id, spared, whole, items, turns)
        SELECT ?1, '[]', 1,
            (SELECT count(*) FROM {messages} WHERE session_id = ?1),
            (SELECT count(*) FROM {turns} WHERE session_id = ?1 AND last_id > 0)
        WHERE EXISTS (SELECT 1 FROM {messages} WHERE session_id = ?1)
            OR EXISTS (SELECT 1 FROM {sessions} WHERE session_id = ?1)
            OR EXISTS (SELECT 1 FROM {turns} WHERE session_id = ?1)
            OR EXISTS (SELECT 1 FROM {about} WHERE session_id = ?1)
        RETURNING items, turns""",
    # ?1 the seconds after which a session is old, or NULL; ?2 the most.
    "purged": """
        SELECT gone.session_id FROM (
            SELECT session_id FROM {about} WHERE expires <= {clock}
            UNION
            SELECT session_id FROM {sessions}
            WHERE ?1 IS NOT NULL AND updated_at GLOB '[0-9]*'
                AND updated_at < strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || ?1 || ' seconds'))
            AS gone
        WHERE NOT EXISTS (
            SELECT 1 FROM {turns} AS t
            WHERE t.session_id = gone.session_id AND t.last_id = 0 AND t.expires > {clock})
        LIMIT ?2""",
    "count_purged": "SELECT count(*) FROM ({purged})",
    "purge": """
        INSERT INTO memwrap_clear (session_id, spared, whole)
        SELECT session_id, '[]', 1 FROM ({purged}) RETURNING 1""",
}
"""The statements, by what they do."""

ABOUT_TEMPORARY = ("trigger_leave", "trigger_spent", "view_update", "trigger_update")
"""Those that make the triggers and views of a writing connection."""

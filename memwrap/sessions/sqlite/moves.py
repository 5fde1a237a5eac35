"""Sessions that are copied, in SQL: within the file to a new id, and from other stores."""

from __future__ import annotations

__all__ = ["MOVES", "MOVES_PARTS", "MOVES_TEMPORARY"]

MOVES = {
    "view_fork": """
        CREATE TEMP VIEW memwrap_fork AS
        SELECT NULL AS session_id, NULL AS parent, NULL AS number, NULL AS turn_id""",
    # A fork that is there already is left as it is; what it was made of may have grown since. Each
    # row is looked at once, for a turn that ends with it (CROSS JOIN keeps that order).
    "trigger_fork": """
        CREATE TEMP TRIGGER memwrap_fork_one INSTEAD OF INSERT ON memwrap_fork BEGIN
            {leave};
            SELECT RAISE(ABORT, 'memwrap: missing') WHERE NOT EXISTS (
                SELECT 1 FROM {messages} WHERE session_id = NEW.parent)
            OR EXISTS (
                SELECT 1 FROM {about} WHERE session_id = NEW.parent AND expires <= {clock})
            OR coalesce(NEW.number, NEW.turn_id) IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM {turns} WHERE session_id = NEW.parent AND last_id > 0
                    AND (number = NEW.number OR turn_id = NEW.turn_id));
            SELECT RAISE(IGNORE) WHERE EXISTS (
                SELECT 1 FROM {about} WHERE session_id = NEW.session_id AND parent = NEW.parent
                    AND (coalesce(NEW.number, NEW.turn_id) IS NULL OR parent_turn = (
                        SELECT number FROM {turns}
                        WHERE session_id = NEW.parent AND last_id > 0
                            AND (number = NEW.number OR turn_id = NEW.turn_id))));
            SELECT RAISE(ABORT, 'memwrap: taken') WHERE EXISTS (
                SELECT 1 FROM {messages} WHERE session_id = NEW.session_id)
            OR EXISTS (
                SELECT 1 FROM {about}
                WHERE session_id = NEW.session_id AND parent IS NOT NULL);
            INSERT OR REPLACE INTO {about} (
                session_id, owner, tags, title, metadata, parent, parent_turn, expires)
            SELECT NEW.session_id, a.owner, a.tags, a.title, a.metadata, NEW.parent, (
                SELECT number FROM {turns} WHERE session_id = NEW.parent AND last_id > 0
                    AND iif(coalesce(NEW.number, NEW.turn_id) IS NULL, 1,
                        number = NEW.number OR turn_id = NEW.turn_id)
                ORDER BY last_id DESC LIMIT 1), coalesce({expiry}, a.expires)
            FROM (SELECT NEW.parent AS id) AS x LEFT JOIN {about} AS a ON a.session_id = x.id;
            INSERT INTO {messages} (session_id, message_data)
            SELECT NEW.session_id, message_data FROM {messages}
            WHERE session_id = NEW.parent AND id <= {fork_end} ORDER BY id;
            INSERT INTO {turns} (
                session_id, last_id, first_id, token, turn_id, fingerprint, shape, inputs,
                answers, items, number, usage, metadata, seconds, stored)
            SELECT NEW.session_id, row.new, row.new + 1 - (
                    SELECT count(*) FROM {messages}
                    WHERE session_id = NEW.parent AND id BETWEEN t.first_id AND t.last_id),
                t.token, t.turn_id, t.fingerprint, t.shape, t.inputs, t.answers, t.items,
                t.number, t.usage, t.metadata, t.seconds, t.stored
            FROM {fork_ids} AS row CROSS JOIN {turns} AS t
            WHERE t.session_id = NEW.parent AND t.last_id = row.id;
        END""",
    "fork": "INSERT INTO memwrap_fork VALUES (?, ?, ?, ?)",
    "export": """
        SELECT id, CAST(message_data AS BLOB) FROM {messages}
        WHERE session_id = {live} AND id > ?2 ORDER BY id LIMIT ?3""",
    "export_turns": """
        SELECT * FROM (
            SELECT {turn} FROM {turns} AS t
            WHERE t.session_id = ?1 AND t.last_id > 0 AND t.last_id BETWEEN ?2 AND ?3
                AND coalesce(t.items, t.last_id + 1 - t.first_id) = (
                    SELECT count(*) FROM {messages} AS m
                    WHERE m.session_id = ?1 AND m.id BETWEEN t.first_id AND t.last_id))
        ORDER BY 12""",
    "view_bring": """
        CREATE TEMP VIEW memwrap_bring AS SELECT NULL AS session_id, NULL AS place,
            NULL AS items, NULL AS turns, NULL AS created_at, NULL AS updated_at, NULL AS owner,
            NULL AS tags, NULL AS title, NULL AS metadata, NULL AS usage, NULL AS parent,
            NULL AS parent_turn, NULL AS expires""",
    # JSON ends a text at a NUL, which an id may hold: there it stands as a sign and a digit.
    "trigger_bring": """
        CREATE TEMP TRIGGER memwrap_bring_one INSTEAD OF INSERT ON memwrap_bring BEGIN
            {leave};
            SELECT RAISE(ABORT, 'memwrap: another place') WHERE NEW.place <> (
                SELECT count(*) FROM {messages} WHERE session_id = NEW.session_id);
            INSERT OR REPLACE INTO {about} (
                session_id, owner, tags, title, metadata, usage, parent, parent_turn, expires)
            VALUES (NEW.session_id, NEW.owner, NEW.tags, NEW.title, NEW.metadata, NEW.usage,
                NEW.parent, NEW.parent_turn, coalesce({expiry}, NEW.expires));
            DELETE FROM {about}
            WHERE session_id = NEW.session_id
                AND coalesce(owner, tags, title, metadata, usage, parent, expires) IS NULL;
            INSERT INTO {messages} (session_id, message_data)
            SELECT NEW.session_id, value FROM json_each(NEW.items) ORDER BY key;
            INSERT OR REPLACE INTO {turns} (
                session_id, last_id, first_id, token, turn_id, fingerprint, shape, inputs,
                answers, marks, usage, metadata, seconds, number, items, stored)
            SELECT NEW.session_id, moved.last_id, iif(
                    json_extract(moved.value, '$[10]') <= json_extract(moved.value, '$[0]') + 1,
                    moved.last_id + 1 - json_extract(moved.value, '$[10]'), (
                        SELECT id FROM (
                            SELECT id, row_number() OVER (ORDER BY id DESC) AS back FROM {messages}
                            WHERE session_id = NEW.session_id AND id <= moved.last_id)
                        WHERE back = json_extract(moved.value, '$[10]'))),
                '', replace(replace(json_extract(moved.value, '$[1]'),
                    char(26) || '0', char(0)), char(26) || '1', char(26)),
                json_extract(moved.value, '$[2]'), json_extract(moved.value, '$[3]'),
                json_extract(moved.value, '$[4]'), json_extract(moved.value, '$[5]'), NULL,
                json_extract(moved.value, '$[6]'), json_extract(moved.value, '$[7]'),
                json_extract(moved.value, '$[8]'), json_extract(moved.value, '$[9]'),
                json_extract(moved.value, '$[10]'), json_extract(moved.value, '$[11]')
            FROM (
                SELECT value, added.last + 1 - json_array_length(NEW.items)
                    + json_extract(value, '$[0]') AS last_id
                FROM json_each(NEW.turns), (
                    SELECT max(id) AS last FROM {messages} WHERE session_id = NEW.session_id)
                    AS added) AS moved;
            UPDATE {sessions} SET created_at = NEW.created_at, updated_at = NEW.updated_at
            WHERE session_id = NEW.session_id;
        END""",
    "bring": "INSERT INTO memwrap_bring VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
}
"""The statements, by what they do."""

MOVES_PARTS = {
    "fork_end": """(
        SELECT iif(coalesce(NEW.number, NEW.turn_id) IS NULL, 9223372036854775807, (
            SELECT last_id FROM {turns} WHERE session_id = NEW.parent AND last_id > 0
                AND (number = NEW.number OR turn_id = NEW.turn_id))))""",
    # The numbers of the rows that were copied, and those of the copies, which have no gaps.
    "fork_ids": """(
        SELECT id, row_number() OVER (ORDER BY id) + (
                SELECT min(id) FROM {messages} WHERE session_id = NEW.session_id) - 1 AS new
        FROM {messages} WHERE session_id = NEW.parent AND id <= {fork_end})""",
}
"""The parts, by name; each may be a part of the next."""

MOVES_TEMPORARY = ("view_fork", "trigger_fork", "view_bring", "trigger_bring")
"""Those that make the triggers and views of a writing connection."""

"""The statements on whole sessions: described, listed, branched, moved, removed and searched."""

from __future__ import annotations

__all__ = ["ABOUT", "ABOUT_PARTS", "LISTED"]

LISTED = """s.session_id, s.created_at, s.updated_at, s.items, s.turns, s.expires_at, s.owner,
            s.tags, s.title, s.metadata, s.usage, s.parent, s.parent_turn"""
"""What is read of each session that is listed."""

ABOUT = {
    # $3 the owner, $4 the tags, $5 the title, $6 the metadata, $7 the names of those that change.
    "update": """
        INSERT INTO <sessions> AS s (tenant, session_id, life, base, head, updated_at, expires_at,
            owner, tags, title, metadata)
        VALUES ($1, $2, <fresh>, <fresh>, <fresh>, <now>, <now> + $8::interval, $3, $4, $5, $6)
        ON CONFLICT (tenant, session_id) DO UPDATE SET
            owner = CASE WHEN 'owner' = ANY ($7::text[]) THEN excluded.owner ELSE s.owner END,
            tags = CASE WHEN 'tags' = ANY ($7) THEN excluded.tags ELSE s.tags END,
            title = CASE WHEN 'title' = ANY ($7) THEN excluded.title ELSE s.title END,
            metadata = CASE WHEN 'metadata' = ANY ($7) THEN excluded.metadata ELSE s.metadata END,
            updated_at = CASE WHEN s.items > 0 THEN s.updated_at ELSE excluded.updated_at END,
            expires_at = coalesce(excluded.expires_at, s.expires_at)
        WHERE <live>
        RETURNING 1""",
    # $3 the new id, $4 the number of the newest turn to take or $5 its id; both NULL for all rows.
    "fork": """
        WITH before AS (
            SELECT s.* FROM <sessions> AS s WHERE <skey> AND <live> AND s.items > 0),
        turn AS (
            SELECT i.number, i.seq FROM <items> AS i
            WHERE <ikey> AND <alive> AND i.number IS NOT NULL
                AND ($4::int IS NULL OR i.number = $4) AND ($5::text IS NULL OR i.turn_id = $5)
            ORDER BY i.seq DESC LIMIT 1),
        source AS (
            SELECT i.*, row_number() OVER (ORDER BY i.seq) AS place FROM <items> AS i
            WHERE <ikey> AND <alive> AND CASE WHEN $4::int IS NULL AND $5::text IS NULL
                THEN true ELSE i.seq <= (SELECT seq FROM turn) END),
        size AS (SELECT count(*) AS rows, count(whole.number) AS turns FROM source
            LEFT JOIN (SELECT b.seq, b.number FROM source AS b JOIN source AS a ON a.seq = b.first
                WHERE b.number IS NOT NULL) AS whole ON whole.seq = source.seq),
        made AS (
            INSERT INTO <sessions> AS s (tenant, session_id, life, base, head, version, items,
                turns, number, created_at, updated_at, expires_at, owner, tags, title, metadata,
                parent, parent_turn)
            SELECT $1, $3, <fresh>, <fresh>, <fresh> + size.rows, 1, size.rows, size.turns,
                coalesce(turn.number, 0), <now>, <now>,
                coalesce(<now> + $6::interval, b.expires_at), b.owner, b.tags, b.title, b.metadata,
                $2, turn.number
            FROM before AS b CROSS JOIN size LEFT JOIN turn ON true
            WHERE turn.number IS NOT NULL OR $4::int IS NULL AND $5::text IS NULL
            ON CONFLICT (tenant, session_id) DO UPDATE SET
                head = s.head + excluded.items, version = s.version + 1, items = excluded.items,
                turns = excluded.turns, number = excluded.number, created_at = excluded.created_at,
                updated_at = excluded.updated_at, expires_at = excluded.expires_at,
                owner = excluded.owner, tags = excluded.tags, title = excluded.title,
                metadata = excluded.metadata, parent = excluded.parent,
                parent_turn = excluded.parent_turn
            WHERE <live> AND s.items = 0 AND s.parent IS NULL
            RETURNING s.head),
        copied AS (
            INSERT INTO <items> (tenant, session_id, seq, body, terms, token, turn_id, shape,
                inputs, answers, record, usage, marks, first, size, number, stored_at)
            SELECT $1, $3, m.head - size.rows + i.place, i.body, i.terms, i.token,
                CASE WHEN f.place > 0 THEN i.turn_id END, CASE WHEN f.place > 0 THEN i.shape END,
                CASE WHEN f.place > 0 THEN i.inputs END, CASE WHEN f.place > 0 THEN i.answers END,
                CASE WHEN f.place > 0 THEN i.record END, CASE WHEN f.place > 0 THEN i.usage END,
                NULL, m.head - size.rows + f.place, CASE WHEN f.place > 0 THEN i.size END,
                CASE WHEN f.place > 0 THEN i.number END,
                CASE WHEN f.place > 0 THEN i.stored_at END
            FROM made AS m CROSS JOIN size CROSS JOIN source AS i
            LEFT JOIN source AS f ON f.seq = i.first)
        SELECT EXISTS (SELECT 1 FROM made) AS is_made,
            EXISTS (SELECT 1 FROM before) AND
                (turn.number IS NOT NULL OR $4::int IS NULL AND $5::text IS NULL) AS is_there,
            turn.number, s.session_id IS NOT NULL AND NOT <live> AS is_expired, s.parent,
            s.parent_turn, s.items
        FROM (SELECT 1) AS one LEFT JOIN turn ON true
        LEFT JOIN <sessions> AS s ON s.tenant = $1 AND s.session_id = $3""",
    # $3 the number behind which the rows are, $4 how many. Of each its turn, if that is whole.
    "export": """
        SELECT <t_record>, t.last, i.seq, i.body FROM <sessions> AS s CROSS JOIN LATERAL (
            SELECT * FROM <items> WHERE <key> AND seq > greatest(s.life, $3)
            ORDER BY seq LIMIT $4) AS i
        LEFT JOIN LATERAL (
            SELECT i.turn_id, i.shape, i.inputs, i.answers, i.record, i.usage, i.marks, i.first,
                i.size, i.number, i.stored_at, i.seq AS last
            WHERE i.number IS NOT NULL AND i.size = (
                SELECT count(*) FROM <items> WHERE <key> AND seq BETWEEN i.first AND i.seq)
            ) AS t ON true
        WHERE <skey> AND <live> ORDER BY i.seq""",
    # $3 the rows, $4 how many rows the session has to have; of the session $5 to
    # $13; of the turns $14 to $24, each an array.
    "insert": """
        WITH raised AS (
            INSERT INTO <sessions> AS s (tenant, session_id, life, base, head, version, items,
                turns, number, created_at, updated_at, expires_at, owner, tags, title, metadata,
                usage, parent, parent_turn)
            SELECT $1, $2, <fresh>, <fresh>, <fresh> + cardinality($3::bytea[]), 1,
                cardinality($3::bytea[]), cardinality($14::int[]),
                coalesce(($16::int[])[cardinality($14::int[])], 0), $5::timestamptz,
                $6::timestamptz, coalesce(<now> + $25::interval, $7::timestamptz), $8::text,
                $9::text[], $10::text, $11::text, $12::bigint[], $13::text, $26::int
            WHERE $4::bigint = 0 OR EXISTS (SELECT 1 FROM <sessions> WHERE <key>)
            ON CONFLICT (tenant, session_id) DO UPDATE SET
                head = s.head + excluded.items, version = s.version + 1,
                items = s.items + excluded.items, turns = s.turns + excluded.turns,
                number = greatest(s.number, excluded.number), created_at = excluded.created_at,
                updated_at = excluded.updated_at, expires_at = excluded.expires_at,
                owner = excluded.owner, tags = excluded.tags, title = excluded.title,
                metadata = excluded.metadata, usage = excluded.usage, parent = excluded.parent,
                parent_turn = excluded.parent_turn
            WHERE <live> AND s.items = $4
            RETURNING s.head, s.life),
        moved AS (
            SELECT t.*, r.head - cardinality($3::bytea[]) + 1 + t.place AS seq,
                CASE WHEN t.size <= t.place + 1
                    THEN r.head - cardinality($3::bytea[]) + 2 + t.place - t.size
                    ELSE (
                        SELECT i.seq FROM <items> AS i WHERE <ikey> AND i.seq > r.life
                        ORDER BY i.seq DESC LIMIT 1 OFFSET t.size - t.place - 2) END AS first
            FROM raised AS r, unnest($14::int[], $15::int[], $16::int[], $17::timestamptz[],
                $18::text[], $19::text[], $20::int[], $21::int[], $22::text[], $23::text[],
                $24::text[]) AS t (place, size, number, stored_at, turn_id, shape, inputs, answers,
                    record, usage, marks)),
        added AS (
            INSERT INTO <items> (tenant, session_id, seq, body, <record>)
            SELECT $1, $2, r.head - cardinality($3::bytea[]) + u.place, u.body, m.turn_id,
                m.shape, m.inputs,
                m.answers, m.record, m.usage::bigint[], m.marks, m.first, m.size, m.number,
                m.stored_at
            FROM raised AS r CROSS JOIN
                unnest($3::bytea[]) WITH ORDINALITY AS u (body, place)
            LEFT JOIN moved AS m ON m.place + 1 = u.place)
        SELECT raised.head IS NOT NULL AS done, s.session_id IS NOT NULL AND NOT <live> AS expired
        FROM (SELECT 1) AS one LEFT JOIN raised ON true LEFT JOIN <sessions> AS s ON <skey>""",
    # $2 the seconds after which a session is old, or NULL; $3 the most. A session of which nothing
    # is known belongs to a turn that stored nothing: it goes after a day, and does not count.
    "purge": """
        WITH old AS MATERIALIZED (
            SELECT s.session_id, s.version FROM <sessions> AS s WHERE <purged> LIMIT $3),
        locked AS MATERIALIZED (
            SELECT s.session_id FROM <sessions> AS s JOIN old USING (session_id)
            WHERE s.tenant = $1 AND s.version = old.version AND <purged>
            FOR UPDATE OF s SKIP LOCKED),
        gone AS (
            DELETE FROM <sessions> AS s USING locked AS l
            WHERE s.tenant = $1 AND s.session_id = l.session_id
            RETURNING s.session_id, s.items > 0 OR <known> AS counts),
        rows AS (
            DELETE FROM <items> AS i USING gone AS g
            WHERE i.tenant = $1 AND i.session_id = g.session_id)
        SELECT count(*) AS removed, count(*) FILTER (WHERE counts) AS counted FROM gone""",
    "count_purged": """
        SELECT count(*) FROM <sessions> AS s WHERE <purged> AND (s.items > 0 OR <known>)""",
    "not_indexed": """
        SELECT session_id, seq, body FROM <items> WHERE tenant = $1 AND terms IS NULL LIMIT $2""",
    "index": """
        UPDATE <items> AS i SET terms = array_to_tsvector(string_to_array(u.terms, ' '))
        FROM unnest($2::text[], $3::bigint[], $4::text[]) AS u (session_id, seq, terms)
        WHERE i.tenant = $1 AND i.session_id = u.session_id AND i.seq = u.seq
            AND i.terms IS NULL""",
    # $2 the query, $3 its terms, $4 what ids begin with, $5 the owner, $6 the most. Whole words
    # count more than beginnings of words, and long items less than short ones.
    "search": """
        SELECT i.session_id, i.seq, i.body, t.number, t.turn_id
        FROM <items> AS i JOIN <sessions> AS s USING (tenant, session_id)
        LEFT JOIN LATERAL (
            SELECT number, first, turn_id FROM <items>
            WHERE tenant = i.tenant AND session_id = i.session_id AND number IS NOT NULL
                AND seq >= i.seq
            ORDER BY seq LIMIT 1) AS t ON t.first <= i.seq
        WHERE i.tenant = $1 AND i.terms @@ $2::text::tsquery AND i.seq > s.life AND <live>
            AND starts_with(i.session_id, $4) AND ($5::text IS NULL OR s.owner = $5)
        ORDER BY (
            SELECT sum(CASE WHEN i.terms @@ word::tsquery THEN 1.0 ELSE 0.5 END)
            FROM unnest($3::text[]) AS word) / (10 + length(i.terms)) DESC, i.seq DESC
        LIMIT $6""",
}
"""The statements, by what they do."""

ABOUT_PARTS = {
    "purged": """s.tenant = $1 AND (s.holder IS NULL OR s.lease_until <= <now>) AND (
                s.expires_at <= <now> OR s.updated_at < <now> - CASE
                    WHEN s.items > 0 OR <known> THEN $2::float8 * interval '1 second'
                    ELSE interval '1 day' END)""",
}
"""Parts of them; each may have others in it."""

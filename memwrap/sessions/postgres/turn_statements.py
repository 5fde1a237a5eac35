"""The statements of turns: begun with a lease or without, stored whole, found and listed."""

from __future__ import annotations

__all__ = ["TURNS", "TURN_PARTS"]

TURN_PARTS = {
    # The lease, if it is free, ended, the turn's own, or that of a dead holder: $5 the token, $6
    # the seconds, $7 the dead. It need not survive a crash, so nothing waits for the disk unless
    # the session is new: a turn whose lease is gone is stored if nobody has written since.
    "leased": """
        WITH taken AS (
            INSERT INTO <sessions> AS s (
                tenant, session_id, life, base, head, holder, lease_until, updated_at, expires_at)
            VALUES ($1, $2, <fresh>, <fresh>, <fresh>, $5,
                <now> + $6::float8 * interval '1 second', <now>, <now> + $8::interval)
            ON CONFLICT (tenant, session_id) DO UPDATE SET
                holder = excluded.holder, lease_until = excluded.lease_until
            WHERE <live> AND (s.holder IS NULL OR s.lease_until <= <now>
                OR s.holder = $5 OR s.holder = $7::text)
            RETURNING s.life, s.version, CASE WHEN s.version > 0 THEN <quiet> END)""",
    # Without a lease a new session gets a row too, to be removed when it is cleared.
    "unleased": """
        WITH made AS (
            INSERT INTO <sessions> AS s (
                tenant, session_id, life, base, head, updated_at, expires_at)
            SELECT $1, $2, <fresh>, <fresh>, <fresh>, <now>, <now> + $8::interval
            WHERE NOT EXISTS (SELECT 1 FROM <sessions> WHERE <key>)
                AND $5::text IS NOT NULL AND $6::float8 IS NULL AND $7::text IS NULL
            ON CONFLICT DO NOTHING RETURNING s.life, s.version),
        taken AS (
            SELECT life, version FROM made UNION ALL
            SELECT s.life, s.version FROM <sessions> AS s WHERE <skey> AND <live>)""",
    "begun": """
        FROM (SELECT 1) AS one LEFT JOIN taken AS t ON true
        LEFT JOIN <sessions> AS s ON <skey>""",
    "told": """
        SELECT t.life, t.version, s.version AS seen,
            CASE WHEN s.lease_until > <now> THEN s.holder END AS holder, NOT <live> AS expired""",
    "window": """
        <told>, NULL::text AS marks, i.seq, i.body <begun>
        LEFT JOIN LATERAL (
            SELECT seq, body FROM <items> WHERE <key> AND seq > <bound> AND seq < $4
            ORDER BY seq DESC LIMIT $3) AS i ON t.life IS NOT NULL
        ORDER BY i.seq""",
    # $9 the names of marks, $10 how many rows the session shows at most. If the marks have all
    # names, the rows from the first that they name on, and those kept before; else the newest $3.
    "marked": """
        <told>, m.marks, i.seq, i.body <begun>
        LEFT JOIN LATERAL (
            SELECT marks FROM <items> WHERE <key> AND marks IS NOT NULL AND seq > s.life
            ORDER BY seq DESC LIMIT 1) AS m ON true
        LEFT JOIN LATERAL (
            SELECT count(*) AS names, min((e.value ->> 'first')::bigint) AS first,
                jsonb_agg(e.value -> 'kept') AS kept
            FROM jsonb_each(m.marks::jsonb) AS e (name, value) WHERE e.name = ANY ($9::text[])
            ) AS a ON true
        LEFT JOIN LATERAL (
            SELECT coalesce((
                SELECT seq FROM <items> WHERE <key> AND seq > s.life
                ORDER BY seq DESC LIMIT 1 OFFSET $10::bigint - 1), 0) AS first
            WHERE a.names = cardinality($9::text[])) AS shown ON true
        LEFT JOIN LATERAL (
            SELECT seq, body FROM <items>
            WHERE <key> AND seq >= greatest(a.first, shown.first, s.life + 1)
                AND shown.first IS NOT NULL
            UNION ALL
            SELECT seq, body FROM <items>
            WHERE <key> AND seq < a.first AND seq >= greatest(shown.first, s.life + 1)
                AND shown.first IS NOT NULL AND seq = ANY (ARRAY(
                    SELECT number::bigint FROM jsonb_array_elements(a.kept) AS list (numbers),
                        jsonb_array_elements_text(
                            CASE jsonb_typeof(numbers) WHEN 'array' THEN numbers ELSE '[]' END)
                            AS number))
            UNION ALL (
                SELECT seq, body FROM <items>
                WHERE <key> AND seq > <bound> AND seq < $4 AND shown.first IS NULL
                ORDER BY seq DESC LIMIT $3)) AS i ON t.life IS NOT NULL
        ORDER BY i.seq""",
    # Whether the turn may be stored: $4 its lease, $5 the life of the session, $6 the version that
    # it began with, and $7 the version that has to be there, or NULL.
    "claim": """($5::bigint IS NULL OR s.life = $5) AND ($7::bigint IS NULL OR s.version = $7)
            AND ($4::text IS NULL OR s.holder = $4 OR s.holder IS NULL AND s.version = $6::bigint)
            """,
    "raised": """head = s.head + cardinality($3::bytea[]), version = s.version + 1,
                holder = CASE WHEN s.holder = $8::text THEN NULL ELSE s.holder END,
                created_at = coalesce(s.created_at, <now>), updated_at = <now>,
                expires_at = coalesce(<now> + $9::interval, s.expires_at),
                usage = CASE WHEN $10::bigint[] IS NULL THEN s.usage ELSE ARRAY(
                    SELECT coalesce(u.old, 0) + coalesce(u.new, 0)
                    FROM unnest(s.usage, $10::bigint[]) WITH ORDINALITY AS u (old, new, place)
                    ORDER BY u.place) END""",
    # The rows; the last one has the turn's record.
    "inserted": """added AS (
            INSERT INTO <items> (tenant, session_id, seq, body, token, <record>)
            SELECT $1, $2, r.head - cardinality($3::bytea[]) + u.place, u.body,
                l.token, l.turn_id, l.shape,
                l.inputs, l.answers, l.record, l.usage, l.marks, l.first, l.size, l.number,
                l.stored_at
            FROM raised AS r CROSS JOIN
                unnest($3::bytea[]) WITH ORDINALITY AS u (body, place)
            LEFT JOIN LATERAL (
                SELECT $11::bigint AS token, $12::text AS turn_id, $13::text AS shape,
                    $14::int AS inputs, coalesce((SELECT $15::int FROM question), 0) AS answers,
                    $16::text AS record, $10::bigint[] AS usage, $17::text AS marks, coalesce((
                        SELECT first FROM question), r.head - cardinality($3::bytea[]) + 1)
                        AS first,
                    cardinality($3::bytea[]) + coalesce((SELECT $15::int FROM question), 0)
                        AS size, r.number AS number, <now> AS stored_at) AS l
                ON u.place = cardinality($3::bytea[]))""",
    "found": """
        SELECT <t_record>, t.last, i.seq, i.body
        FROM <sessions> AS s CROSS JOIN LATERAL (""",
    "found_rows": """ ORDER BY seq DESC LIMIT 1) AS t
        CROSS JOIN LATERAL (
            SELECT seq, body FROM <items> WHERE <key> AND seq BETWEEN t.first AND t.last
            ORDER BY seq OFFSET 0) AS i
        WHERE <skey> AND <live> AND t.number IS NOT NULL ORDER BY i.seq""",
    "t_record": """t.turn_id, t.shape, t.inputs, t.answers, t.record, t.usage, t.marks, t.first,
            t.size, t.number, t.stored_at""",
}
"""Parts of them; each may have others in it."""

TURNS = {
    "begin": "<leased> <window>",
    "begin_marked": "<leased> <marked>",
    "begin_unleased": "<unleased> <window>",
    "begin_unleased_marked": "<unleased> <marked>",
    "renew": """
        UPDATE <sessions> AS s SET lease_until = <now> + $4::float8 * interval '1 second'
        WHERE <skey> AND s.holder = $3 RETURNING <quiet>""",
    "release": """
        UPDATE <sessions> AS s SET holder = NULL, lease_until = NULL
        WHERE <skey> AND s.holder = $3 RETURNING <quiet>""",
    "commit": """
        WITH raised AS (
            UPDATE <sessions> AS s SET items = s.items + cardinality($3::bytea[]),
                turns = s.turns + $18::int, number = s.number + $18::int, <raised>
            WHERE <skey> AND <live> AND <claim>
            RETURNING s.head, s.number),
        question AS (SELECT 0::bigint AS first WHERE $15::int < 0),
        <inserted>
        SELECT head FROM raised""",
    # A turn with an id takes the place of the half of it that was stored when it was stopped, and
    # an answer becomes one turn with its question.
    "commit_over": """
        WITH before AS (
            SELECT s.life, s.version, (<claim>) AS is_claimed FROM <sessions> AS s
            WHERE <skey> AND <live>),
        named AS (
            SELECT i.first, i.seq, i.shape FROM <items> AS i
            WHERE <ikey> AND i.turn_id = $12::text AND <alive>
                AND hashtextextended(i.turn_id, 0) = hashtextextended($12::text, 0)
            ORDER BY i.seq DESC LIMIT 1),
        half AS (SELECT first, seq FROM named WHERE shape = <stopped>),
        halves AS (
            SELECT count(*) AS rows, (SELECT count(*) FROM half) AS turns FROM <items>
            WHERE <key> AND seq BETWEEN (SELECT first FROM half) AND (SELECT seq FROM half)),
        newest AS (
            SELECT i.first, i.seq, i.size FROM <items> AS i
            WHERE <ikey> AND <alive> AND NOT EXISTS (
                SELECT 1 FROM half WHERE i.seq BETWEEN half.first AND half.seq)
            ORDER BY i.seq DESC LIMIT 1),
        question AS (SELECT first, seq FROM newest WHERE $15::int > 0 AND size = $15::int),
        rest AS (
            SELECT coalesce((
                SELECT i.number FROM <items> AS i
                WHERE <ikey> AND <alive> AND i.number IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM half WHERE half.seq = i.seq)
                    AND NOT EXISTS (SELECT 1 FROM question WHERE question.seq = i.seq)
                ORDER BY i.seq DESC LIMIT 1), 0) AS number,
                (SELECT count(*) FROM question) AS questions),
        raised AS (
            UPDATE <sessions> AS s SET
                items = s.items + cardinality($3::bytea[]) - halves.rows,
                turns = s.turns + $18::int - halves.turns - rest.questions,
                number = rest.number + $18::int, <raised>
            FROM before AS b, halves, rest
            WHERE <skey> AND s.version = b.version AND <live> AND <claim>
            RETURNING s.head, s.number),
        gone AS (
            DELETE FROM <items>
            WHERE <key> AND seq BETWEEN (SELECT first FROM half) AND (SELECT seq FROM half)
                AND EXISTS (SELECT 1 FROM raised)),
        merged AS (
            UPDATE <items> SET <no_record>
            WHERE <key> AND seq = (SELECT seq FROM question) AND EXISTS (SELECT 1 FROM raised)),
        <inserted>
        SELECT raised.head IS NOT NULL AS done, NOT b.is_claimed AS refused
        FROM before AS b LEFT JOIN raised ON true""",
    # An expired session begins anew with the turn that began before.
    "restart": """
        WITH before AS (
            SELECT s.version FROM <sessions> AS s WHERE <skey> AND NOT <live> AND s.life = $3),
        raised AS (
            UPDATE <sessions> AS s SET <empty>, owner = NULL, base = s.head,
                expires_at = <now> + $4::interval
            FROM before AS b
            WHERE <skey> AND s.version = b.version AND NOT <live> AND s.life = $3
            RETURNING s.version),
        gone AS (DELETE FROM <items> WHERE <key> AND EXISTS (SELECT 1 FROM raised))
        SELECT EXISTS (SELECT 1 FROM raised) AS done, false AS refused FROM before""",
    "find": """<found>
            SELECT <record>, seq AS last FROM <items>
            WHERE <key> AND seq > s.life AND turn_id = $3
                AND hashtextextended(turn_id, 0) = hashtextextended($3, 0) <found_rows>""",
    "newest": "<found> SELECT <record>, seq AS last FROM <items> WHERE <key> AND seq > greatest("
    "s.life, s.base + s.items - 1) <found_rows>",
    "ranges": """
        SELECT i.first, i.seq FROM <sessions> AS s JOIN <items> AS i ON <ikey>
        WHERE <skey> AND <live> AND i.number IS NOT NULL AND i.seq >= $3 AND i.seq > s.life
        ORDER BY i.seq""",
    "turns": """
        SELECT <t_record>, t.last FROM <sessions> AS s CROSS JOIN LATERAL (
            SELECT <record>, seq AS last FROM <items>
            WHERE <key> AND number IS NOT NULL AND seq > s.life AND number < $3
            ORDER BY seq DESC LIMIT $4) AS t
        WHERE <skey> AND <live> ORDER BY t.last""",
}
"""The statements, by what they do."""

"""The statements that begin or store the turns of many sessions at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["MANY", "many_values"]


def many_values(statement: str, jobs: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the parameters, behind the tenant, of a statement for many sessions.

    Args:
        statement: ``"begin"`` or ``"commit"``.
        jobs: The parameters of each, behind the tenant. The rows of all sessions are locked in
            the order of their ids, so that no two statements wait for each other.
    """
    order = sorted(range(len(jobs)), key=lambda place: jobs[place][0])
    columns = [list(column) for column in zip(*(jobs[place] for place in order), strict=True)]
    if statement == "begin":
        ids, sizes, _, tokens, leases, _, (ttl, *_) = columns
        return [ids, sizes, tokens, leases, ttl, order]
    ids, rows, leases, lives, versions, heads, tokens, (ttl, *_), _, numbers, _, shapes, *rest = (
        columns
    )
    inputs, _, records, marks, _ = rest
    counts = [len(some) for some in rows]
    return [
        *(ids, counts, leases, lives, versions, heads, tokens, ttl, numbers, shapes, inputs),
        *(records, marks, order, [row for some in rows for row in some]),
        [place for place, some in enumerate(rows, 1) for _ in some],
        [number for some in rows for number in range(1, len(some) + 1)],
    ]


MANY = {
    # $2 the ids, $3 how many rows each, $4 tokens, $5 seconds, $6 the time to live, $7 places.
    "begin_many": """
        WITH asked AS (
            SELECT * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::float8[], $7::int[])
                AS a (session_id, size, token, lease, place)),
        taken AS (
            INSERT INTO <sessions> AS s (
                tenant, session_id, life, base, head, holder, lease_until, updated_at, expires_at)
            SELECT $1, a.session_id, <fresh>, <fresh>, <fresh>, a.token,
                <now> + a.lease * interval '1 second', <now>, <now> + $6::interval FROM asked AS a
            ON CONFLICT (tenant, session_id) DO UPDATE SET
                holder = excluded.holder, lease_until = excluded.lease_until
            WHERE <live> AND (s.holder IS NULL OR s.lease_until <= <now>
                OR s.holder = excluded.holder)
            RETURNING s.session_id, s.life, s.version),
        calm AS (SELECT CASE WHEN min(version) > 0 THEN <quiet> END AS is_quiet FROM taken)
        SELECT t.life, t.version, s.version AS seen,
            CASE WHEN s.lease_until > <now> THEN s.holder END AS holder, NOT <live> AS expired,
            calm.is_quiet AS marks, i.seq, i.body, a.place
        FROM asked AS a CROSS JOIN calm LEFT JOIN taken AS t ON t.session_id = a.session_id
        LEFT JOIN LATERAL (
            SELECT * FROM <sessions> WHERE tenant = $1 AND session_id = a.session_id OFFSET 0)
            AS s ON true
        LEFT JOIN LATERAL (
            SELECT seq, body FROM <items>
            WHERE tenant = $1 AND session_id = a.session_id
                AND seq > greatest(s.life, s.base + s.items - a.size)
            ORDER BY seq DESC LIMIT a.size) AS i ON t.life IS NOT NULL
        ORDER BY a.place, i.seq""",
    # $2 the ids, $3 how many rows each, $4 to $7 the claims, $8 the tokens of the turns, $9 the
    # time to live, $10 to $14 their records, $15 places; $16 all rows, $17 of which, $18 which.
    "commit_many": """
        WITH asked AS (
            SELECT a.*, row_number() OVER () AS nth FROM unnest($2::text[], $3::int[], $4::text[],
                $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $10::bigint[], $11::text[],
                $12::int[], $13::text[], $14::text[], $15::int[]) AS a (
                session_id, size, lease, life, version, head, turn, token, shape, inputs, record,
                marks, place)),
        raised AS (
            UPDATE <sessions> AS s SET items = s.items + a.size, turns = s.turns + 1,
                number = s.number + 1, head = s.head + a.size, version = s.version + 1,
                holder = CASE WHEN s.holder = a.turn THEN NULL ELSE s.holder END,
                created_at = coalesce(s.created_at, <now>), updated_at = <now>,
                expires_at = coalesce(<now> + $9::interval, s.expires_at)
            FROM asked AS a
            WHERE s.tenant = $1 AND s.session_id = a.session_id AND <live>
                AND (a.life IS NULL OR s.life = a.life) AND (a.head IS NULL OR s.version = a.head)
                AND (a.lease IS NULL OR s.holder = a.lease
                    OR s.holder IS NULL AND s.version = a.version)
            RETURNING a.nth, s.head, s.number),
        added AS (
            INSERT INTO <items> (tenant, session_id, seq, body, token, <record>)
            SELECT $1, a.session_id, r.head - a.size + u.number, u.body, l.token, NULL, l.shape,
                l.inputs, l.answers, l.record, NULL, l.marks, l.first, l.size, l.number,
                l.stored_at
            FROM unnest($16::bytea[], $17::int[], $18::int[]) AS u (body, nth, number)
            JOIN asked AS a ON a.nth = u.nth JOIN raised AS r ON r.nth = u.nth
            LEFT JOIN LATERAL (
                SELECT a.token, a.shape, a.inputs, 0 AS answers, a.record, a.marks,
                    r.head - a.size + 1 AS first, a.size, r.number, <now> AS stored_at)
                AS l ON u.number = a.size)
        SELECT r.head, a.place FROM raised AS r JOIN asked AS a ON a.nth = r.nth""",
}
"""The statements, by what they do."""

"""The statements on the tables of a schema: one for each operation, and so atomic.

A statement that waits for a session's row, which another has locked, sees that row as it is then
and everything else as it was when the statement began. So whatever depends on rows of items is
done only if the session's version is still the one that was seen with them, and is asked for
again otherwise. Appends depend on the session's row alone.

In each statement ``$1`` is the tenant and ``$2`` the session.
"""

from __future__ import annotations

import re
from functools import lru_cache

from memwrap.sessions.postgres.about_statements import ABOUT, ABOUT_PARTS
from memwrap.sessions.postgres.many import MANY
from memwrap.sessions.postgres.turn_statements import TURN_PARTS, TURNS
from memwrap.sessions.turns import STOPPED

__all__ = ["ALL", "statements"]

ALL = 2**61
"""More rows than there can be."""


_PART = re.compile("<([a-z_]+)>")


@lru_cache(maxsize=64)
def statements(schema: str) -> dict[str, str]:
    """Return the statements, by what they do, on the tables of a schema."""
    names = ("sessions", "items", "secrets", "about")
    parts = {
        **_PARTS,
        **TURN_PARTS,
        **ABOUT_PARTS,
        **{name: f'"{schema}".{name}' for name in names},
    }

    def filled(text: str) -> str:
        return _PART.sub(lambda found: filled(parts[found[1]]), text)

    return {name: filled(text) for name, text in {**_STATEMENTS, **TURNS, **MANY, **ABOUT}.items()}


_PARTS = {
    "now": "statement_timestamp()",
    # Numbers of rows begin where those of an earlier session of the same id cannot have come to.
    "fresh": "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint",
    "key": "tenant = $1 AND session_id = $2",
    "skey": "s.tenant = $1 AND s.session_id = $2",
    "ikey": "i.tenant = $1 AND i.session_id = $2",
    "live": "(s.expires_at IS NULL OR s.expires_at > <now>)",
    "alive": "i.seq > (SELECT life FROM before)",
    # The n-th row of a session has a number of at least base + n. So the newest rows, of $3 and
    # before number $4, are looked for among few numbers, whatever plan the server takes before it
    # knows the table: it would sort the whole session otherwise.
    "bound": """greatest(s.life,
                least(s.head, $4::bigint - 1) - $3::bigint - (s.head - s.base - s.items))""",
    "record": """turn_id, shape, inputs, answers, record, usage, marks, first, size, number,
                stored_at""",
    "no_record": """turn_id = NULL, shape = NULL, inputs = NULL, answers = NULL, record = NULL,
                usage = NULL, marks = NULL, first = NULL, size = NULL, number = NULL,
                stored_at = NULL""",
    "empty": """items = 0, turns = 0, number = 0, created_at = NULL, title = NULL, tags = NULL,
                metadata = NULL, usage = NULL, parent = NULL, parent_turn = NULL""",
    "known": """(coalesce(s.owner, s.title, s.metadata, s.parent) IS NOT NULL
                OR s.tags IS NOT NULL)""",
    "quiet": "set_config('synchronous_commit', 'off', true)",
    "stopped": f"'{STOPPED}'",
    # What any reader takes for an item: an object that is not deep, and has no numbers or halves
    # of characters that Python refuses.
    "text": "convert_from(body, 'UTF8')",
    "plain": r"""(json_typeof(<text>::json) = 'object'
                AND length(<text>) - length(translate(<text>, '[{', '')) < 200
                AND strpos(<text>, '\ud') = 0 AND strpos(<text>, '\uD') = 0
                AND (length(body) < 400 OR strpos(translate(<text>, '123456789', '000000000'),
                    repeat('0', 400)) = 0))""",
}

_STATEMENTS = {
    "get": """
        SELECT s.version, s.life, i.seq, i.body FROM <sessions> AS s
        LEFT JOIN LATERAL (
            SELECT seq, body FROM <items> WHERE <key> AND seq > <bound> AND seq < $4
            ORDER BY seq DESC LIMIT $3) AS i ON true
        WHERE <skey> AND <live> ORDER BY i.seq""",
    "add": """
        WITH raised AS (
            INSERT INTO <sessions> AS s (tenant, session_id, life, base, head, version, items,
                created_at, updated_at, expires_at)
            VALUES ($1, $2, <fresh>, <fresh>, <fresh> + cardinality($3::bytea[]), 1,
                cardinality($3::bytea[]), <now>, <now>, <now> + $5::interval)
            ON CONFLICT (tenant, session_id) DO UPDATE SET
                head = s.head + excluded.items, version = s.version + 1,
                items = s.items + excluded.items,
                created_at = coalesce(s.created_at, excluded.created_at),
                updated_at = excluded.updated_at,
                expires_at = coalesce(excluded.expires_at, s.expires_at)
            WHERE <live>
            RETURNING s.head)
        INSERT INTO <items> (tenant, session_id, seq, body, token)
        SELECT $1, $2, r.head - cardinality($3::bytea[]) + u.place, u.body,
            CASE WHEN u.place = cardinality($3::bytea[]) THEN $4::bigint END
        FROM raised AS r, unnest($3::bytea[]) WITH ORDINALITY AS u (body, place)
        RETURNING seq""",
    "is_stored": "SELECT 1 FROM <items> WHERE <key> AND token = $3",
    # $3 is the row that the caller has found to be readable, or NULL. A damaged row is not
    # removed: its content could not be returned.
    "pop": """
        WITH before AS (
            SELECT s.life, s.base, s.items, s.version FROM <sessions> AS s
            WHERE <skey> AND <live> AND s.items > 0),
        newest AS (
            SELECT i.* FROM before AS b CROSS JOIN LATERAL (
                SELECT seq, body, number FROM <items>
                WHERE <key> AND seq > greatest(b.life, b.base + b.items - 1)
                ORDER BY seq DESC LIMIT 1) AS i),
        readable AS (
            SELECT seq FROM newest
            WHERE CASE WHEN $3::bigint IS NULL THEN <plain> ELSE seq = $3 END),
        raised AS (
            UPDATE <sessions> AS s SET version = s.version + 1, items = s.items - 1,
                turns = s.turns - (n.number IS NOT NULL)::int,
                number = CASE WHEN n.number IS NULL THEN s.number ELSE coalesce((
                    SELECT i.number FROM <items> AS i
                    WHERE <ikey> AND i.number IS NOT NULL AND i.seq < n.seq AND i.seq > s.life
                    ORDER BY i.seq DESC LIMIT 1), 0) END
            FROM before AS b, newest AS n, readable AS r
            WHERE <skey> AND s.version = b.version
            RETURNING s.version),
        gone AS (
            DELETE FROM <items>
            WHERE <key> AND seq = (SELECT seq FROM newest) AND EXISTS (SELECT 1 FROM raised))
        SELECT raised.version IS NOT NULL AS done, readable.seq IS NULL AS refused,
            raised.version, newest.seq, newest.body
        FROM newest LEFT JOIN readable ON true LEFT JOIN raised ON true""",
    # $3 to $4 the numbers, $5 how many rows there have to be, or NULL.
    "cut": """
        WITH before AS (
            SELECT s.life, s.version FROM <sessions> AS s WHERE <skey> AND <live>),
        found AS (
            SELECT count(*) AS rows FROM <items> AS i
            WHERE <ikey> AND i.seq BETWEEN $3 AND $4 AND <alive>),
        kept AS (
            SELECT NOT EXISTS (
                SELECT 1 FROM <items> AS i WHERE <ikey> AND <alive> AND i.seq < $3) AS is_first,
                coalesce((
                    SELECT i.number FROM <items> AS i
                    WHERE <ikey> AND <alive> AND i.number IS NOT NULL
                        AND NOT (i.seq >= $3 AND i.first <= $4)
                    ORDER BY i.seq DESC LIMIT 1), 0) AS number,
                (SELECT count(*) FROM <items> AS i
                    WHERE <ikey> AND <alive> AND i.number IS NOT NULL
                        AND i.seq >= $3 AND i.first <= $4) AS turns),
        raised AS (
            UPDATE <sessions> AS s SET version = s.version + 1, items = s.items - found.rows,
                base = s.base + CASE WHEN kept.is_first THEN found.rows ELSE 0 END,
                turns = s.turns - kept.turns, number = kept.number
            FROM before AS b, found, kept
            WHERE <skey> AND s.version = b.version
                AND ($5::bigint IS NULL OR found.rows = $5)
            RETURNING s.version),
        gone AS (
            DELETE FROM <items>
            WHERE <key> AND seq BETWEEN $3 AND $4 AND EXISTS (SELECT 1 FROM raised)),
        freed AS (
            UPDATE <items> SET <no_record>
            WHERE <key> AND number IS NOT NULL AND seq > $4 AND first <= $4
                AND EXISTS (SELECT 1 FROM raised))
        SELECT raised.version IS NOT NULL AS done, coalesce(found.rows <> $5, false) AS refused
        FROM before CROSS JOIN found LEFT JOIN raised ON true""",
    # $3 the leases that go on, $4 whether the session's row stays for turns without one.
    "clear": """
        WITH before AS (
            SELECT s.life, s.version, s.owner FROM <sessions> AS s WHERE <skey>),
        kept AS (
            UPDATE <sessions> AS s SET <empty>, version = s.version + 1,
                life = greatest(s.head + 1, <fresh>), base = greatest(s.head + 1, <fresh>),
                head = greatest(s.head + 1, <fresh>), updated_at = <now>,
                expires_at = <now> + $5::interval,
                holder = CASE WHEN s.holder = ANY ($3::text[]) THEN s.holder END
            FROM before AS b
            WHERE <skey> AND s.version = b.version AND (b.owner IS NOT NULL OR $4)
            RETURNING s.life, s.version),
        dropped AS (
            DELETE FROM <sessions> AS s USING before AS b
            WHERE <skey> AND s.version = b.version AND b.owner IS NULL AND NOT $4
            RETURNING 1),
        gone AS (
            DELETE FROM <items>
            WHERE <key> AND (EXISTS (SELECT 1 FROM kept) OR EXISTS (SELECT 1 FROM dropped)))
        SELECT EXISTS (SELECT 1 FROM kept) OR EXISTS (SELECT 1 FROM dropped) AS done,
            false AS refused, b.life AS old, kept.life, kept.version
        FROM before AS b LEFT JOIN kept ON true""",
    # $3 whether only an expired session is removed.
    "remove": """
        WITH before AS (
            SELECT s.version, s.items, s.turns, <known> AS is_known FROM <sessions> AS s
            WHERE <skey> AND (NOT $3 OR NOT <live>)),
        dropped AS (
            DELETE FROM <sessions> AS s USING before AS b
            WHERE <skey> AND s.version = b.version AND (NOT $3 OR NOT <live>)
            RETURNING 1),
        gone AS (DELETE FROM <items> WHERE <key> AND EXISTS (SELECT 1 FROM dropped))
        SELECT EXISTS (SELECT 1 FROM dropped) AS done, false AS refused, b.items, b.turns,
            b.is_known
        FROM before AS b""",
    "lock": "SELECT 1 FROM <sessions> WHERE <key> FOR UPDATE",
    "get_key": "SELECT secret FROM <secrets> WHERE tenant = $1",
    "make_key": """
        INSERT INTO <secrets> AS s (tenant, secret) VALUES ($1, $2)
        ON CONFLICT (tenant) DO UPDATE SET secret = s.secret RETURNING secret""",
}

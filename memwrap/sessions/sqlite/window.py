"""What a turn reads when it begins, in SQL: parts of the one statement that begins it.

In each of them ``?1`` is the session, ``?2`` the token and ``?3`` the seconds of the lease, ``?4``
a holder that is dead, ``?5`` how many rows are read at most without a mark, ``?6`` how many the
session shows at most or NULL, and ``?7`` the names of the marks as a JSON array.
"""

from __future__ import annotations

import re

from memwrap.sessions.sqlite.about import ABOUT_PARTS

__all__ = ["WINDOW", "windows"]

_NUMBERS = re.compile(r"\?[15]\b")

# Numbers and rows come as one value: each subquery would look for the window again.
_PACKED = "CAST(group_concat(id) || ' ' || {array} AS BLOB)"

WINDOW = {
    "lease": """
        INSERT INTO {turns} (session_id, last_id, token, expires) VALUES (?1, 0, ?2, {clock} + ?3)
        ON CONFLICT (session_id, last_id) DO UPDATE
        SET token = excluded.token, expires = excluded.expires
        WHERE expires <= {clock} OR token = ?4""",
    "packed": _PACKED,
    "newest": """coalesce((
            SELECT id FROM {messages} WHERE session_id = ?1
            ORDER BY id DESC LIMIT 1 OFFSET ?5 - 1), 0)""",
    "window": """(
        SELECT {packed} FROM (
            SELECT id, message_data FROM {messages} WHERE session_id = {live} AND id >= {newest}
            ORDER BY id))""",
    "marks": """(
        SELECT marks FROM {turns}
        WHERE session_id = {live} AND last_id > 0 AND marks IS NOT NULL AND json_valid(marks)
        ORDER BY last_id DESC LIMIT 1)""",
    "named": """
        FROM json_each({marks}) AS mark
        WHERE mark.key IN (SELECT value FROM json_each(?7)) AND mark.type = 'object'""",
    # Where the rows begin that the session shows.
    "shown": """iif(?6 IS NULL, 0, coalesce((
            SELECT id FROM {messages} WHERE session_id = ?1
            ORDER BY id DESC LIMIT 1 OFFSET ?6 - 1), 0))""",
    "first": """max({shown}, coalesce((
            SELECT iif(
                count(*) = json_array_length(?7), min(json_extract(mark.value, '$.first')), NULL)
            {named}), {newest}))""",
    "kept": """
        SELECT kept.value FROM json_each({marks}) AS mark, json_each(mark.value, '$.kept') AS kept
        WHERE mark.key IN (SELECT value FROM json_each(?7)) AND mark.type = 'object'""",
    "marked_window": """(
        SELECT {packed} FROM (
            SELECT id, message_data FROM {messages} WHERE session_id = {live} AND id >= {first}
            UNION ALL
            SELECT id, message_data FROM {messages}
            WHERE session_id = {live} AND id IN ({kept}) AND id < {first} AND id >= {shown}
            ORDER BY id))""",
}
"""The parts, by name; each may be a part of the next."""


def windows(parts: dict[str, str], count: int) -> str:
    """Return the statement that reads so many windows as a row of values.

    Of each it takes the session and the size, one after the other.
    """

    def numbered(text: str, place: int) -> str:
        numbers = {"?1": f"?{2 * place + 1}", "?5": f"?{2 * place + 2}"}
        return _NUMBERS.sub(lambda found: numbers[found[0]], text)

    texts = []
    for place in range(count):
        live = numbered(ABOUT_PARTS["live"], place).format(**parts)
        newest = numbered(WINDOW["newest"], place).format(**parts)
        window = numbered(WINDOW["window"], place)
        texts.append(window.format(**parts | {"live": live, "newest": newest}))
    return "SELECT " + ", ".join(texts)

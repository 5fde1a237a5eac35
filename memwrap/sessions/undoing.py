"""Remove the newest turns of a session in a back end, all of them or none."""

from __future__ import annotations

from memwrap.items import Item
from memwrap.sessions.backend import Backend
from memwrap.sessions.rows import damage, decode_each_slowly
from memwrap.sessions.turns import newest_turns

__all__ = ["undo_rows"]

_FIRST_WINDOW = 64  # how many rows are looked at first


async def undo_rows(backend: Backend, session_id: str, turns: int) -> list[list[Item]]:
    """Remove the newest turns and return them, oldest first.

    Raises:
        StoreError: The back end failed, a row is damaged, or somebody else removed items
            meanwhile. Nothing is removed then.
    """
    place = backend.place(session_id)
    window = _FIRST_WINDOW
    while True:
        rows = await backend.get(session_id, window, joined=False)
        items, bad = await decode_each_slowly(rows)
        if bad:
            raise damage(place, f"rows {bad} are damaged; nothing was undone")
        ranges = await backend.ranges(session_id, next(iter(items), 0))
        found = newest_turns(items, ranges, turns, is_all=len(rows.ids) < window)
        if found is not None:
            break
        window *= 8
    numbers = [number for turn in found for number in turn]
    if numbers and not await backend.cut(session_id, numbers[0], numbers[-1], len(numbers)):
        raise damage(place, "somebody else changed it during the undo; nothing was undone")
    return [list(turn.values()) for turn in found]

"""Take the newest items out of a session that has the four methods only."""

from __future__ import annotations

from typing import Any

from memwrap.exceptions import StoreError
from memwrap.foreign import as_cause
from memwrap.items import Item
from memwrap.sessions.base import Session

__all__ = ["maybe", "pop_items"]


async def pop_items(session: Session, items: list[Item]) -> None:
    """Pop *items*, the newest ones of the session, all or none of them.

    Raises:
        StoreError: Somebody else changed the session meanwhile, or a method failed.
    """
    popped: list[Item] = []
    error: Exception | None = None
    try:
        for expected in reversed(items):
            newest = await maybe(session.pop_item())
            if newest is not None:
                popped.append(newest)
            if newest != expected:
                break
    except Exception as exc:  # noqa: BLE001  (told below, when all is as it was)
        error = exc
    else:
        if len(popped) == len(items) and popped[::-1] == items:
            return
    # What was not expected is newer than what was popped before it.
    odd = [popped.pop()] if popped and error is None and _is_odd(popped, items) else []
    back = [*reversed(popped), *odd]
    if back:
        await maybe(session.add_items(back))
    why = type(error).__name__ if error is not None else "somebody else changed it meanwhile"
    raise StoreError(f"session {session.session_id!r}: nothing was undone, since {why}") from (
        None if error is None else as_cause(error)
    )


def _is_odd(popped: list[Item], items: list[Item]) -> bool:
    return popped[-1] != items[len(items) - len(popped)]


async def maybe(result: Any) -> Any:
    """Await *result* if it has to be: a session's methods may be plain functions."""
    return await result if hasattr(result, "__await__") else result

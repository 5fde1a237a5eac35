"""A new session that begins with the turns of another."""

from __future__ import annotations

from typing import Any

from memwrap.exceptions import ConfigurationError
from memwrap.sessions.backend import Backend
from memwrap.sessions.checks import check_count, check_id
from memwrap.sessions.database import DatabaseSession
from memwrap.sessions.info import TurnInfo

__all__ = ["forked"]


async def forked(
    backend: Backend, session: Any, new_id: str, at: TurnInfo | int | str | None
) -> None:
    """Make a session of another's items and turns, up to one of them.

    Raises:
        ConfigurationError: The session is of another store or holds no items, there is no such
            turn, or the new id belongs to another session.
        StoreError: The back end failed; nothing was changed.
    """
    session_id = _id_of(backend, session)
    place = _place(session_id, at)
    made = await backend.fork(session_id, new_id, place)
    if made == "missing":
        what = "holds no items" if place is None else f"has no turn {place!r}"
        raise ConfigurationError(f"fork: session {session_id!r} {what}")
    if made == "taken":
        raise ConfigurationError(
            f"fork: there is a session {new_id!r} already, and it is no such fork of"
            f" {session_id!r}; choose another id"
        )


def _place(session_id: str, at: TurnInfo | int | str | None) -> int | str | None:
    if isinstance(at, TurnInfo):
        if at.session_id != session_id:
            raise ConfigurationError(
                f"fork(at=...) is a turn of session {at.session_id!r}, not of {session_id!r}"
            )
        return at.number
    if at is None:
        return None
    return check_id(at, "a turn's id") if isinstance(at, str) else check_count(at, "at")


def _id_of(backend: Backend, session: Any) -> str:
    if not isinstance(session, DatabaseSession):
        return check_id(session)
    if session.identity != backend.identity(session.session_id):
        raise ConfigurationError(
            f"session {session.session_id!r} is of another store; `copy` brings it here"
        )
    return session.session_id

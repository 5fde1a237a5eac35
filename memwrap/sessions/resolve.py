"""The session that a caller names: a session, an id in a store, or None for no memory."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

from memwrap.exceptions import ConfigurationError
from memwrap.sessions.base import Session

__all__ = ["resolve"]

_METHODS = ("get_items", "add_items", "pop_item", "clear_session")


@lru_cache(maxsize=256)
def _is_session_class(kind: Hashable) -> bool:
    return all(callable(getattr(kind, name, None)) for name in _METHODS)


def resolve(session: Any, store: Any) -> Session | None:
    """Return the session that a `SessionLike` stands for.

    Raises:
        ConfigurationError: *session* is no session, or an id without a store.
    """
    if session is None:
        return None
    if _is_session_class(type(session)):  # type: ignore[arg-type]  # a class can be hashed
        return session  # type: ignore[no-any-return]
    if isinstance(session, str):
        if store is None:
            raise ConfigurationError(
                f"session {session!r} is an id, and there is no store to find it in: pass"
                " with_session(store=SQLiteStore('chat.db')), or a session object"
            )
        found = getattr(store, "session", store)(session)
        if found is None or isinstance(found, str):
            raise ConfigurationError(
                f"the store gave no session for the id {session!r}; it has to give one for every"
                " id, new ones included"
            )
        return resolve(found, None)
    missing = [name for name in _METHODS if not callable(getattr(session, name, None))]
    if missing or isinstance(session, type):
        raise ConfigurationError(
            f"session is {_named(session)}, not a session ({_lack(missing)}); pass a session"
            " object, the id of one in the store as a string, or None for no memory"
        )
    return session  # type: ignore[no-any-return]


def _named(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"of type {type(value).__name__}"


def _lack(missing: list[str]) -> str:
    return f"it has no {', '.join(missing)}" if missing else "an instance of it would be"

"""The session that a caller names: a session, an id in a store, or None for no memory."""

from __future__ import annotations

import inspect
from collections.abc import Hashable
from functools import lru_cache
from typing import Any

from memwrap.exceptions import ConfigurationError
from memwrap.sessions.base import Promises, Session
from memwrap.sessions.places import came_from

__all__ = ["check_named", "check_session", "check_store", "resolve"]

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
        made = resolve(found, None)
        if not isinstance(getattr(made, "promises", None), Promises):
            came_from(store, session, made)
        return made
    if isinstance(session, int):
        raise ConfigurationError(
            f"session is of type {type(session).__name__}, and neither a session nor an id; pass a"
            " session object, the id of one in the store as a string, or None for no memory: of a"
            f" number, str({session!r})"
        )
    missing = [name for name in _METHODS if not callable(getattr(session, name, None))]
    if missing or isinstance(session, type):
        raise ConfigurationError(
            f"session is {_named(session)}, not a session ({_lack(session, missing)}); pass a"
            " session object, the id of one in the store as a string, or None for no memory"
        )
    return session  # type: ignore[no-any-return]


def check_named(session: Any, store: Any) -> None:
    """Refuse what stands for no session, without asking the store for one.

    Raises:
        ConfigurationError: *session* is no session, or an id without a store.
    """
    if not isinstance(session, str) or store is None:
        resolve(session, store)


def check_store(store: Any) -> None:
    """Refuse what ids cannot become sessions in; None is no store.

    Raises:
        ConfigurationError: It is neither a store nor a function, or a class or async function.
    """
    find = getattr(store, "session", store)
    if store is not None and not callable(find):
        raise ConfigurationError(
            f"store is of type {type(store).__name__}; it has a method session(id), as SQLiteStore"
            " has, or is a function from id to session"
        )
    if isinstance(store, type) and find is not store:
        raise ConfigurationError(f"store is the class {store.__name__}; pass an instance of it")
    if inspect.iscoroutinefunction(find):
        raise ConfigurationError(
            "store finds sessions by an async function; make it a plain one, which hands out a"
            " session that connects when it is used"
        )


def check_session(session: Any, what: str) -> Session:
    """Return *session* if it is one; an id needs a store, which there is none here.

    Args:
        session: What was passed.
        what: The call that it was passed to, for the error.

    Raises:
        ConfigurationError: It is an id or anything else that is no session.
    """
    if session is None or isinstance(session, (str, int)):
        given = "None" if session is None else f"{session!r}, an id"
        way = "store.session(id)" if session is None else f"store.session({str(session)!r})"
        raise ConfigurationError(f"{what} takes a session, not {given}: pass {way}")
    if callable(getattr(session, "session", None)) and not isinstance(session, type):
        raise ConfigurationError(f"{what} takes a session, not a store: pass store.session(id)")
    if callable(session) and not _is_session_class(type(session)):  # type: ignore[arg-type]
        name = getattr(session, "__qualname__", None) or type(session).__qualname__
        raise ConfigurationError(
            f"{what} takes a session, and {name} is none: pass the session that the agent was"
            " called with"
        )
    found = resolve(session, None)
    assert found is not None  # noqa: S101
    return found


def _named(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"of type {type(value).__name__}"


def _lack(session: object, missing: list[str]) -> str:
    if isinstance(session, type):
        return "an instance of it would be"
    if callable(getattr(session, "session", None)):
        return "it is a store, whose session(id) is one"
    return f"it has no {', '.join(missing)}"

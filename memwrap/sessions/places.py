"""Where somebody else's session lies, as far as its object tells.

An application may make an object for each request. Two of them are one conversation if they came
from one store by one id, or are of one class and name the same file or address and the same id.
"""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Hashable
from typing import Any
from weakref import ref

__all__ = ["came_from", "inside_of", "known_place", "place_of"]

# Attributes by which a session may name the file or the address that it lies at, and the session
# that a session around it passes everything on to.
_PLACES = ("db_path", "path", "file_path", "url")
_INSIDE = "underlying_session"
_NOWHERE = frozenset({"", ":memory:"})

# By the object's own id; the weak reference tells when that is free.
_known: dict[int, tuple[ref[object], Hashable]] = {}


class _Store:
    """A store as part of an identity: by what it is, whatever it says of being equal."""

    __slots__ = ("store",)

    def __init__(self, store: object) -> None:
        self.store = store

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Store) and self.store is other.store

    def __hash__(self) -> int:
        return id(self.store)


def inside_of(session: object) -> object | None:
    """Return the session that *session* stands around; None if it stands around none."""
    return getattr(session, "__dict__", {}).get(_INSIDE)


def place_of(session: Any) -> Hashable:
    """Return what objects for the same conversation share; the object's own id if nothing tells.

    What has once been told of an object stays.
    """
    if (known := known_place(session)) is not None:
        return known
    named = _named_by(session)
    return _remembered(session, id(session) if named is None else named)


def came_from(store: Any, session_id: str, session: Any) -> None:
    """Note that *store* gave *session* for an id, unless more is known of the object."""
    if known_place(session) is None:
        named = _named_by(session)
        _remembered(session, (_store(store), session_id) if named is None else named)


def known_place(session: object) -> Hashable | None:
    """Return what has been told of the object before; None for nothing."""
    known = _known.get(id(session))
    return None if known is None or known[0]() is not session else known[1]


def _store(store: Any) -> Hashable:
    if inspect.ismethod(store):  # a new object at each access
        return _Store(store.__self__), store.__func__
    return _Store(store)


def _named_by(session: Any) -> Hashable | None:
    """Return the class, the place and the id that the object names; None if it names no place."""
    own = getattr(session, "__dict__", {})
    for name in _PLACES:
        place = own.get(name)
        if isinstance(place, (str, os.PathLike)) and (text := str(place)) not in _NOWHERE:
            where = text if "://" in text else os.path.realpath(text)
            return type(session), where, session.session_id
    return None


def _remembered(session: object, found: Hashable) -> Hashable:
    key = id(session)

    def forget(gone: ref[object], table: dict[int, tuple[ref[object], Hashable]] = _known) -> None:
        if (known := table.get(key)) is not None and known[0] is gone:
            del table[key]

    with contextlib.suppress(TypeError):  # the class allows no weak references
        _known[key] = (ref(session, forget), found)
    return found

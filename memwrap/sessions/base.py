"""What a session and a store are: the whole contract, edge cases included."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from memwrap.sessions.places import inside_of, known_place, place_of

__all__ = [
    "Durability",
    "Promises",
    "Session",
    "SessionLike",
    "Store",
    "StoreLike",
    "identity",
    "promises",
]


Durability: TypeAlias = Literal["none", "process", "power"]
"""What acknowledged items survive: nothing, a process killed at any moment, a power cut too."""


class Session(Protocol):
    """The memory of one conversation: any class with these members is one.

    Runners of other libraries use the same protocol, so either library takes the other's sessions.
    Methods may also be plain functions that return their result. The lists hold items (they are
    of Any, since other libraries have types of their own for them).

    Attributes:
        session_id: Names the conversation; the same id on the same store is the same session.
    """

    session_id: str

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """Return the items, oldest first; with *limit* the newest that many.

        An empty or unknown session has no items; a limit of 0 returns none.
        """
        ...

    async def add_items(self, items: list[Any]) -> None:
        """Append *items* in their order, all of them or none."""
        ...

    async def pop_item(self) -> Any:
        """Remove and return the newest item; None if there is none."""
        ...

    async def clear_session(self) -> None:
        """Remove all items; clearing an empty session does nothing."""
        ...


class Store(Protocol):
    """Where sessions live, by id."""

    def session(self, session_id: str, /) -> Session:
        """Return the session of that id; it need not exist yet, and nothing is stored for it."""
        ...


SessionLike: TypeAlias = Session | str | None
"""A session, the id of one in the store, or None for no memory."""

StoreLike: TypeAlias = Store | Callable[[str], Session] | str
"""Where ids become sessions: a store, a function, or the URL of a store."""


@dataclass(frozen=True, slots=True)
class Promises:
    """What a back end holds to; the defaults promise nothing.

    A session or store says so in an attribute ``promises``. A session that has it also has an
    attribute ``identity``: a hashable value, the same for all objects of one conversation.

    Attributes:
        durability: What acknowledged items survive: ``"none"`` (they die with the process, or
            nobody has asked the server yet: ``await store.durability()`` does), ``"process"`` (a
            process killed at any moment), ``"power"`` (a power cut too).
        shared: Whether several processes may use it at once.
        isolated: Whether it keeps and hands out copies, never what its callers hold.
        settles: Whether a cancelled write has been done or undone, never half, before
            CancelledError is raised.
        expires: Whether items may vanish on their own.
        turns: Whether it records turns: then it is a `TurnSession` too.
        searches: Whether its items can be searched.
    """

    durability: Durability = "none"
    shared: bool = False
    isolated: bool = False
    settles: bool = False
    expires: bool = False
    turns: bool = False
    searches: bool = False


_NOTHING = Promises()


def promises(session: object) -> Promises:
    """Return what *session* promises; nothing for a class that does not say."""
    return _said(session) or _NOTHING


def identity(session: object) -> Hashable:
    """Return what *session* shares with all objects for the same conversation.

    Of a class that does not say, it is what the object tells of its place, or the store and the
    id that it came from. An object of which nothing is known stands for itself alone.
    """
    if _said(session) is not None:
        found: Hashable = session.identity  # type: ignore[attr-defined]
        return found
    if (known := known_place(session)) is not None:
        return known
    inside = inside_of(session)
    return place_of(session) if inside is None else identity(inside)


def _said(session: object) -> Promises | None:
    found = getattr(session, "promises", None)
    if not isinstance(found, Promises):
        return None
    kind = type(session)
    if hasattr(kind, "promises") or "promises" in getattr(session, "__dict__", ()):
        return found
    # It hands on what it has not itself: then what it promises is not what its methods do.
    return None if hasattr(kind, "get_items") else found

"""The vocabulary, on one page.

item        one entry of a conversation: a JSON object in the shape of an OpenAI Responses API
            input item; messages, tool calls, their outputs and reasoning are all items
input       what the caller passes: a string, an item, a list of items, a framework's messages
history     the stored past that the agent is given
new items   what a turn adds
turn        one call of an agent, from start to finish
session     the memory of one conversation; a store is where sessions live, by id
agent       the user's own callable or object
handler     the uniform async callable ``await handler(turn, send)``
middleware  a layer around a handler: ``await layer(turn, send, handler)``
endpoint    the innermost handler, which calls the agent
event       one thing the caller receives: a call sends one, a stream many
adapter     the converter for one dialect of messages
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from memwrap.sessions.base import SessionLike, StoreLike
    from memwrap.turn import Turn

__all__ = [
    "Adapter",
    "Arrange",
    "Event",
    "Handler",
    "Input",
    "Item",
    "Kind",
    "Method",
    "Middleware",
    "Send",
    "SessionLike",
    "StoreLike",
]

Item: TypeAlias = dict[str, Any]
"""One entry of a conversation: a JSON object."""

Input: TypeAlias = str | Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""What the caller of an agent passes (an adapter may take its framework's messages besides)."""

Event: TypeAlias = Any
"""One thing the caller receives."""

Send: TypeAlias = Callable[[Event], Awaitable[None]]
"""Hands one event outwards; returns when the receiver is ready for the next."""

Handler: TypeAlias = "Callable[[Turn, Send], Awaitable[None]]"
"""Runs a turn; everything inside a layer looks like this to it."""


class Middleware(Protocol):
    """A layer around a turn.

    A plain ``async def`` of three arguments is one; an object with options is one that defines
    ``__call__``. One instance serves many agents and turns at once, so what belongs to a turn
    lives in ``turn.state``, never on ``self``.
    """

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn: await ``handler(turn, send)`` once, not at all, or again."""
        ...


class Kind(Enum):
    """How an agent is called."""

    CALL = "async function"
    STREAM = "async generator function"
    SYNC_CALL = "function"
    SYNC_STREAM = "generator function"


Arrange: TypeAlias = "Callable[[list[Item], list[Item]], Any]"
"""Makes an agent's first argument of history and input."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way to run an agent object.

    Attributes:
        call: Takes the messages in the framework's dialect, then the caller's other arguments.
        kind: What ``call`` is.
        instead: What to use in a running event loop; for synchronous kinds.
        present: Makes what the caller gets out of the events of a stream and the turn; None
            hands on the events themselves.
        bind: Takes what the caller passes as input; returns the messages in it, and what puts
            history and messages back in their places. None if the input is the messages.
        find: Takes `with_session`'s ``key``, the caller's arguments behind the input and those
            by name; returns the session or id that they name, or UNSET. None if the key is a
            parameter.
    """

    call: Callable[..., Any]
    kind: Kind
    instead: str | None = None
    present: Callable[[Any, Turn], Any] | None = None
    bind: Callable[[Any], tuple[Any, Arrange]] | None = None
    find: Callable[[str, tuple[Any, ...], Mapping[str, Any]], Any] | None = None


class Adapter(Protocol):
    """The converter for one dialect; a module with these functions is one.

    Both directions are pure and synchronous, and leave their arguments unchanged.
    An adapter for agent *objects* also has ``methods(agent) -> Mapping[str, Method | Callable]``:
    which of the object's methods remember; the first is what ``memwrap.run`` calls. A callable in
    place of a `Method` is made of the others: it takes the remembering object first.
    """

    def to_items(self, messages: Any, /, *, role: str = "user") -> list[Item]:
        """Turn input, a result, or the list of events of a stream into items.

        Args:
            messages: One message or a list, in the dialect; strings are allowed.
            role: Who speaks in a string: ``"user"`` for input, ``"assistant"`` for results.

        Raises:
            ConversionError: It is nothing this dialect knows.
        """
        ...

    def from_items(self, items: Sequence[Item], /) -> Any:
        """Turn items into what the agent takes as its first argument."""
        ...


if not TYPE_CHECKING:  # to a checker, a module that has __getattr__ has every name

    def __getattr__(name: str) -> Any:
        # Loaded on first use: the package of sessions imports this module.
        if name not in {"SessionLike", "StoreLike"}:
            raise AttributeError(f"module 'memwrap.types' has no attribute {name!r}")
        from memwrap.sessions import base

        return getattr(base, name)

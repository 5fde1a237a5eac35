"""A session in the memory slot of a framework: the one way to make a plug."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from memwrap.answers import with_accepted
from memwrap.dialects import Adapter
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item, repaired
from memwrap.private_loop import wait_for
from memwrap.sessions.base import Session
from memwrap.sessions.popping import maybe

__all__ = ["SessionPlug", "check_store"]

M = TypeVar("M")
T = TypeVar("T")


def check_store(store: object, plug: str) -> None:
    """Refuse what is no store, and no function from id to session.

    Args:
        store: What was passed.
        plug: The class that it was passed to, for the error.

    Raises:
        ConfigurationError: It is none.
    """
    if not callable(getattr(store, "session", store)) or isinstance(store, type):
        given = f"the class {store.__name__}" if isinstance(store, type) else type(store).__name__
        raise ConfigurationError(
            f"{plug} takes a store, not {given}: pass one such as SQLiteStore('chat.db')"
        )


class SessionPlug(Generic[M]):
    """Loads and appends the messages of one dialect in a session.

    A framework's own class holds or inherits from it, and adds the names that the framework calls.

    Args:
        session: Any session.
        adapter: Converts the framework's messages.
    """

    def __init__(self, session: Session, adapter: Adapter) -> None:
        self.session = session
        self.adapter = adapter

    async def load(self, limit: int | None = None, *, is_exact: bool = False) -> list[M]:
        """Return the messages, oldest first.

        Args:
            limit: Of the newest that many items only.
            is_exact: Return what was stored also where no provider would take it, such as outputs
                without a call.
        """
        items: list[Item] = await maybe(self.session.get_items(limit))
        if not is_exact:
            items = repaired(with_accepted(items))
        messages: list[M] = list(self.adapter.from_items(items))
        return messages

    async def append(self, messages: Sequence[M]) -> None:
        """Append messages, all of them or none."""
        await maybe(self.session.add_items(self.adapter.to_items(list(messages))))

    async def clear(self) -> None:
        """Remove all messages."""
        await maybe(self.session.clear_session())

    def wait(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run ``work()`` on memwrap's private event loop and wait: for slots without a loop."""
        result: T = wait_for(work)
        return result

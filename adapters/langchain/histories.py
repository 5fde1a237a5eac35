"""LangChain's chat histories as sessions, and sessions as LangChain's chat histories."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from memwrap.adapters.langchain.exact import items_for_all, messages_for, messages_to_append
from memwrap.codec import copy_items, copy_known
from memwrap.exceptions import ConfigurationError, StoreError
from memwrap.portal import wait_for
from memwrap.sessions.base import Promises, Session
from memwrap.sessions.checks import check_id, check_limit
from memwrap.sessions.four_methods import maybe
from memwrap.types import Item

__all__ = ["HistorySession", "SessionChatMessageHistory", "session_from_history"]

# What may be stored already when messages are added, and they must not be one with.
_ANSWER = ({"type": "message", "role": "assistant", "content": []},)

# How histories that are for one way only refuse the other.
_REFUSALS = (AssertionError, AttributeError, NotImplementedError, TypeError, ValueError)


def session_from_history(
    history: BaseChatMessageHistory, *, session_id: str | None = None, rewrite: bool = False
) -> HistorySession:
    """Return a session that keeps its items in a LangChain chat history.

    Args:
        history: Any history, asynchronous or not; what blocks runs in a thread.
        session_id: Names the conversation; by default the history's own ``session_id``, if it has
            one, or else the name of its class.
        rewrite: Let ``pop_item`` clear the history and add the rest again, which is all that a
            history offers for it, and loses the conversation if it is cut off in between.

    Raises:
        ConfigurationError: It is no chat history, or the id can be none.
    """
    if not isinstance(history, BaseChatMessageHistory):
        raise ConfigurationError(
            f"session_from_history takes a BaseChatMessageHistory, not {type(history).__name__}"
        )
    own = getattr(history, "session_id", None)
    own = own if isinstance(own, str) and own else None
    name = check_id(own or type(history).__name__ if session_id is None else session_id)
    # Without any id nothing tells that two objects are one conversation.
    identity = (type(history), own or session_id or id(history))
    return HistorySession(history, name, identity=identity, rewrite=rewrite)


class HistorySession:
    """A session in a LangChain chat history; see `session_from_history`."""

    promises = Promises(isolated=True)

    def __init__(
        self,
        history: BaseChatMessageHistory,
        session_id: str,
        *,
        identity: Hashable,
        rewrite: bool,
    ) -> None:
        self.session_id = session_id
        self._history = history
        self._identity = identity
        self._rewrite = rewrite
        self._is_async: bool | None = None  # known after the first reading

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.session_id!r})"

    @property
    def identity(self) -> Hashable:
        """The same for all objects on one conversation, as far as its id tells."""
        return self._identity

    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the items of the messages, oldest first; with *limit* the newest that many.

        Raises:
            StoreError: The history failed.
        """
        limit = check_limit(limit)
        items = items_for_all(await self._messages())
        if limit is not None:
            items = items[len(items) - min(limit, len(items)) :]
        return copy_known(items)  # some histories hand out the very messages that they keep

    async def add_items(self, items: list[Item]) -> None:
        """Append the messages of *items*, in one call.

        Raises:
            ConversionError: They are no list of items, or JSON cannot hold one exactly.
            StoreError: The history failed.
        """
        messages = messages_to_append(copy_items(items))
        if not messages:
            return
        if self._is_async is None:
            await self._messages()  # a writing that is refused half-way could not be repeated
        await self._do("aadd_messages", self._history.add_messages, messages)

    async def pop_item(self) -> Item | None:
        """Remove and return the newest item, if the session may rewrite its history.

        Raises:
            StoreError: It may not, or the history failed.
        """
        items = items_for_all(await self._messages())
        if not items:
            return None
        if not self._rewrite:
            raise StoreError(
                f"session {self.session_id!r}: a LangChain history cannot remove a message; with"
                " session_from_history(history, rewrite=True) it is cleared and filled again"
            )
        await self.clear_session()
        await self.add_items(items[:-1])
        return items[-1]

    async def clear_session(self) -> None:
        """Remove all messages.

        Raises:
            StoreError: The history failed.
        """
        if self._is_async is None:
            await self._messages()
        await self._do("aclear", self._history.clear)

    async def _messages(self) -> list[BaseMessage]:
        if self._is_async is not None:
            return list(await self._do("aget_messages", self._read))
        try:
            messages = await self._history.aget_messages()
            self._is_async = True
        except _REFUSALS:
            # Or a row that cannot be read: only a reading that works tells which way is meant.
            messages = await self._do("aget_messages", self._read)
            self._is_async = False
        except Exception as exc:
            raise self._failed(exc) from exc
        return list(messages)

    def _read(self) -> list[BaseMessage]:
        return self._history.messages

    async def _do(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        try:
            if self._is_async:
                return await getattr(self._history, name)(*args)
            return await asyncio.to_thread(function, *args)
        except Exception as exc:
            raise self._failed(exc) from exc

    def _failed(self, exc: Exception) -> StoreError:
        return StoreError(
            f"session {self.session_id!r}: the {type(self._history).__name__} failed"
            f" ({type(exc).__name__})"
        )


class SessionChatMessageHistory(BaseChatMessageHistory):
    """A session as a LangChain chat history, for code that takes one.

    The asynchronous methods use the session directly. The synchronous ones run it on memwrap's
    private event loop and wait: a session that belongs to one event loop is for the others only.

    Args:
        session: Any session.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        """The messages, oldest first."""
        found: list[BaseMessage] = wait_for(self.aget_messages)
        return found

    async def aget_messages(self) -> list[BaseMessage]:
        """Return the messages, oldest first."""
        items = await maybe(self.session.get_items())
        return list(messages_for(items, portable=False, is_slice=False))

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Append messages, all of them or none."""
        wait_for(lambda: self.aadd_messages(messages))

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Append messages, all of them or none."""
        added: Awaitable[None] = maybe(self.session.add_items(items_for_all(messages, _ANSWER)))
        await added

    def clear(self) -> None:
        """Remove all messages."""
        wait_for(self.aclear)

    async def aclear(self) -> None:
        """Remove all messages."""
        await maybe(self.session.clear_session())

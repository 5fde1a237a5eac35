"""LangChain's chat histories as sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Any

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from memwrap.adapters.langchain.shape import items_for_all, messages_to_append
from memwrap.codec import copy_items, copy_known
from memwrap.exceptions import ConfigurationError, StoreError
from memwrap.foreign import as_cause
from memwrap.hidden.data import for_others
from memwrap.items import Item
from memwrap.sessions.base import Promises
from memwrap.sessions.checks import check_id, check_limit

__all__ = ["HistorySession", "session_from_history"]

# What a history that is only synchronous (or only asynchronous) raises from the other method;
# NotImplementedError is that of LangChain's base class.
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

    async def get_items(self, limit: int | None = None, *, wrapper: Any = None) -> list[Item]:
        """Return the items of the messages, oldest first; with *limit* the newest that many.

        The four methods take a *wrapper*, as memwrap's own sessions do.

        Raises:
            StoreError: The history failed.
        """
        limit = check_limit(limit)
        items = items_for_all(await self._messages(), is_stored=True)
        if limit is not None:
            items = items[len(items) - min(limit, len(items)) :]
        if wrapper is not None:
            items = for_others(items)
        return copy_known(items)  # some histories hand out the very messages that they keep

    async def add_items(self, items: list[Item], *, wrapper: Any = None) -> None:  # noqa: ARG002
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

    async def pop_item(self, *, wrapper: Any = None) -> Item | None:  # noqa: ARG002
        """Remove and return the newest item, if the session may rewrite its history.

        Raises:
            StoreError: It may not, or the history failed.
        """
        items = items_for_all(await self._messages(), is_stored=True)
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

    async def clear_session(self, *, wrapper: Any = None) -> None:  # noqa: ARG002
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
        except _REFUSALS:
            failure = None
        except Exception as exc:  # noqa: BLE001  (a history raises what its driver does)
            failure = self._failed(exc)
        else:
            self._is_async = True
            return list(messages)
        if failure is not None:
            raise failure
        # Or a row that cannot be read: only a reading that works tells which way is meant.
        messages = await self._do("aget_messages", self._read)
        self._is_async = False
        return list(messages)

    def _read(self) -> list[BaseMessage]:
        return self._history.messages

    async def _do(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        try:
            if self._is_async:
                return await getattr(self._history, name)(*args)
            return await asyncio.to_thread(function, *args)
        except Exception as exc:  # noqa: BLE001  (a history raises what its driver does)
            failure = self._failed(exc)
        raise failure

    def _failed(self, exc: Exception) -> StoreError:
        failure = StoreError(
            f"session {self.session_id!r}: the {type(self._history).__name__} failed"
            f" ({type(exc).__name__})"
        )
        failure.__cause__ = as_cause(exc)
        return failure

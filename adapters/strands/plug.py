"""Sessions as the session manager of an agent of Strands."""

from __future__ import annotations

import sys
from typing import Any
from weakref import ref

from strands.hooks import (
    AfterInvocationEvent,
    BeforeInvocationEvent,
    HookRegistry,
    MessageAddedEvent,
    MultiAgentInitializedEvent,
)
from strands.session.session_manager import SessionManager

from memwrap.adapters.plugs import SessionPlug, check_store
from memwrap.adapters.strands.fitting import fitting
from memwrap.adapters.strands.shape import Message
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.sessions.base import StoreLike
from memwrap.sessions.popping import maybe
from memwrap.sessions.resolve import resolve

__all__ = ["MemwrapSessionManager"]


class MemwrapSessionManager(SessionManager):
    """A session as the session manager of one agent, which stores each message as it is added.

    The conversation is loaded when the agent is first called, and again when somebody else has
    added to it; the agent's conversation manager is asked then to make it fit. Not stored are the
    agent's state and interrupts.

    Args:
        session_id: The id of the session.
        store: Where the session is found.

    Raises:
        ConfigurationError: The id or the store is none.
    """

    def __init__(self, session_id: str, store: StoreLike) -> None:
        check_store(store, type(self).__name__)
        session = resolve(session_id, store) if isinstance(session_id, str) else None
        if session is None:
            raise ConfigurationError(
                "MemwrapSessionManager takes the id of a session, a string, and its store:"
                " MemwrapSessionManager('user_1', SQLiteStore('chat.db'))"
            )
        self.session_id = session_id
        self._adapter: Any = sys.modules["memwrap.adapters.strands"]
        self._plug: SessionPlug[Message] = SessionPlug(session, self._adapter)
        self._known: list[Item] | None = None  # the stored items that the agent has
        self._last: list[Item] = []  # those of the message that was added last
        self._redacted: Message | None = None
        self._agent: Any = None

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:  # noqa: ARG002
        """Have the agent load and store by asynchronous callbacks, which block no event loop."""
        registry.add_callback(BeforeInvocationEvent, self._load)
        registry.add_callback(MessageAddedEvent, self._append)
        registry.add_callback(AfterInvocationEvent, self._redact)
        registry.add_callback(MultiAgentInitializedEvent, self._refuse)

    async def _load(self, event: BeforeInvocationEvent) -> None:
        agent = event.agent
        if self._agent is not None and self._agent() is not agent:
            raise ConfigurationError(
                "a MemwrapSessionManager is of one agent, and was given to two: make another one"
                " with the same id and store"
            )
        self._agent = ref(agent)
        items: list[Item] = await maybe(self._plug.session.get_items())
        if self._known is None and not items:
            self._known = []
            for message in agent.messages:  # what the agent was made with, and what others added
                await self._store(message)
        elif items != self._known:
            self._known = items
            loaded: Any = fitting(await self._plug.load())
            agent.messages[:] = loaded
            agent.conversation_manager.apply_management(agent)

    async def _append(self, event: MessageAddedEvent) -> None:
        await self._redact(event)
        if self._known is not None:
            await self._store(event.message)

    async def _store(self, message: Any) -> None:
        self._last = self._adapter.to_items([message])
        await maybe(self._plug.session.add_items(self._last))
        self._known = [*(self._known or ()), *self._last]

    async def _redact(self, event: Any) -> None:  # noqa: ARG002
        """Store the last message as a guardrail has redacted it, if nobody has added to it."""
        message, self._redacted = self._redacted, None
        size = len(self._last)
        if message is None or await maybe(self._plug.session.get_items(size)) != self._last:
            return
        for _ in range(size):
            await maybe(self._plug.session.pop_item())
        self._known = (self._known or [])[:-size]
        await self._store(message)

    def _refuse(self, event: MultiAgentInitializedEvent) -> None:
        self.initialize_multi_agent(event.source)

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Have the last message stored as it is now, by the next callback."""
        self._redacted = redact_message

    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        """Do nothing: an asynchronous callback stores messages."""

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        """Do nothing: the session holds messages only."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        """Do nothing: an asynchronous callback loads the session."""

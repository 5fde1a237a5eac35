"""Sessions as LlamaIndex's memory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Self

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.memory import BaseMemory
from pydantic import PrivateAttr

from memwrap.adapters.plugs import SessionPlug
from memwrap.exceptions import ConfigurationError
from memwrap.sessions.base import Session
from memwrap.sessions.resolve import check_session

__all__ = ["MemwrapMemory"]


class MemwrapMemory(BaseMemory):
    """A session as the memory of agents and chat engines, which load and store by their own rules.

    What they put is stored at once. What they set, such as ``chat_history=``, is what this run sees
    in place of the session, and is not stored; the next run sees the session again.

    The asynchronous methods use the session directly. The synchronous ones run it on memwrap's
    private event loop and wait: a session that belongs to one event loop is for the others only.

    Args:
        session: Any session.

    Raises:
        ConfigurationError: *session* is no session.
    """

    _plug: SessionPlug[ChatMessage] | None = PrivateAttr(default=None)
    _view: list[ChatMessage] | None = PrivateAttr(default=None)
    _is_answered: bool = PrivateAttr(default=False)

    def __init__(self, session: Session | None = None, **data: Any) -> None:
        super().__init__(**data)
        if session is not None:
            session = check_session(session, "MemwrapMemory()")
            adapter: Any = sys.modules["memwrap.adapters.llama_index"]
            self._plug = SessionPlug(session, adapter)

    @classmethod
    def class_name(cls) -> str:
        """Return the name under which LlamaIndex writes such a memory."""
        return "MemwrapMemory"

    @classmethod
    def from_defaults(
        cls,
        session: Session | None = None,
        chat_history: Sequence[ChatMessage] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Return the memory of a session.

        Args:
            session: Any session.
            chat_history: What the first run sees in place of the session.
            **kwargs: None: how much is loaded is told by the session.

        Raises:
            ConfigurationError: There is no session, or another argument.
        """
        if session is None:
            raise ConfigurationError(
                "MemwrapMemory.from_defaults() needs session=: pass the memory itself, as in"
                " memory=MemwrapMemory(session)"
            )
        if kwargs:
            raise ConfigurationError(
                f"MemwrapMemory.from_defaults() takes no {', '.join(sorted(kwargs))}: to load a"
                " part of a session, pass store.session(id, limit=...)"
            )
        memory = cls(session)
        if chat_history:
            memory._show(chat_history)
        return memory

    @property
    def session(self) -> Session:
        """The session."""
        return self._session_plug().session

    # As agents call it

    async def aget(self, input: str | None = None, **kwargs: Any) -> list[ChatMessage]:  # noqa: ARG002
        """Return what a run sees: the session, as a model takes it, or what was set."""
        return await self.aget_all() if self._view is None else list(self._view)

    async def aget_all(self) -> list[ChatMessage]:
        """Return the messages of the session, as a model takes them."""
        return await self._session_plug().load()

    async def aput(self, message: ChatMessage) -> None:
        """Append a message."""
        await self.aput_messages([message])

    async def aput_messages(self, messages: list[ChatMessage]) -> None:
        """Append messages, all of them or none."""
        await self._session_plug().append(messages)
        for message in messages:
            self._note(message)

    async def aset(self, messages: list[ChatMessage]) -> None:
        """Let this run see other messages; the session stays as it is."""
        self._show(messages)

    async def areset(self) -> None:
        """Remove all messages."""
        self._view = None
        await self._session_plug().clear()

    # The same for callers without an event loop

    def get(self, input: str | None = None, **kwargs: Any) -> list[ChatMessage]:
        """Return what a run sees; see `aget`."""
        return self._session_plug().wait(lambda: self.aget(input, **kwargs))

    def get_all(self) -> list[ChatMessage]:
        """Return the messages of the session; see `aget_all`."""
        return self._session_plug().wait(self.aget_all)

    def put(self, message: ChatMessage) -> None:
        """Append a message."""
        self.put_messages([message])

    def put_messages(self, messages: list[ChatMessage]) -> None:
        """Append messages, all of them or none."""
        self._session_plug().wait(lambda: self.aput_messages(messages))

    def set(self, messages: list[ChatMessage]) -> None:
        """Let this run see other messages; the session stays as it is."""
        self._show(messages)

    def reset(self) -> None:
        """Remove all messages."""
        self._session_plug().wait(self.areset)

    def _show(self, messages: Sequence[ChatMessage]) -> None:
        self._view, self._is_answered = list(messages), False

    def _note(self, message: ChatMessage) -> None:
        """Add a message to what this run sees; a question behind an answer is the next run's."""
        if self._view is None:
            return
        if message.role == MessageRole.USER and self._is_answered:
            self._view = None
            return
        self._is_answered = self._is_answered or message.role == MessageRole.ASSISTANT
        self._view.append(message)

    def _session_plug(self) -> SessionPlug[ChatMessage]:
        if self._plug is None:
            raise ConfigurationError(
                "this memory has no session, as a context that was written down keeps none: call"
                " await ctx.store.set('memory', None), then agent.run(..., ctx=ctx,"
                " memory=MemwrapMemory(session))"
            )
        return self._plug

"""Sessions as LangChain's chat histories."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from memwrap.adapters.langchain.shape import items_for_all, messages_for
from memwrap.adapters.plugs import SessionPlug
from memwrap.adapters.targets import SAME
from memwrap.items import Item
from memwrap.sessions.base import Session

__all__ = ["SessionChatMessageHistory"]

# Stands for an answer that may already be stored: what is appended must not merge with it.
_ANSWER = ({"type": "message", "role": "assistant", "content": []},)


class SessionChatMessageHistory(BaseChatMessageHistory):
    """A session as a LangChain chat history, for code that takes one.

    The asynchronous methods use the session directly. The synchronous ones run it on memwrap's
    private event loop and wait: a session that belongs to one event loop is for the others only.

    Args:
        session: Any session.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._plug: SessionPlug[BaseMessage] = SessionPlug(session, _Appending())

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        """The messages, oldest first."""
        return self._plug.wait(self.aget_messages)

    async def aget_messages(self) -> list[BaseMessage]:
        """Return the messages, oldest first."""
        return await self._plug.load(is_exact=True)

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Append messages, all of them or none."""
        self._plug.wait(lambda: self.aadd_messages(messages))

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Append messages, all of them or none."""
        await self._plug.append(messages)

    def clear(self) -> None:
        """Remove all messages."""
        self._plug.wait(self.aclear)

    async def aclear(self) -> None:
        """Remove all messages."""
        await self._plug.clear()


class _Appending:
    """Converts messages that are appended to others, and whole conversations back."""

    def to_items(self, messages: Sequence[BaseMessage], /, *, role: str = "user") -> list[Item]:  # noqa: ARG002
        return items_for_all(messages, _ANSWER)

    def from_items(self, items: Sequence[Item], /) -> list[BaseMessage]:
        return list(messages_for(items, target=SAME, is_slice=False))

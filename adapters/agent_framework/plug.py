"""Sessions as Agent Framework's history provider."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from agent_framework import HistoryProvider, Message

from memwrap.adapters.plugs import SessionPlug, check_store
from memwrap.exceptions import ConfigurationError
from memwrap.sessions.base import StoreLike
from memwrap.sessions.resolve import resolve

__all__ = ["MemwrapHistoryProvider"]


class MemwrapHistoryProvider(HistoryProvider):
    """A store as the history provider of an agent, which loads and stores by its own rules.

    The session is the one with the id of the ``AgentSession`` that a run is given. What a run adds
    is stored at its end, in one append, and nothing of a run that fails.

    Args:
        store: Where sessions are found by their ids.
        source_id: The framework's name for this provider among the agent's.
        **options: Those of ``HistoryProvider``.

    Raises:
        ConfigurationError: *store* is no store.
    """

    def __init__(self, store: StoreLike, source_id: str = "memwrap", **options: Any) -> None:
        check_store(store, type(self).__name__)
        super().__init__(source_id, **options)
        self.store = store

    async def get_messages(
        self,
        session_id: str | None,
        *,
        state: dict[str, Any] | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> list[Message]:
        """Return the messages of a session, as a provider takes them."""
        return await self._plug(session_id).load()

    async def save_messages(
        self,
        session_id: str | None,
        messages: Sequence[Message],
        *,
        state: dict[str, Any] | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Append messages to a session, all of them or none."""
        await self._plug(session_id).append(messages)

    def _plug(self, session_id: str | None) -> SessionPlug[Message]:
        session = resolve(session_id, self.store)
        if session is None:
            raise ConfigurationError(
                "the run has no session to remember in: pass agent.run(...,"
                " session=AgentSession(session_id=...))"
            )
        adapter: Any = sys.modules["memwrap.adapters.agent_framework"]
        return SessionPlug(session, adapter)

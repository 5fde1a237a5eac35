"""Sessions that live and die with the process."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from memwrap.sessions.checks import check_seconds, check_tenant
from memwrap.sessions.database import DatabaseSession
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.memory_backend import MemoryBackend

__all__ = ["InMemorySession", "InMemoryStore", "MemoryBackend"]


class InMemorySession(DatabaseSession):
    """The memory of one conversation, in this process only.

    Args:
        session_id: Names the conversation. Two objects with one id share nothing; an
            `InMemoryStore` hands out objects that do.
        session_settings: ``SessionSettings(limit=...)`` or a dict of it: how many items
            ``get_items()`` returns when it is called without a limit.

    Raises:
        ConfigurationError: The id is no string, empty, or too long.
    """

    def __init__(self, session_id: str, *, session_settings: Any = None) -> None:
        super().__init__(session_id, MemoryBackend(), session_settings)


class InMemoryStore(DatabaseStore):
    """Sessions by id, in this process only.

    Args:
        ttl: Seconds or a timedelta after the newest write when a session expires; None for never.
        tenant: Whose sessions they are, a string of up to 1 KiB. Each store has sessions of its
            own anyway; the parameter is that of other stores.
        search: Whether `search` is offered; it reads all items.

    Raises:
        ConfigurationError: The time is not more than 0, or the tenant is no string.
    """

    def __init__(
        self, *, ttl: float | timedelta | None = None, tenant: str = "", search: bool = False
    ) -> None:
        check_tenant(tenant)
        super().__init__(MemoryBackend(check_seconds(ttl, "ttl"), search=search))

"""memwrap, a rival, and the driver on a naive table: sessions in PostgreSQL behind one face."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

import asyncpg
from workload import WINDOW

from memwrap import PostgresStore
from memwrap.sessions.leases import new_token
from memwrap.sessions.turns import TurnRecord

__all__ = ["CONTENDERS", "AgentsSQLAlchemy", "Contender", "Memwrap", "Raw"]

_LEASE = 30.0


class Contender(ABC):
    """A way to keep sessions on a server.

    Attributes:
        name: As the tables show it.
        table: The table of its items.
    """

    name = ""
    table = ""

    def __init__(self, url: str, size: int = 10) -> None:
        self.url = url
        self.size = size

    async def open(self) -> None:  # noqa: B027  (some open by themselves)
        """Connect, and make what is missing."""

    @abstractmethod
    async def get(self, session_id: str, limit: int) -> list[Any]: ...

    @abstractmethod
    async def add(self, session_id: str, items: list[Any]) -> None: ...

    @abstractmethod
    async def pop(self, session_id: str) -> Any: ...

    async def turn(self, session_id: str, items: list[Any]) -> None:
        await self.get(session_id, WINDOW)
        await self.add(session_id, items)

    async def close(self) -> None:  # noqa: B027
        """Close the connections."""


class _NoReset(asyncpg.Connection):
    """A connection that its pool takes back as it is: a reset would be a second round trip."""

    def get_reset_query(self) -> str:
        return ""


class Raw(Contender):
    """What one writes by hand: a table, two statements, and the driver's pool at its fastest.

    No lease, no order between writers, no list of sessions, nothing stored once only.
    """

    name = "raw asyncpg"
    table = "naive"

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self.url, min_size=1, max_size=self.size, connection_class=_NoReset
        )
        await self._pool.execute(
            "CREATE TABLE IF NOT EXISTS naive (id bigserial PRIMARY KEY, session_id text NOT NULL,"
            " data text NOT NULL, created_at timestamptz NOT NULL DEFAULT now())"
        )
        await self._pool.execute(
            "CREATE INDEX IF NOT EXISTS naive_sessions ON naive (session_id, id)"
        )

    async def get(self, session_id: str, limit: int) -> list[Any]:
        rows = await self._pool.fetch(
            "SELECT data FROM naive WHERE session_id = $1 ORDER BY id DESC LIMIT $2",
            *(session_id, limit),
        )
        return [json.loads(row[0]) for row in reversed(rows)]

    async def add(self, session_id: str, items: list[Any]) -> None:
        await self._pool.execute(
            "INSERT INTO naive (session_id, data) SELECT $1, d FROM unnest($2::text[]) AS d",
            *(session_id, [json.dumps(item) for item in items]),
        )

    async def pop(self, session_id: str) -> Any:
        rows = await self._pool.fetch(
            "DELETE FROM naive WHERE id = (SELECT id FROM naive WHERE session_id = $1"
            " ORDER BY id DESC LIMIT 1) RETURNING data",
            session_id,
        )
        return json.loads(rows[0][0]) if rows else None

    async def close(self) -> None:
        await self._pool.close()


class Memwrap(Contender):
    """memwrap's store; its turn takes a lease, is stored once, and has a record."""

    name = "memwrap"
    table = "memwrap.items"

    async def open(self) -> None:
        self.store = PostgresStore(self.url, pool_size=self.size)
        await self.store.setup()

    async def get(self, session_id: str, limit: int) -> list[Any]:
        return await self.store.session(session_id).get_items(limit)

    async def add(self, session_id: str, items: list[Any]) -> None:
        await self.store.session(session_id).add_items(items)

    async def pop(self, session_id: str) -> Any:
        return await self.store.session(session_id).pop_item()

    async def turn(self, session_id: str, items: list[Any]) -> None:
        session = self.store.session(session_id, limit=WINDOW)
        turn = await session.begin_turn(new_token(), lease=_LEASE)
        if turn is None or not await session.commit_turn(turn, items, TurnRecord(inputs=1)):
            raise RuntimeError("the session was not free")

    async def close(self) -> None:
        await self.store.close(linger=0)


class AgentsSQLAlchemy(Contender):
    """openai-agents' session on SQLAlchemy, with one engine for all, as its documentation says."""

    name = "SQLAlchemySession"
    table = "agent_messages"

    async def open(self) -> None:
        from agents.extensions.memory import SQLAlchemySession
        from sqlalchemy.ext.asyncio import create_async_engine

        url = self.url.replace("postgresql://", "postgresql+asyncpg://", 1)
        self._engine = create_async_engine(url, pool_size=self.size, max_overflow=0)
        self._kind = SQLAlchemySession
        self._sessions: dict[str, Any] = {}

    def _session(self, session_id: str) -> Any:
        if session_id not in self._sessions:
            self._sessions[session_id] = self._kind(
                session_id, engine=self._engine, create_tables=True
            )
        return self._sessions[session_id]

    async def get(self, session_id: str, limit: int) -> list[Any]:
        return await self._session(session_id).get_items(limit)

    async def add(self, session_id: str, items: list[Any]) -> None:
        await self._session(session_id).add_items(items)

    async def pop(self, session_id: str) -> Any:
        return await self._session(session_id).pop_item()

    async def close(self) -> None:
        await self._engine.dispose()


CONTENDERS: tuple[type[Contender], ...] = (Raw, Memwrap, AgentsSQLAlchemy)

"""memwrap and its rivals behind one interface, each used as its documentation shows.

An object is one session on one file. What a library shares between the sessions of a process is
shared here too: the connection of `Raw`, LangChain's engine and LangGraph's saver.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import warnings
from typing import Any

from contender import Contender
from durability import prepare
from workload import messages, workload

__all__ = ["CONTENDERS", "Contender", "check"]


class Raw(Contender):
    """What one writes by hand, on the event loop's thread: one connection for the process.

    It keeps no table of sessions up to date, checks nothing, and blocks the loop.
    """

    name = "raw sqlite3"
    _connections: dict[str, sqlite3.Connection] = {}  # noqa: RUF012

    def __init__(self, path: str, session_id: str) -> None:
        super().__init__(path, session_id)
        if path not in self._connections:
            self._connections[path] = sqlite3.connect(path, timeout=30.0, isolation_level=None)
        self._connection = self._connections[path]

    async def get(self, limit: int | None = None) -> list[Any]:
        rows = self._connection.execute(
            "SELECT message_data FROM agent_messages WHERE session_id = ? ORDER BY id DESC LIMIT ?",
            (self.session_id, -1 if limit is None else limit),
        ).fetchall()
        return [json.loads(row[0]) for row in reversed(rows)]

    async def add(self, items: list[Any]) -> None:
        rows = [(self.session_id, json.dumps(item)) for item in items]
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(
                "INSERT INTO agent_messages (session_id, message_data) VALUES (?, ?)", rows
            )
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    async def pop(self) -> Any:
        rows = self._connection.execute(
            "DELETE FROM agent_messages WHERE id = (SELECT id FROM agent_messages"
            " WHERE session_id = ? ORDER BY id DESC LIMIT 1) RETURNING message_data",
            (self.session_id,),
        ).fetchall()
        return json.loads(rows[0][0]) if rows else None

    @classmethod
    async def release(cls, path: str) -> None:
        connection = cls._connections.pop(path, None)
        if connection is not None:
            connection.close()


class _Wrapping(Contender):
    """A session class with the four methods of the Agents SDK."""

    session: Any

    async def get(self, limit: int | None = None) -> list[Any]:
        return await self.session.get_items(limit)

    async def add(self, items: list[Any]) -> None:
        await self.session.add_items(items)

    async def pop(self) -> Any:
        return await self.session.pop_item()


class Memwrap(_Wrapping):
    """memwrap's SQLiteSession, closed behind each request as a careful user does."""

    name = "memwrap"

    def __init__(self, path: str, session_id: str) -> None:
        from memwrap import SQLiteSession

        super().__init__(path, session_id)
        self.session = SQLiteSession(session_id, path)

    async def close(self) -> None:
        await self.session.close()

    @classmethod
    async def release(cls, path: str) -> None:
        session = cls(path, "any").session
        await session.get_items(1)  # what was closed lingers, and is closed with this one
        await session.close(linger=0)


class Bare(Contender):
    """What one writes with aiosqlite: one connection for the process, and raw's statements."""

    name = "bare aiosqlite"
    _connections: dict[str, asyncio.Future[Any]] = {}  # noqa: RUF012

    async def get(self, limit: int | None = None) -> list[Any]:
        rows = await (await self._connection()).execute_fetchall(
            "SELECT message_data FROM agent_messages WHERE session_id = ? ORDER BY id DESC LIMIT ?",
            (self.session_id, -1 if limit is None else limit),
        )
        return [json.loads(row[0]) for row in reversed(list(rows))]

    async def add(self, items: list[Any]) -> None:
        connection = await self._connection()
        rows = [(self.session_id, json.dumps(item)) for item in items]
        await connection.executemany(
            "INSERT INTO agent_messages (session_id, message_data) VALUES (?, ?)", rows
        )
        await connection.commit()

    async def pop(self) -> Any:
        connection = await self._connection()
        rows = await connection.execute_fetchall(
            "DELETE FROM agent_messages WHERE id = (SELECT id FROM agent_messages"
            " WHERE session_id = ? ORDER BY id DESC LIMIT 1) RETURNING message_data",
            (self.session_id,),
        )
        await connection.commit()
        found = list(rows)
        return json.loads(found[0][0]) if found else None

    def _connection(self) -> asyncio.Future[Any]:
        if self.path not in self._connections:
            self._connections[self.path] = asyncio.ensure_future(self._open())
        return self._connections[self.path]

    async def _open(self) -> Any:
        import aiosqlite

        return await aiosqlite.connect(self.path)

    @classmethod
    async def release(cls, path: str) -> None:
        connection = cls._connections.pop(path, None)
        if connection is not None:
            await (await connection).close()


class AgentsSQLite(_Wrapping):
    """The SQLiteSession of openai-agents."""

    name = "agents SQLiteSession"

    def __init__(self, path: str, session_id: str) -> None:
        from agents import SQLiteSession

        super().__init__(path, session_id)
        self.session = SQLiteSession(session_id, path)

    async def close(self) -> None:
        self.session.close()


class AgentsAsyncSQLite(_Wrapping):
    """The AsyncSQLiteSession of openai-agents."""

    name = "agents AsyncSQLiteSession"

    def __init__(self, path: str, session_id: str) -> None:
        from agents.extensions.memory import AsyncSQLiteSession

        super().__init__(path, session_id)
        self.session = AsyncSQLiteSession(session_id, path)

    async def close(self) -> None:
        await self.session.close()


class LangChain(Contender):
    """LangChain's SQLChatMessageHistory on one asynchronous engine; it has no limit and no pop."""

    name = "LangChain SQLChatMessageHistory"
    pops = False
    rows = ("message_store", "session_id", "id")
    native = staticmethod(messages)
    _engines: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, path: str, session_id: str) -> None:
        with warnings.catch_warnings():
            # The package announces its end when it is imported.
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            from langchain_community.chat_message_histories import SQLChatMessageHistory
        from sqlalchemy.ext.asyncio import create_async_engine

        super().__init__(path, session_id)
        if path not in self._engines:
            self._engines[path] = create_async_engine(f"sqlite+aiosqlite:///{path}")
        self.session = SQLChatMessageHistory(session_id, connection=self._engines[path])

    async def get(self, limit: int | None = None) -> list[Any]:
        found = await self.session.aget_messages()
        return found if limit is None else found[-limit:]

    async def add(self, items: list[Any]) -> None:
        await self.session.aadd_messages(items)

    @classmethod
    async def release(cls, path: str) -> None:
        engine = cls._engines.pop(path, None)
        if engine is not None:
            await engine.dispose()

    @classmethod
    async def fill(cls, path: str, sessions: dict[str, list[Any]]) -> None:
        from langchain_core.messages import message_to_dict

        connection = prepare(path)
        # The library's own table, which has no index on the session.
        connection.execute(
            "CREATE TABLE message_store (id INTEGER NOT NULL, session_id TEXT, message TEXT,"
            " PRIMARY KEY (id))"
        )
        connection.execute("BEGIN IMMEDIATE")
        for session_id, items in sessions.items():
            connection.executemany(
                "INSERT INTO message_store (session_id, message) VALUES (?, ?)",
                [(session_id, json.dumps(message_to_dict(m))) for m in messages(items)],
            )
        connection.execute("COMMIT")
        connection.close()


class LangGraph(Contender):
    """LangGraph's AsyncSqliteSaver, without a graph: a checkpoint holds the whole history.

    Each write rewrites the history, so it is measured with short ones only.
    """

    name = "LangGraph AsyncSqliteSaver"
    pops = False
    longest = 100
    rows = ("checkpoints", "thread_id", "checkpoint_id")
    native = staticmethod(messages)
    _savers: dict[str, asyncio.Future[Any]] = {}  # noqa: RUF012

    async def get(self, limit: int | None = None) -> list[Any]:
        found = (await self._load())[1]
        return found if limit is None else found[-limit:]

    async def add(self, items: list[Any]) -> None:
        from langgraph.checkpoint.base import empty_checkpoint

        config, history = await self._load()
        checkpoint = empty_checkpoint()
        checkpoint["channel_values"] = {"messages": [*history, *items]}
        await (await self._saver()).aput(config, checkpoint, {}, {})

    async def turn(self, items: list[Any]) -> None:
        await self.add(items)  # it has read the history already

    async def _load(self) -> tuple[Any, list[Any]]:
        config = {"configurable": {"thread_id": self.session_id, "checkpoint_ns": ""}}
        found = await (await self._saver()).aget_tuple(config)
        if found is None:
            return config, []
        return found.config, found.checkpoint["channel_values"]["messages"]

    def _saver(self) -> asyncio.Future[Any]:
        if self.path not in self._savers:
            self._savers[self.path] = asyncio.ensure_future(self._open())
        return self._savers[self.path]

    async def _open(self) -> Any:
        import aiosqlite
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        return AsyncSqliteSaver(await aiosqlite.connect(self.path))

    @classmethod
    async def release(cls, path: str) -> None:
        saver = cls._savers.pop(path, None)
        if saver is not None:
            await (await saver).conn.close()

    @classmethod
    async def fill(cls, path: str, sessions: dict[str, list[Any]]) -> None:
        prepare(path).close()
        for session_id, items in sessions.items():
            if len(items) <= cls.longest:
                await cls(path, session_id).add(messages(items))
        await cls.release(path)


CONTENDERS: tuple[type[Contender], ...] = (
    Raw,
    Memwrap,
    Bare,
    AgentsSQLite,
    AgentsAsyncSQLite,
    LangChain,
    LangGraph,
)


async def check(kind: type[Contender], path: str) -> None:
    """Stop the benchmark unless *kind* stores what it is given, seen through a second object."""
    await kind.fill(path, {})
    items = kind.native(workload(20))
    writer, reader = kind(path, "checked"), kind(path, "checked")
    await writer.add(items)
    await writer.turn(items[:2])
    expected = [*items, *items[:2]]
    good = await reader.get(None) == expected and await reader.get(5) == expected[-5:]
    if kind.pops:
        good = good and await reader.pop() == expected.pop() and await writer.get(None) == expected
    for session in (writer, reader):
        await session.close()
    await kind.release(path)
    if not good:
        raise SystemExit(f"{kind.name} does not store what it is given")

"""Memories on one SQLite file behind one small interface, for `benchmarks/sqlite.py`.

Each contender opens a file, hands out sessions by id, and adds, reads and pops items. Rivals that
keep messages of their own get those ready made, outside the timing.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
import weakref
from typing import Any

from memwrap import SQLiteSession, SQLiteStore

_connect = sqlite3.connect
_level = "FULL"
levels: set[tuple[str, str]] = set()
connections: weakref.WeakSet[sqlite3.Connection] = weakref.WeakSet()


class LevelConnection(sqlite3.Connection):
    """A connection at the durability level of the run, whoever opens it."""

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if _level == "NORMAL" and sql.strip().startswith("PRAGMA synchronous"):
            sql = "PRAGMA synchronous = NORMAL"
        return super().execute(sql, *args)


def set_level(level: str) -> None:
    """Let every connection opened from now on be in WAL mode at this level."""
    global _level  # noqa: PLW0603
    _level = level

    def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        kwargs.setdefault("factory", LevelConnection)
        connection = _connect(*args, **kwargs)
        for pragma in ("journal_mode = WAL", f"synchronous = {level}"):
            sqlite3.Connection.execute(connection, f"PRAGMA {pragma}").fetchall()
        connections.add(connection)
        return connection

    sqlite3.connect = connect  # type: ignore[assignment]
    sqlite3.dbapi2.connect = connect  # type: ignore[attr-defined]


class Raw:
    """Hand-written synchronous sqlite3 on the event loop's thread: the yardstick."""

    name = "raw sqlite3"
    native = False

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, session TEXT, data TEXT)"
        )
        self.db.execute("CREATE INDEX IF NOT EXISTS by_session ON items (session, id)")

    def session(self, session_id: str) -> RawSession:
        return RawSession(self.db, session_id)

    async def close(self) -> None:
        self.db.close()


class RawSession:
    def __init__(self, db: sqlite3.Connection, session_id: str) -> None:
        self.db = db
        self.session_id = session_id

    async def add(self, items: list[Any]) -> None:
        rows = [(self.session_id, json.dumps(item)) for item in items]
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany("INSERT INTO items (session, data) VALUES (?, ?)", rows)
        self.db.execute("COMMIT")

    async def get(self, limit: int | None = None) -> list[Any]:
        if limit is None:
            sql = "SELECT data FROM items WHERE session = ? ORDER BY id"
            rows = self.db.execute(sql, (self.session_id,)).fetchall()
        else:
            sql = "SELECT data FROM items WHERE session = ? ORDER BY id DESC LIMIT ?"
            rows = self.db.execute(sql, (self.session_id, limit)).fetchall()[::-1]
        return [json.loads(row[0]) for row in rows]

    async def pop(self) -> Any:
        sql = (
            "DELETE FROM items WHERE id = (SELECT id FROM items WHERE session = ?"
            " ORDER BY id DESC LIMIT 1) RETURNING data"
        )
        row = self.db.execute(sql, (self.session_id,)).fetchone()
        return json.loads(row[0])


class FourMethods:
    """A session with the Agents SDK's methods."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.add, self.get, self.pop = session.add_items, session.get_items, session.pop_item

    async def close(self) -> None:
        result = self.session.close()
        if hasattr(result, "__await__"):
            await result


class Memwrap:
    """This library."""

    name = "memwrap"
    native = False

    def __init__(self, path: str) -> None:
        self.path = path
        self.store = SQLiteStore(path)

    def session(self, session_id: str) -> Any:
        return Forward(SQLiteSession(session_id, self.path))

    async def close(self) -> None:
        await self.store.close()


class Forward:
    """memwrap's session under the names used here; it needs no closing."""

    def __init__(self, session: SQLiteSession) -> None:
        self.add, self.get, self.pop = session.add_items, session.get_items, session.pop_item


class PerSession:
    """Rivals with a connection, or more, for each session object."""

    native = False
    kind: Any

    def __init__(self, path: str) -> None:
        self.path = path
        self.opened: list[FourMethods] = []

    def session(self, session_id: str) -> FourMethods:
        made = FourMethods(self.kind(session_id, self.path))
        self.opened.append(made)
        return made

    async def close(self) -> None:
        for session in self.opened:
            await session.close()


class AgentsSQLite(PerSession):
    """openai-agents SQLiteSession."""

    name = "openai-agents SQLiteSession"

    @property
    def kind(self) -> Any:
        from agents import SQLiteSession

        return SQLiteSession


class AgentsAsyncSQLite(PerSession):
    """openai-agents AsyncSQLiteSession."""

    name = "openai-agents AsyncSQLiteSession"

    @property
    def kind(self) -> Any:
        from agents.extensions.memory import AsyncSQLiteSession

        return AsyncSQLiteSession


def messages(items: list[Any]) -> list[Any]:
    """The items as LangChain messages."""
    from memwrap.adapters.langchain import from_items

    return [message for item in items for message in from_items([item])]


class LangChainSQL:
    """LangChain SQLChatMessageHistory with aiosqlite; it has no pop and no limit."""

    name = "LangChain SQLChatMessageHistory"
    native = True

    def __init__(self, path: str) -> None:
        from sqlalchemy.ext.asyncio import create_async_engine

        self.engine = create_async_engine(f"sqlite+aiosqlite:///{path}")

    def session(self, session_id: str) -> LangChainSession:
        return LangChainSession(session_id, self.engine)

    async def close(self) -> None:
        await self.engine.dispose()


class LangChainSession:
    pop = None

    def __init__(self, session_id: str, engine: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from langchain_community.chat_message_histories import SQLChatMessageHistory

            self.history = SQLChatMessageHistory(session_id, connection=engine, async_mode=True)
        self.add = self.history.aadd_messages

    async def get(self, limit: int | None = None) -> list[Any]:
        found = await self.history.aget_messages()
        return found if limit is None else found[-limit:]


class LangGraphSaver:
    """LangGraph AsyncSqliteSaver: the checkpointer alone, which rewrites the history each time."""

    name = "LangGraph AsyncSqliteSaver"
    native = True

    def __init__(self, path: str) -> None:
        self.path = path
        self.saver: Any = None

    async def open(self) -> None:
        import aiosqlite
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        self.saver = AsyncSqliteSaver(await aiosqlite.connect(self.path))
        await self.saver.setup()

    def session(self, session_id: str) -> LangGraphSession:
        return LangGraphSession(session_id, self.saver)

    async def close(self) -> None:
        await self.saver.conn.close()


class LangGraphSession:
    pop = None

    def __init__(self, session_id: str, saver: Any) -> None:
        self.saver = saver
        self.config = {"configurable": {"thread_id": session_id, "checkpoint_ns": ""}}

    async def get(self, limit: int | None = None) -> list[Any]:
        found = await self.saver.aget_tuple(self.config)
        items = found.checkpoint["channel_values"]["messages"] if found else []
        return items if limit is None else items[-limit:]

    async def add(self, items: list[Any]) -> None:
        from langgraph.checkpoint.base import empty_checkpoint

        found = await self.saver.aget_tuple(self.config)
        checkpoint = empty_checkpoint()
        known = found.checkpoint["channel_values"]["messages"] if found else []
        checkpoint["channel_values"] = {"messages": [*known, *items]}
        checkpoint["channel_versions"] = {"messages": len(known) + len(items)}
        config = found.config if found else self.config
        await self.saver.aput(config, checkpoint, {}, checkpoint["channel_versions"])


ALL = [Raw, Memwrap, AgentsSQLite, AgentsAsyncSQLite, LangChainSQL, LangGraphSaver]

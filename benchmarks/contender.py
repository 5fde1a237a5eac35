"""What every contender of the SQLite benchmark can do, and the tables most of them use."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

from durability import prepare
from workload import WINDOW

__all__ = ["Contender"]

_TABLES = (
    """CREATE TABLE agent_sessions (session_id TEXT PRIMARY KEY,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)""",
    """CREATE TABLE agent_messages (id INTEGER PRIMARY KEY AUTOINCREMENT,
        session_id TEXT NOT NULL, message_data TEXT NOT NULL,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        FOREIGN KEY (session_id) REFERENCES agent_sessions (session_id) ON DELETE CASCADE)""",
    "CREATE INDEX idx_agent_messages_session_id ON agent_messages (session_id, id)",
)


class Contender(ABC):
    """A session; by default on the tables of the Agents SDK.

    Attributes:
        name: As the reports show it.
        pops: Whether it can remove the newest item.
        longest: The longest history it is measured with.
        rows: Its table, and there the columns of the session and of the row.
    """

    name = ""
    pops = True
    longest = 10_000
    rows = ("agent_messages", "session_id", "id")

    def __init__(self, path: str, session_id: str) -> None:
        self.path = path
        self.session_id = session_id

    @abstractmethod
    async def get(self, limit: int | None = None) -> list[Any]: ...

    @abstractmethod
    async def add(self, items: list[Any]) -> None: ...

    async def pop(self) -> Any:
        raise TypeError(f"{self.name} cannot remove the newest item")

    async def turn(self, items: list[Any]) -> None:
        await self.get(WINDOW)
        await self.add(items)

    async def close(self) -> None:  # noqa: B027  (most have nothing to close)
        """Close what a careful user of the library closes after a request."""

    @staticmethod
    def native(items: list[Any]) -> list[Any]:
        """Return the items as the library takes them."""
        return items

    @classmethod  # noqa: B027
    async def release(cls, path: str) -> None:
        """Close what the sessions of the process share."""

    @classmethod
    async def fill(cls, path: str, sessions: dict[str, list[Any]]) -> None:
        """Create the file with these sessions."""
        connection = prepare(path)
        connection.execute("BEGIN IMMEDIATE")
        for statement in _TABLES:
            connection.execute(statement)
        for session_id, items in sessions.items():
            connection.execute("INSERT INTO agent_sessions (session_id) VALUES (?)", (session_id,))
            connection.executemany(
                "INSERT INTO agent_messages (session_id, message_data) VALUES (?, ?)",
                [(session_id, json.dumps(item)) for item in items],
            )
        connection.execute("COMMIT")
        connection.close()

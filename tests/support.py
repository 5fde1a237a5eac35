"""What tests share and is no fixture; each name has one meaning in all of them."""

import asyncio
import sqlite3
from contextlib import closing
from copy import deepcopy
from pathlib import Path

import memwrap

ROOT = str(Path(memwrap.__file__).parents[1])
"""The checkout, for interpreters that are started elsewhere."""

TIMEOUT = 20.0
"""Seconds after which something that should happen has not."""

CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
"""A tool call as small as can be."""

OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "done"}
"""The output that answers it."""

REASONING = {"type": "reasoning", "id": "r", "summary": []}
"""A reasoning item that tells nothing."""


def comparable(value):
    """Return a value in which objects that equal only themselves are told by their fields."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(comparable, value))
    if isinstance(value, dict):
        return {key: comparable(member) for key, member in value.items()}
    if type(value).__eq__ is object.__eq__ and hasattr(value, "__dict__"):
        return type(value).__name__, comparable(vars(value))
    return value


async def gathered(events):
    """Return all events of a stream."""
    return [event async for event in events]


async def ids_of(store, **options):
    """Return the ids of the sessions that a store lists."""
    return [info.session_id for info in await store.sessions(**options)]


def query(path, sql, *parameters):
    """Run a statement on a database by a connection of nobody's; return its rows."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(sql, parameters).fetchall()
        connection.commit()
    return rows


class HandWritten:
    """A session as an author may write it: four methods over a list, all of them right."""

    def __init__(self, session_id):
        self.session_id = session_id
        self.items = []

    async def get_items(self, limit=None):
        items = deepcopy(self.items)
        return items if limit is None else items[max(0, len(items) - limit) :]

    async def add_items(self, items):
        self.items += deepcopy(items)

    async def pop_item(self):
        return self.items.pop() if self.items else None

    async def clear_session(self):
        self.items.clear()


class FourMethods:
    """Somebody else's session: it waits in its methods, and hands out the list that it keeps."""

    def __init__(self, session_id="four", items=()):
        self.session_id = session_id
        self.items = list(items)

    async def get_items(self, limit=None):
        await asyncio.sleep(0)
        return self.items

    async def add_items(self, items):
        await asyncio.sleep(0)
        self.items.extend(items)
        await asyncio.sleep(0)

    async def pop_item(self):
        return self.items.pop() if self.items else None

    async def clear_session(self):
        self.items.clear()


class SyncMethods:
    """The same with plain functions, which cannot wait."""

    def __init__(self, session_id="sync"):
        self.session_id = session_id
        self.items = []

    def get_items(self, limit=None):
        return self.items

    def add_items(self, items):
        self.items.extend(items)

    def pop_item(self):
        return self.items.pop() if self.items else None

    def clear_session(self):
        self.items.clear()

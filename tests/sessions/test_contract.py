"""The contract of sessions, kept by every session there is."""

from copy import deepcopy

import pytest

from memwrap import InMemorySession, InMemoryStore, SQLiteSession, SQLiteStore
from memwrap.testing import FlakySession, SessionContract


class TestInMemorySession(SessionContract):
    def session(self, session_id):
        return InMemorySession(session_id)


class TestInMemoryStore(SessionContract):
    shared = True

    @pytest.fixture(autouse=True)
    def store(self):
        self.of_test = InMemoryStore()

    def session(self, session_id):
        return self.of_test.session(session_id)


class TestFlakySession(SessionContract):
    def session(self, session_id):
        return FlakySession(session_id)


class TestSQLiteSessionInMemory(SessionContract):
    def session(self, session_id):
        return SQLiteSession(session_id, ":memory:")


class TestSQLiteSession(SessionContract):
    shared = True

    @pytest.fixture(autouse=True)
    def file(self, path):
        self.path = path

    def session(self, session_id):
        return SQLiteSession(session_id, self.path)


class TestSQLiteSessionWithItsOwnTables(TestSQLiteSession):
    def session(self, session_id):
        return SQLiteSession(session_id, self.path, sessions_table="talks", messages_table="lines")


class TestSQLiteStore(SessionContract):
    shared = True

    @pytest.fixture(autouse=True)
    def store(self, path):
        self.of_test = SQLiteStore(path)

    def session(self, session_id):
        return self.of_test.session(session_id)


class HandWritten:
    """As small as a session can be: an id and four methods."""

    def __init__(self, session_id):
        self.session_id = session_id
        self.items = []

    async def get_items(self, limit=None):
        return deepcopy(self.items if limit is None else self.items[-limit or len(self.items) :])

    async def add_items(self, items):
        self.items += deepcopy(items)

    async def pop_item(self):
        return self.items.pop() if self.items else None

    async def clear_session(self):
        self.items.clear()


class TestHandWritten(SessionContract):
    def session(self, session_id):
        return HandWritten(session_id)

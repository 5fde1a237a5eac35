"""The contract of sessions, kept by every session there is."""

import pytest
from support import HandWritten

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


class TestHandWritten(SessionContract):
    def session(self, session_id):
        return HandWritten(session_id)

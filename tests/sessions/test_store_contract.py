"""The contract of stores, kept by every store there is."""

import pytest

from memwrap import InMemoryStore, SQLiteStore
from memwrap.testing import StoreContract


class TestInMemoryStore(StoreContract):
    def store(self, **options):
        return InMemoryStore(**options)


class TestSQLiteStore(StoreContract):
    @pytest.fixture(autouse=True)
    def file(self, path):
        self.path = path

    def store(self, **options):
        return SQLiteStore(self.path, **options)

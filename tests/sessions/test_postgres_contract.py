"""The contracts of sessions and stores, kept by those in PostgreSQL."""

import pytest

from memwrap import PostgresSession, PostgresStore
from memwrap.testing import SessionContract, StoreContract


class TestPostgresSession(SessionContract):
    shared = True

    @pytest.fixture(autouse=True)
    def place(self, postgres_url, tenant):
        self.place = postgres_url, tenant

    def session(self, session_id):
        url, tenant = self.place
        return PostgresSession(session_id, url, tenant=tenant)


class TestPostgresStore(SessionContract):
    shared = True

    @pytest.fixture(autouse=True)
    def store(self, postgres_url, tenant):
        self.of_test = PostgresStore(postgres_url, tenant=tenant, ttl=3600)

    def session(self, session_id):
        return self.of_test.session(session_id)


class TestPostgresStoreAsAWhole(StoreContract):
    @pytest.fixture(autouse=True)
    def place(self, postgres_url, tenant):
        self.place = postgres_url, tenant

    def store(self, **options):
        url, tenant = self.place
        return PostgresStore(url, tenant=tenant, **options)

"""The contract of sessions, kept by those on a Redis server."""

import pytest

from memwrap import RedisSession, RedisStore
from memwrap.testing import SessionContract


class TestRedisSession(SessionContract):
    shared = True

    @pytest.fixture(autouse=True)
    def place(self, redis_url, tenant):
        self.place = redis_url, tenant

    def session(self, session_id):
        url, tenant = self.place
        return RedisSession(session_id, url, tenant=tenant)


class TestRedisStore(SessionContract):
    shared = True

    @pytest.fixture(autouse=True)
    def store(self, redis_url, tenant):
        self.of_test = RedisStore(redis_url, tenant=tenant, ttl=3600)

    def session(self, session_id):
        return self.of_test.session(session_id)

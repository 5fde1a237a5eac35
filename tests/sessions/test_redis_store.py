"""The contract of stores, kept by those on a Redis server."""

import pytest

from memwrap import RedisStore
from memwrap.testing import StoreContract


class TestRedisStoreContract(StoreContract):
    searches = False

    @pytest.fixture(autouse=True)
    def place(self, redis_url, tenant):
        self.place = redis_url, tenant

    def store(self, **options):
        url, tenant = self.place
        return RedisStore(url, tenant=tenant, **options)

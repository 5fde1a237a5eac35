"""Servers that tests of sessions share: each is started when a test first asks for it."""

import itertools

import pytest
from proxies import Proxy, socket_of

_numbers = itertools.count()


@pytest.fixture
def tenant():
    """A tenant that no other test has."""
    return f"tenant {next(_numbers)}"


@pytest.fixture
def proxy(postgres_url):
    """What stands between a test and the server."""
    with Proxy(socket_of(postgres_url)) as made:
        yield made


@pytest.fixture
def redis_proxy(redis_server):
    """What stands between a test and the Valkey server."""
    with Proxy(redis_server[1]) as made:
        yield made

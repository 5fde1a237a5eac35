"""Turns that are too many."""

import asyncio
import time

import pytest
from servers import valkey

from memwrap import ConfigurationError, InMemoryStore, RateLimited, StoreError, with_session
from memwrap.middleware import Memory, RateLimit
from memwrap.testing import FlakySession


async def echo(items):
    return f"{len(items)}"


async def test_turns_too_many_are_refused():
    """What is over the rate is refused before the session is touched, and says for how long."""
    session = FlakySession()
    agent = with_session(echo, middleware=[RateLimit("2/minute")])
    for _ in range(2):
        await agent("x", session=session)
    before = list(session.calls)
    with pytest.raises(RateLimited, match=r"RateLimit\('2/minute'\)") as caught:
        await agent("x", session=session)
    assert session.calls == before
    assert 50 < caught.value.retry_after <= 60


async def test_sessions_are_counted_apart(store):
    """Each session has turns of its own, however alike their ids are."""
    agent = with_session(echo, store=store, middleware=[RateLimit("1/minute")])
    for name in ("a", "a/b", "b", "a%2Fb", "ü", "a/1/1/minute"):
        await agent("x", session=name)
        with pytest.raises(RateLimited):
            await agent("x", session=name)


async def test_keys(store):
    """A function tells whose turns are counted together."""
    layer = RateLimit("2/minute", key=lambda turn: turn.session_id.partition(":")[0])
    agent = with_session(echo, store=store, middleware=[layer])
    await agent("x", session="ada:1")
    await agent("x", session="ada:2")
    await agent("x", session="bob:1")
    with pytest.raises(RateLimited):
        await agent("x", session="ada:3")


async def test_turns_without_a_session_are_counted_together():
    """Turns that have no session have one limit."""
    agent = with_session(echo, middleware=[RateLimit("1/minute")])
    await agent("x", session=None)
    with pytest.raises(RateLimited):
        await agent("x", session=None)


async def test_several_rates(session):
    """The narrowest of several rates counts, and a refused turn uses up nothing of the others."""
    agent = with_session(echo, middleware=[RateLimit("1/second;3/minute")])
    await agent("x", session=session)
    for _ in range(5):
        with pytest.raises(RateLimited) as caught:
            await agent("x", session=session)
        assert caught.value.retry_after <= 1
    await asyncio.sleep(1.05)
    await agent("x", session=session)


async def test_waiting(session):
    """With `wait` a turn too many runs as soon as there is room."""
    agent = with_session(echo, middleware=[RateLimit("2/second", on_exceeded="wait")])
    begun = time.monotonic()
    await asyncio.gather(*(agent("x", session=session) for _ in range(3)))
    assert 0.9 < time.monotonic() - begun < 3


@pytest.fixture(scope="module")
def server():
    with valkey() as url:
        yield url


async def test_processes_share_a_server(server):
    """Two layers on one server count together."""
    storage = server.replace("unix://", "redis+unix://")
    first, second = (
        with_session(echo, middleware=[RateLimit("2/minute", storage=storage)]) for _ in range(2)
    )
    store = InMemoryStore()
    await first("x", session=store.session("s"))
    await second("x", session=store.session("s"))
    for agent in (first, second):
        with pytest.raises(RateLimited):
            await agent("x", session=store.session("s"))


async def test_server_that_is_away(session):
    """A storage that fails is a `StoreError`; the agent is not called."""
    storage = "redis://:hush@127.0.0.1:1/0"
    agent = with_session(echo, middleware=[RateLimit("2/minute", storage=storage)])
    with pytest.raises(StoreError, match="storage failed") as caught:
        await agent("x", session=session)
    assert "hush" not in f"{caught.value} {caught.value.__cause__}"
    assert await session.get_items() == []


async def test_key_that_is_no_text(session):
    """A key of another type is told before the agent is called."""
    agent = with_session(echo, middleware=[RateLimit("2/minute", key=lambda turn: 3)])
    with pytest.raises(ConfigurationError, match="returned int; it returns a text"):
        await agent("x", session=session)


@pytest.mark.parametrize(
    ("args", "options", "says"),
    [
        (["often"], {}, "'20/minute'"),
        ([20], {}, "'20/minute'"),
        (["2/minute"], {"storage": "nosuch://:hush@x"}, "'nosuch' cannot be used"),
        (["2/minute"], {"on_exceeded": "warn"}, "on_exceeded"),
        (["2/minute"], {"key": "user"}, "function from a turn"),
    ],
)
def test_wrong_options_are_refused(args, options, says):
    """What an option cannot be is told when the layer is made, without a password."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        RateLimit(*args, **options)
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_behind_memory_is_refused():
    """A turn that is refused must not have taken its session."""
    with pytest.raises(ConfigurationError, match="RateLimit.*before Memory"):
        with_session(echo, middleware=[Memory(), RateLimit("2/minute")])
    with_session(echo, middleware=[RateLimit("2/minute")])

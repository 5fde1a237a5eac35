import asyncio
import gc

import pytest

from memwrap import InMemorySession, with_session
from memwrap.adapters.streams import Shown


def doubled(event):
    return [event, event] if event != "b" else []


def shown(agent, session=None):
    return Shown(with_session(agent)("Hi", session=session), doubled)


async def letters(messages):
    for letter in "abc":
        yield letter


async def test_events_are_shown():
    """The caller gets what is shown of each event: several things, or nothing."""
    assert [one async for one in shown(letters)] == ["a", "a", "c", "c"]


async def test_it_is_an_asynchronous_generator():
    """It can be sent on, and an error can be raised where it waits."""
    stream = shown(letters)
    assert await stream.asend(None) == "a"
    with pytest.raises(ValueError, match="wrong"):
        await stream.athrow(ValueError("wrong"))
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


@pytest.mark.parametrize("way", ["aclose", "cancel", "dropped"])
async def test_stopped_early(way):
    """A stream that is closed, cancelled or dropped gives nothing more, and stores nothing."""
    session = InMemorySession("s")
    ended = asyncio.Event()

    async def agent(messages):
        try:
            yield "a"
            yield "b"
        finally:
            ended.set()

    stream = shown(agent, session)
    assert await anext(stream) == "a"
    if way == "aclose":
        await stream.aclose()
    elif way == "cancel":
        stream.cancel()
    if way == "dropped":
        del stream
        gc.collect()
    else:
        assert [one async for one in stream] == []
    await asyncio.wait_for(ended.wait(), 5)
    assert await session.get_items() == []

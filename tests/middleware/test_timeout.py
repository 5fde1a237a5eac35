"""Agents that take too long."""

import asyncio
import time

import pytest
from support import gathered

from memwrap import ConfigurationError, TurnTimeout, with_session
from memwrap.items import assistant, user
from memwrap.middleware import Timeout


def slow(*pauses, words="abcdef"):
    """Return a stream that waits before its events, and at its end."""

    async def agent(items):
        for pause, word in zip(pauses, words, strict=False):
            await asyncio.sleep(pause)
            if word != ".":
                yield word

    return agent


async def test_call_that_takes_too_long(session):
    """The agent is cancelled, nothing is stored, and the error names the option."""
    ended = []

    async def agent(items):
        try:
            await asyncio.sleep(20)
        finally:
            ended.append(True)

    limited = with_session(agent, middleware=[Timeout(0.01)])
    with pytest.raises(TurnTimeout, match=r"longer than Timeout\(seconds=0.01\)"):
        await limited("x", session=session)
    assert ended == [True]
    assert await session.get_items() == []
    assert issubclass(TurnTimeout, TimeoutError)


@pytest.mark.parametrize(
    ("pauses", "options", "events", "says"),
    [
        ([20], {"first_event": 0.02}, [], r"within Timeout\(first_event=0.02\)"),
        ([0, 20], {"between_events": 0.02}, ["a"], r"for Timeout\(between_events=0.02\)"),
        ([0, 0, 20], {"between_events": 0.02}, ["a", "b"], "between_events"),
        ([0, 20], {"first_event": 0.02, "seconds": 0.05}, ["a"], "seconds=0.05"),
        ([0.02] * 6, {"between_events": 5, "seconds": 0.05}, None, "seconds"),
        ([20], {"first_event": 5, "seconds": 0.02}, [], "seconds"),
    ],
)
async def test_streams(session, pauses, options, events, says):
    """Each limit stops a stream by itself; what had left before has left."""
    layer = Timeout(options.pop("seconds", 10), **options)
    stream = with_session(slow(*pauses), middleware=[layer])
    found = []
    with pytest.raises(TurnTimeout, match=says):
        async for event in stream("x", session=session):
            found.append(event)
    assert events is None or found == events
    assert await session.get_items() == []


async def test_end_of_a_stream_is_waited_for(session):
    """The time to the end of a stream counts as that to an event."""
    stream = with_session(slow(0, 20, words="a."), middleware=[Timeout(10, between_events=0.02)])
    with pytest.raises(TurnTimeout):
        await gathered(stream("x", session=session))


async def test_time_of_the_caller_does_not_count(session):
    """A caller that thinks about each event uses none of the agent's time."""
    layer = Timeout(0.1, first_event=0.1, between_events=0.1)
    stream = with_session(slow(0, 0, 0), middleware=[layer])
    found = []
    async for event in stream("x", session=session):
        found.append(event)
        await asyncio.sleep(0.12)
    assert found == ["a", "b", "c"]
    assert await session.get_items() == [user("x"), assistant("abc")]


async def test_timer_starts_again_behind_a_slow_caller(session):
    """Who is slow after a caller was slow is stopped all the same."""
    stream = with_session(slow(0, 20), middleware=[Timeout(0.05)])
    with pytest.raises(TurnTimeout):
        async for _ in stream("x", session=session):
            await asyncio.sleep(0.1)


async def test_errors_of_the_agent_stay_what_they_are(session):
    """An agent's own timeout is not taken for that of the layer."""
    error = TimeoutError("of a socket")

    async def agent(items):
        raise error

    with pytest.raises(TimeoutError) as caught:
        await with_session(agent, middleware=[Timeout(10)])("x", session=session)
    assert caught.value is error


async def test_agent_that_swallows_the_cancellation(session):
    """What an agent answers too late, having ignored that it was stopped, is not used."""

    async def agent(items):
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            return "too late"

    with pytest.raises(TurnTimeout):
        await with_session(agent, middleware=[Timeout(0.01)])("x", session=session)
    assert await session.get_items() == []


def test_plain_functions_are_not_waited_for(session):
    """A plain function runs on in its thread; what it returns too late is not stored."""

    def agent(items):
        time.sleep(0.05)
        return "too late"

    with pytest.raises(TurnTimeout):
        with_session(agent, middleware=[Timeout(0.01)])("x", session=session)
    assert asyncio.run(session.get_items()) == []


async def test_cancellation_from_outside_stays_one(session):
    """A caller that cancels gets a cancellation, not a timeout."""
    agent = with_session(slow(20), middleware=[Timeout(10)])
    task = asyncio.create_task(gathered(agent("x", session=session)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("args", "options"),
    [([0], {}), ([-1], {}), (["1"], {}), ([True], {}), ([1], {"first_event": 0})],
)
def test_wrong_options_are_refused(args, options):
    """A time is a number above 0."""
    with pytest.raises(ConfigurationError, match="above 0"):
        Timeout(*args, **options)

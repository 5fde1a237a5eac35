"""Agents that fail and are called again, or in whose place another is called."""

import asyncio
import logging
from functools import partial

import pytest
from support import CALL, OUTPUT, gathered

from memwrap import ConfigurationError, InMemorySession, record, with_session
from memwrap.items import assistant, user
from memwrap.middleware import Fallback, Memory, Retry
from memwrap.testing import FlakySession, ScriptedAgent

DOWN = ConnectionError("hush: the model is down")
quickly = partial(Retry, on=ConnectionError, wait_initial=0, wait_jitter=0)


async def test_failed_calls_are_made_again(session):
    """The agent is called until it answers, in one turn with one append."""
    session = FlakySession()
    script = ScriptedAgent(DOWN, DOWN, "fine")
    assert await with_session(script, middleware=[quickly()])("x", session=session) == "fine"
    assert script.calls == [[user("x")]] * 3
    assert await session.get_items() == [user("x"), assistant("fine")]
    assert session.calls.count("add_items") == 1


async def test_last_error_is_the_agents_own(session):
    """When the attempts are over, the very error of the last one is raised."""
    errors = [ConnectionError(str(number)) for number in range(3)]
    script = ScriptedAgent(*errors, "too late")
    with pytest.raises(ConnectionError) as caught:
        await with_session(script, middleware=[quickly()])("x", session=session)
    assert caught.value is errors[2]
    assert len(script.calls) == 3
    assert await session.get_items() == []


@pytest.mark.parametrize(
    ("on", "error"),
    [
        (ConnectionError, ValueError()),
        ((OSError, KeyError), ValueError()),
        (lambda exc: "busy" in str(exc), ValueError("gone")),
    ],
)
async def test_other_errors_are_not_tried_again(session, on, error):
    """What `on` does not know is raised at once."""
    script = ScriptedAgent(error, "x")
    with pytest.raises(ValueError) as caught:
        await with_session(script, middleware=[Retry(on=on)])("x", session=session)
    assert caught.value is error
    assert len(script.calls) == 1


async def test_error_that_changes_between_attempts(session):
    """A later attempt that fails otherwise is the last."""
    other = ValueError()
    script = ScriptedAgent(DOWN, other, "x")
    with pytest.raises(ValueError) as caught:
        await with_session(script, middleware=[quickly(attempts=5)])("x", session=session)
    assert caught.value is other


async def test_streams_are_tried_again_before_the_first_event(session):
    """A stream begins anew as long as nothing of it has left, and not after that."""
    script = ScriptedAgent([DOWN], ["a", "b"], ["a", DOWN], ["no"])
    stream = with_session(script.stream, middleware=[quickly()])
    assert await gathered(stream("one", session=session)) == ["a", "b"]
    found = []
    with pytest.raises(ConnectionError):
        async for event in stream("two", session=session):
            found.append(event)
    assert found == ["a"]
    assert len(script.calls) == 3


async def test_events_of_a_second_attempt_are_not_repeated(session):
    """A second attempt that fails after its first event is the last."""
    script = ScriptedAgent([DOWN], ["a", DOWN], ["no"])
    stream = with_session(script.stream, middleware=[quickly()])
    with pytest.raises(ConnectionError):
        await gathered(stream("x", session=session))
    assert len(script.calls) == 2


@pytest.mark.parametrize("layer", [quickly(), Fallback(lambda items: "fine")])
async def test_what_failed_attempts_recorded_is_gone(session, layer):
    """Tool calls that a failed attempt recorded are not stored."""
    calls = []

    async def agent(items):
        calls.append(1)
        record([CALL, OUTPUT])
        items.append(assistant("half"))
        if len(calls) == 1:
            raise DOWN
        return "fine"

    assert await with_session(agent, middleware=[layer])("x", session=session) == "fine"
    items = await session.get_items()
    assert [item for item in items if item == CALL] == [CALL] * (len(calls) - 1)


async def test_waits_are_those_of_the_options(session, monkeypatch):
    """Waits double up to the most, with jitter on top."""
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    layer = Retry(on=OSError, attempts=5, wait_initial=1, wait_max=3, wait_jitter=0.5)
    with pytest.raises(ConnectionError):
        await with_session(ScriptedAgent(*[DOWN] * 5), middleware=[layer])("x", session=session)
    waits = [wait for wait in waits if wait]
    assert len(waits) == 4
    for wait, least in zip(waits, [1, 2, 3, 3], strict=True):
        assert least <= wait <= least + 0.5


async def test_cancellation_during_a_wait(session):
    """A turn can be cancelled while it waits for its next attempt."""
    script = ScriptedAgent(DOWN, "no")
    layer = Retry(on=OSError, wait_initial=20, wait_max=20)
    task = asyncio.create_task(with_session(script, middleware=[layer])("x", session=session))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(script.calls) == 1


async def test_texts_of_errors_are_not_logged(session, caplog):
    """Attempts leave no text of an error in any log."""
    caplog.set_level(logging.DEBUG)
    await with_session(ScriptedAgent(DOWN, "x"), middleware=[quickly()])("x", session=session)
    assert "hush" not in caplog.text


async def test_fallback(session):
    """The next agent answers what the first ones could not, in one turn."""
    second, third = ScriptedAgent(DOWN), ScriptedAgent("third", "third again")
    script = ScriptedAgent(DOWN, "first")
    agent = with_session(script, middleware=[Fallback(second, third)])
    assert await agent("x", session=session) == "third"
    assert await agent("y", session=session) == "first"
    assert third.calls == [[user("x")]]
    assert script.calls[1] == [user("x"), assistant("third"), user("y")]


async def test_fallback_errors(session):
    """When all fail, the last error is raised; errors that `on` does not know end it at once."""
    last = ConnectionError("last")
    others = [ScriptedAgent(last), ScriptedAgent("no")]
    agent = with_session(ScriptedAgent(DOWN, DOWN), middleware=[Fallback(others[0], on=OSError)])
    with pytest.raises(ConnectionError) as caught:
        await agent("x", session=session)
    assert caught.value is last
    agent = with_session(ScriptedAgent(DOWN), middleware=[Fallback(others[1], on=KeyError)])
    with pytest.raises(ConnectionError) as caught:
        await agent("x", session=session)
    assert caught.value is DOWN


async def test_fallback_of_retries(session):
    """Inside of a fallback each agent has attempts of its own."""
    script, other = ScriptedAgent(DOWN, DOWN), ScriptedAgent(DOWN, "fine")
    layers = [Fallback(other), quickly(attempts=2)]
    assert await with_session(script, middleware=layers)("x", session=session) == "fine"
    assert (len(script.calls), len(other.calls)) == (2, 2)


async def test_a_layer_around_begins_with_the_first_agent(session):
    """When all have failed, another attempt begins with the first agent."""
    script, other = ScriptedAgent(DOWN, "fine"), ScriptedAgent(DOWN)
    layers = [quickly(), Fallback(other)]
    assert await with_session(script, middleware=layers)("x", session=session) == "fine"


async def stream_of(items):
    yield "a"
    yield "b"


def plain(items):
    return "ab"


def plain_stream(items):
    yield "a"
    yield "b"


@pytest.mark.parametrize("other", [stream_of, ScriptedAgent("ab"), plain])
async def test_fallback_for_streams(session, other):
    """A stream may be stood in for by a stream, or by a call as its one event."""
    stream = with_session(ScriptedAgent([DOWN]).stream, middleware=[Fallback(other)])
    assert "".join(await gathered(stream("x", session=session))) == "ab"
    assert await session.get_items() == [user("x"), assistant("ab")]


def test_fallback_for_plain_functions():
    """Plain functions and generators are stood in for by their like."""

    def fail(items):
        raise DOWN

    def fail_stream(items):
        raise DOWN
        yield

    session = InMemorySession("s")
    assert with_session(fail, middleware=[Fallback(plain)])("x", session=session) == "ab"
    for other in (plain_stream, plain):
        stream = with_session(fail_stream, middleware=[Fallback(other)])
        assert "".join(stream("x", session=session)) == "ab"


async def test_fallback_that_cannot_stand_in(session):
    """An agent that is called in another way is named when it is needed."""
    agent = with_session(ScriptedAgent(DOWN), middleware=[Fallback(stream_of)])
    with pytest.raises(ConfigurationError, match="stream_of cannot stand in .* async function"):
        await agent("x", session=session)


async def test_fallback_gets_the_callers_arguments(session):
    """The other agent gets what the caller passed besides the input."""

    async def agent(items, temperature):
        raise DOWN

    async def other(items, temperature):
        return f"at {temperature}"

    remembering = with_session(agent, middleware=[Fallback(other)])
    assert await remembering("x", temperature=2, session=session) == "at 2"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Retry(on="x"), r"Retry\(on=...\)"),
        (lambda: Retry(on=()), r"Retry\(on=...\)"),
        (lambda: Retry(on=BaseException), r"Retry\(on=...\)"),
        (lambda: Retry(on=OSError, attempts=0), "attempts"),
        (lambda: Retry(on=OSError, wait_max=-1), "wait_max"),
        (lambda: Fallback(), "needs an agent"),
        (lambda: Fallback(plain, on=3), r"Fallback\(on=...\)"),
        (lambda: Fallback(with_session(plain)), "plain remembers itself"),
        (lambda: Fallback("gpt"), "cannot be called"),
    ],
)
def test_wrong_options_are_refused(make, says):
    """What an option cannot be is told when the layer is made."""
    with pytest.raises(ConfigurationError, match=says):
        make()


@pytest.mark.parametrize("layer", [quickly(), Fallback(plain)])
def test_outside_of_memory_each_attempt_would_be_a_turn(layer):
    """Retries and fallbacks belong behind memory."""
    with pytest.raises(ConfigurationError, match="behind Memory"):
        with_session(plain, middleware=[layer, Memory()])

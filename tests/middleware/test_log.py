"""What a turn leaves in the log."""

import asyncio
import logging
import re
from contextlib import suppress

import pytest
from support import gathered

from memwrap import with_session
from memwrap.exceptions import ConversionError
from memwrap.items import assistant, system, user
from memwrap.middleware import Log, Memory
from memwrap.testing import ScriptedAgent

HUSHED_CALL = {"type": "function_call", "call_id": "c", "name": "hush", "arguments": '{"hush": 1}'}


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG)
    return caplog


def messages(log, name="memwrap"):
    return [(r.levelname, r.getMessage()) for r in log.records if r.name == name]


async def test_finished_turn_is_one_record(log, session):
    """Ids, counts, roles, sizes and the time of a turn are one record at INFO."""
    await session.add_items([system("hush"), user("hush"), assistant("hush")])
    agent = with_session(ScriptedAgent([HUSHED_CALL, assistant("hush")]), middleware=[Log()])
    await agent("hush", session=session)
    ((level, text),) = messages(log)
    assert level == "INFO"
    size = len('{"role":"user","content":"hush"}')
    assert re.fullmatch(
        r"turn done session='s' turn_id=None"
        r" history=3\(system:1 user:1 assistant:1 \d+B\)"
        rf" input=1\(user:1 {size}B\)"
        r" new=2\(function_call:1 assistant:1 \d+B\)"
        r" events=1 seconds=\d+\.\d{3}",
        text,
    )


async def test_content_is_not_logged(log, session):
    """Nothing that was said is in the log, at any level and of any logger."""
    script = ScriptedAgent("hush", ["hu", "sh"], RuntimeError("hush"))
    agent, stream = (with_session(a, middleware=[Log()]) for a in (script, script.stream))
    await agent("hush", session=session)
    await gathered(stream("hush", session=session))
    with pytest.raises(RuntimeError):
        await agent("hush", session=session)
    assert len(messages(log)) == 3
    assert "hush" not in log.text


async def test_content_is_logged_when_told(log, session):
    """With `content=True` history, input and each event are records at DEBUG."""
    await session.add_items([user("before")])
    stream = with_session(ScriptedAgent(["he", "llo"]).stream, middleware=[Log(content=True)])
    await gathered(stream("hush", session=session))
    assert [text for level, text in messages(log) if level == "DEBUG"] == [
        "turn history: [{'role': 'user', 'content': 'before'}]",
        "turn input: [{'role': 'user', 'content': 'hush'}]",
        "turn event: 'he'",
        "turn event: 'llo'",
    ]


async def test_failed_turn_is_a_warning(log, session):
    """A turn that fails is a record at WARNING with the type of its error, which passes on."""
    error = LookupError("hush")
    with pytest.raises(LookupError) as caught:
        await with_session(ScriptedAgent(error), middleware=[Log()])("a", session=session)
    assert caught.value is error
    ((level, text),) = messages(log)
    assert level == "WARNING"
    assert text.startswith("turn LookupError session='s'")
    assert "new=0(0B) events=0" in text


async def test_stream_counts_its_events(log, session):
    """A stream is one record when it has ended."""
    stream = with_session(ScriptedAgent(["a", "b", "c"]).stream, middleware=[Log()])
    events = stream("x", session=session)
    await anext(events)
    assert messages(log) == []
    assert await gathered(events) == ["b", "c"]
    ((_, text),) = messages(log)
    assert "turn done" in text
    assert "new=1(assistant:1" in text
    assert "events=3" in text


async def test_stream_left_early_is_no_failure(log, session):
    """A stream that is stopped or cancelled is a record of its own kind at INFO."""
    stream = with_session(ScriptedAgent(["a", "b"]).stream, middleware=[Log()])
    events = stream("x", session=session)
    await anext(events)
    await events.aclose()
    ((level, text),) = messages(log)
    assert level == "INFO"
    assert text.startswith("turn stopped")
    assert "new=0(0B) events=1" in text


async def test_cancelled_call_is_no_failure(log, session):
    """A call that is cancelled is logged as stopped, and the cancellation passes on."""
    running = asyncio.Event()

    @with_session(middleware=[Log()], session=session)
    async def agent(items):
        running.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(agent("a"))
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ((level, text),) = messages(log)
    assert (level, text.split()[1]) == ("INFO", "stopped")


async def test_time_of_the_consumer_is_not_counted(log, session, monkeypatch):
    """The seconds are those of the turn: what the caller does between events is left out."""
    now = 100.0
    monkeypatch.setattr("memwrap.middleware.log.perf_counter", lambda: now)

    @with_session(middleware=[Log()], session=session)
    async def stream(items):
        nonlocal now
        for event in "ab":
            now += 2.0
            yield event

    async for _ in stream("x"):
        now += 50.0
    assert messages(log)[0][1].endswith("events=2 seconds=4.000")


async def test_outside_of_memory_it_sees_the_whole_turn(log, session):
    """The new items are known around `Memory` too, and nobody knows them without a session."""
    layers = [Log(), Memory()]
    await with_session(ScriptedAgent("x"), middleware=layers)("a", session=session)
    await with_session(ScriptedAgent("x"), middleware=[Log()])("a")
    with_memory, without = (text for _, text in messages(log))
    assert "new=1(assistant:1" in with_memory
    assert "session=None" in without
    assert "new=unknown events=1" in without


async def test_logger_and_level_are_chosen(log, session):
    """The records go where they are told, at the level that was asked for."""
    layer = Log(logging.getLogger("chat"), level=logging.DEBUG)
    await with_session(ScriptedAgent("x"), middleware=[layer])("a", session=session)
    assert messages(log) == []
    ((level, text),) = messages(log, "chat")
    assert (level, text.split()[1]) == ("DEBUG", "done")


async def test_silent_logger_costs_nothing(caplog, session, monkeypatch):
    """When nobody listens nothing is summed up."""
    caplog.set_level(logging.ERROR)
    monkeypatch.setattr("memwrap.middleware.log._summary", None)
    await with_session(ScriptedAgent("x"), middleware=[Log()])("a", session=session)
    assert caplog.records == []


async def test_what_is_no_json_is_summed_up_too(log):
    """Without memory an agent may get and give anything; the log says what it can."""

    async def odd(turn, send, handler):
        turn.history = [{"role": "user", "content": object()}, "no item", {"role": {"a": "b"}}]
        await handler(turn, send)

    answer = object()
    agent = with_session(ScriptedAgent(answer), middleware=[odd, Log()])
    assert await agent("a") is answer
    ((_, text),) = messages(log)
    assert "history=3(user:1 other:2 not JSON)" in text


async def test_answer_that_cannot_be_stored(log, session):
    """The error of an answer that is no item comes from the turn, not from the log."""
    with pytest.raises(ValueError, match="Three ways out"):
        await with_session(ScriptedAgent(object()), middleware=[Log()])("a", session=session)
    ((_, text),) = messages(log)
    assert "turn done" in text
    assert "new=unknown" in text


class Broken(logging.Handler):
    def emit(self, record):
        raise OSError("disk full")


async def test_log_that_fails_fails_no_turn(session):
    """A handler that raises costs a record, and neither the answer nor what is stored."""
    logger = logging.getLogger("memwrap.test.broken")
    logger.addHandler(Broken())
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    script = ScriptedAgent("x", ["y"], RuntimeError("boom"))
    layer = Log(logger, content=True)
    try:
        agent, stream = (with_session(a, middleware=[layer]) for a in (script, script.stream))
        assert await agent("a", session=session) == "x"
        assert await gathered(stream("b", session=session)) == ["y"]
        with pytest.raises(RuntimeError, match="boom"):
            await agent("c", session=session)
    finally:
        logger.handlers.clear()
    assert len(await session.get_items()) == 4


@pytest.mark.parametrize("has_session", [False, True])
async def test_an_adapter_that_fails_costs_no_line(has_session, session, caplog):
    """A turn whose answer nobody can convert is logged in one line all the same."""

    class Adapter:
        def to_items(self, messages, /, *, role="user"):
            if role == "assistant":
                raise ValueError("hush")
            return [user("q")]

        def from_items(self, items, /):
            return items

    async def agent(items):
        return 5

    remembering = with_session(agent, adapter=Adapter(), middleware=[Log()])
    with caplog.at_level("INFO", "memwrap"), suppress(ConversionError):
        await remembering("q", session=session if has_session else None)
    (record,) = [one for one in caplog.records if one.message.startswith("turn")]
    assert "hush" not in record.message

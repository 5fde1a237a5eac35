"""Streams that another task stops, and streams that nobody reads on."""

import asyncio
from contextlib import aclosing

import pytest
from support import TIMEOUT, gathered

from memwrap import InMemorySession, SessionBusy, with_session
from memwrap.adapters import chat, plain
from memwrap.items import text_of
from memwrap.middleware import Memory

ended = []


@with_session(middleware=[Memory(busy_timeout=0.2)])
async def waiting(items):
    try:
        yield "a"
        await asyncio.sleep(3600)
        yield "b"
    finally:
        ended.append("agent")


@with_session(middleware=[Memory(busy_timeout=0.2)])
async def words(items):
    for word in "one two three".split():
        yield word


@with_session(middleware=[Memory(busy_timeout=0.2)])
async def call(items):
    return "answer"


async def reading(stream, events):
    async for event in stream:
        events.append(event)
    events.append("end")


async def stop(stream, how):
    """Stop a stream in one of the ways."""
    stopped = getattr(stream, how)()
    if stopped is not None:
        await stopped


@pytest.mark.parametrize("how", ["aclose", "cancel"])
async def test_another_task_stops_the_reading(how, session):
    """The reader gets no more events, the agent unwinds, and nothing is stored."""
    ended.clear()
    stream, events = waiting("q", session=session), []
    reader = asyncio.create_task(reading(stream, events))
    async with asyncio.timeout(TIMEOUT):
        await asyncio.sleep(0.01)
        await stop(stream, how)
        await reader
    assert events == ["a", "end"]
    assert ended == ["agent"]
    assert await session.get_items() == []
    assert await call("next", session=session) == "answer"


@pytest.mark.parametrize("how", ["aclose", "cancel"])
async def test_stopped_between_two_events(how, session):
    """A stream that nobody reads at the moment ends too, and gives its session back."""
    stream = words("q", session=session)
    assert await anext(stream) == "one"
    await asyncio.create_task(stop(stream, how))
    assert await gathered(stream) == []
    assert await call("next", session=session) == "answer"


@pytest.mark.parametrize("how", ["aclose", "cancel"])
async def test_stopped_before_it_began(how, session):
    """A stream that was stopped before it began does not call the agent."""
    ended.clear()
    stream = waiting("q", session=session)
    await stop(stream, how)
    assert await gathered(stream) == []
    assert ended == []


@pytest.mark.parametrize("how", ["aclose", "cancel"])
async def test_stopped_after_its_end(how, session):
    """Stopping a stream that has ended does nothing."""
    stream = words("q", session=session)
    assert len(await gathered(stream)) == 3
    await stop(stream, how)
    assert len(await session.get_items()) == 2


async def test_two_tasks_stop_at_once(session):
    """Several tasks may stop one stream."""
    stream, events = waiting("q", session=session), []
    reader = asyncio.create_task(reading(stream, events))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(TIMEOUT):
        await asyncio.gather(stream.aclose(), stream.aclose(), reader)
    assert events == ["a", "end"]


async def test_what_was_delivered_is_kept(session):
    """With `keep_delivered` a stopped stream keeps what had been delivered."""

    @with_session(middleware=[Memory(on_stop="keep_delivered")])
    async def agent(items):
        yield "a"
        await asyncio.sleep(3600)

    stream, events = agent("q", session=session), []
    reader = asyncio.create_task(reading(stream, events))
    await asyncio.sleep(0.01)
    await stream.aclose()
    await reader
    assert [item.get("status") for item in await session.get_items()] == [None, "incomplete"]


async def test_cancelled_reader_is_cancelled(session):
    """A reader whose own task is cancelled gets its cancellation."""
    stream, events = waiting("q", session=session), []
    reader = asyncio.create_task(reading(stream, events))
    await asyncio.sleep(0.01)
    reader.cancel()
    await asyncio.wait({reader})
    assert reader.cancelled()


async def test_streams_take_errors_and_nothing(session):
    """`asend` and `athrow` do what they do to a generator."""
    stream = words("q", session=session)
    assert await stream.asend(None) == "one"
    assert aiter(stream) is stream
    with pytest.raises(OSError):
        await stream.athrow(OSError())
    assert await session.get_items() == []


@pytest.mark.parametrize("patience", [0.05, 0])
async def test_abandoned_stream_is_named(patience, session):
    """A turn that waits in vain for a stream which nobody reads says so, and how to close it."""
    stream = words("q", session=session)
    assert await anext(stream) == "one"
    memory = Memory(busy_timeout=patience, on_busy="wait" if patience else "reject")
    other = with_session(call.__wrapped__, middleware=[memory])
    with pytest.raises(SessionBusy, match=r"the stream of words waits.*aclosing"):
        await other("next", session=session)
    await stream.aclose()
    assert await other("next", session=session) == "answer"


async def test_abandoned_synchronous_stream_is_named():
    """The same holds for generators of synchronous agents."""

    @with_session
    def letters(items):
        yield "a"
        yield "b"

    def use():
        session = InMemorySession("s")
        stream = letters("q", session=session)
        assert next(stream) == "a"
        other = with_session(lambda items: "x", middleware=[Memory(on_busy="reject")])
        with pytest.raises(SessionBusy, match=r"letters waits to be read on"):
            other("next", session=session)
        assert list(stream) == ["b"]

    await asyncio.to_thread(use)


async def test_busy_agents_are_not_abandoned(session):
    """A stream whose agent works is no abandoned one."""
    stream = waiting("q", session=session)
    reader = asyncio.create_task(reading(stream, []))
    await asyncio.sleep(0.01)
    with pytest.raises(SessionBusy) as caught:
        await call("next", session=session)
    assert "stream" not in str(caught.value)
    await stream.aclose()
    await reader


@pytest.mark.parametrize("adapter", [plain, chat])
async def test_refusals_stay_refusals(session, adapter):
    """A refusal that was cut is kept as one, and text before it as text."""
    parts = [{"type": "refusal", "refusal": "I can"}]
    said = {"role": "assistant", "content": [{"type": "output_text", "text": "Hm."}, *parts]}

    @with_session(session=session, adapter=adapter, middleware=[Memory(on_stop="keep_delivered")])
    async def agent(items):
        yield said
        await asyncio.Event().wait()

    async with aclosing(agent("Help me")) as events:
        async for _ in events:
            break
    kept = (await session.get_items())[1]
    assert kept["status"] == "incomplete"
    assert [part["type"] for part in kept["content"]] == ["output_text", "refusal"]
    assert text_of(kept) == "Hm.I can"

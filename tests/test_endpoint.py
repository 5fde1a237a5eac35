"""The innermost handler, which calls the agent, for each kind of agent."""

import asyncio
from contextlib import aclosing

import pytest

from memwrap import ConfigurationError, record, with_session
from memwrap.items import assistant, user

SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed"}


async def items_of(session):
    return await session.get_items()


class Retry:
    """Try again when the agent fails, at most *times* in all."""

    def __init__(self, times):
        self.times = times

    async def __call__(self, turn, send, handler):
        for left in reversed(range(self.times)):
            try:
                return await handler(turn, send)
            except LookupError:
                if not left:
                    raise


def failing_once(kind, before=()):
    """An agent of this kind that records a call and fails, then records it again and answers."""
    attempts = []

    def attempt():
        record(SEARCH)
        attempts.append(kind)
        if len(attempts) == 1:
            raise LookupError("once")

    async def call(items):
        attempt()
        return "answer"

    async def stream(items):
        for event in before:
            yield event
        attempt()
        yield "answer"

    def sync_call(items):
        attempt()
        return "answer"

    def sync_stream(items):
        yield from before
        attempt()
        yield "answer"

    return {
        "call": call,
        "stream": stream,
        "sync_call": sync_call,
        "sync_stream": sync_stream,
    }[kind]


async def ask(agent, kind, session):
    """Call a remembering agent of this kind, and return all it gave."""
    if kind == "call":
        return [await agent("Hi", session=session)]
    if kind == "stream":
        return [event async for event in agent("Hi", session=session)]
    if kind == "sync_call":
        return [await asyncio.to_thread(agent, "Hi", session=session)]
    return await asyncio.to_thread(lambda: list(agent("Hi", session=session)))


KINDS = ["call", "stream", "sync_call", "sync_stream"]


@pytest.mark.parametrize("kind", KINDS)
async def test_failed_attempt_leaves_no_record(kind, session):
    """What an attempt recorded before it failed is not stored when a layer tries again."""
    agent = with_session(failing_once(kind), middleware=[Retry(2)])
    assert await ask(agent, kind, session) == ["answer"]
    assert await items_of(session) == [user("Hi"), SEARCH, assistant("answer")]


@pytest.mark.parametrize("kind", ["stream", "sync_stream"])
async def test_delivered_events_stay(kind, session):
    """What was delivered before an attempt failed stays, with what was recorded behind it."""
    agent = with_session(failing_once(kind, before=["part "]), middleware=[Retry(2)])
    assert await ask(agent, kind, session) == ["part ", "part ", "answer"]
    found = await items_of(session)
    assert found == [
        user("Hi"),
        assistant("part "),
        SEARCH,
        assistant("part "),
        SEARCH,
        assistant("answer"),
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_error_of_the_agent(kind, session):
    """An agent's own error comes out, and nothing is stored."""
    with pytest.raises(LookupError, match="once"):
        await ask(with_session(failing_once(kind, before=["part "])), kind, session)
    assert await items_of(session) == []


async def test_generator_is_closed_at_once(session):
    """When a stream is closed, so is the agent's generator, before the close returns."""
    log = []

    @with_session
    async def agent(items):
        try:
            yield "a"
            yield "b"
        finally:
            await asyncio.sleep(0)
            log.append("closed")

    async with aclosing(agent("Hi", session=session)) as events:
        await anext(events)
    assert log == ["closed"]
    assert await items_of(session) == []


def test_sync_generator_is_closed_at_once(session):
    """When a synchronous stream is closed, so is the agent's generator."""
    log = []

    @with_session
    def agent(items):
        try:
            yield "a"
            yield "b"
        finally:
            log.append("closed")

    events = agent("Hi", session=session)
    next(events)
    events.close()
    assert log == ["closed"]
    assert asyncio.run(items_of(session)) == []


async def test_iterator_without_aclose(session):
    """An agent object's stream may be any asynchronous iterator."""

    class Numbers:
        def __init__(self):
            self.left = iter("ab")

        def __aiter__(self):
            return self

        async def __anext__(self):
            for value in self.left:
                return value
            raise StopAsyncIteration

    class Agent:
        pass

    agent = with_session(Agent(), adapter=StreamAdapter(lambda items: Numbers()))
    assert [event async for event in agent.stream("Hi", session=session)] == ["a", "b"]
    assert await items_of(session) == [user("Hi"), assistant("ab")]


class StreamAdapter:
    """An adapter whose agents have one method, `stream`."""

    def __init__(self, stream):
        self.stream = stream

    def methods(self, agent):
        from memwrap.types import Kind, Method, Methods

        return Methods("stream", {"stream": Method(self.stream, Kind.STREAM)})

    def to_items(self, messages, *, role="user"):
        from memwrap.adapters import plain

        return plain.to_items(messages, role=role)

    def from_items(self, items):
        return list(items)


async def test_swallowed_cancellation_stores_nothing(session):
    """A stream cut short is not stored, even if the agent swallows the cancellation and ends."""
    waiting, seen = asyncio.Event(), []

    async def layer(turn, send, handler):
        try:
            await handler(turn, send)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    @with_session(session=session, middleware=[layer])
    async def agent(items):
        yield "a"
        try:
            waiting.set()
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            seen.append("swallowed")

    async def consume():
        async for _ in agent("Hi"):
            pass

    task = asyncio.create_task(consume())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["swallowed", "cancelled"]
    assert await items_of(session) == []


async def test_swallowed_cancellation_of_a_call(session):
    """A call whose agent swallows the cancellation and answers has ended well."""
    waiting = asyncio.Event()

    @with_session
    async def agent(items):
        try:
            waiting.set()
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            return "late answer"

    task = asyncio.create_task(agent("Hi", session=session))
    await waiting.wait()
    task.cancel()
    assert await task == "late answer"
    assert await items_of(session) == [user("Hi"), assistant("late answer")]


async def test_result_still_to_be_awaited(session):
    """A plain function that returns a coroutine is refused, with the way to write it."""

    async def inner(items):
        return "answer"

    agent = with_session(lambda items: inner(items))
    with pytest.raises(ConfigurationError, match="make it `async def`"):
        await asyncio.to_thread(agent, "Hi", session=session)
    assert await items_of(session) == []


async def test_result_still_to_be_read(session):
    """A function that returns a stream is refused, with the way to write it."""

    async def tokens():
        yield "a"

    def numbers():
        yield "a"

    @with_session
    async def agent(items):
        return tokens()

    @with_session
    def sync_agent(items):
        return numbers()

    with pytest.raises(ConfigurationError, match="make it a generator itself"):
        await agent("Hi", session=session)
    with pytest.raises(ConfigurationError, match="make it a generator itself"):
        await asyncio.to_thread(sync_agent, "Hi", session=session)
    assert await items_of(session) == []

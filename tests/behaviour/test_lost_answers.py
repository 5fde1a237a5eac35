"""What fails after the agent has answered carries the answer."""

import asyncio
import functools

import pytest
from support import FourMethods, gathered

from memwrap import (
    ConfigurationError,
    ConversionError,
    InMemorySession,
    MemwrapError,
    StoreError,
    TurnError,
    record,
    with_session,
)
from memwrap.items import assistant, user
from memwrap.testing import FlakySession
from memwrap.turn import Kept


def hook(function, where="before_save"):
    """Return a layer that appends a function to hooks."""

    async def hooking(turn, send, handler):
        getattr(turn, where).append(function)
        await handler(turn, send)

    return hooking


async def answering(items):
    return "the answer"


async def streaming(items):
    yield "the "
    yield "answer"


def answering_sync(items):
    return "the answer"


def streaming_sync(items):
    yield "the "
    yield "answer"


AGENTS = [answering, streaming, answering_sync, streaming_sync]
KINDS = pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.__name__)


async def error_of(agent, middleware, session=None):
    """Return the error of a turn, and check that it has the answer."""
    called = with_session(agent, middleware=middleware)
    session = session or InMemorySession("s")
    with pytest.raises(Exception) as caught:
        if agent is answering:
            await called("q", session=session)
        elif agent is streaming:
            await gathered(called("q", session=session))
        else:
            await asyncio.to_thread(lambda: list(called("q", session=session)))
    is_stream = agent in {streaming, streaming_sync}
    assert caught.value.result == (["the ", "answer"] if is_stream else "the answer")
    assert caught.value.items == [user("q"), assistant("the answer")]
    assert await session.get_items() == []
    return caught.value


@KINDS
async def test_hooks_that_raise(agent):
    """What a function of a layer raises reaches the caller as it is, with the answer."""
    error = await error_of(agent, [hook(lambda kept: 1 / 0)])
    assert type(error) is ZeroDivisionError


@KINDS
@pytest.mark.parametrize("result", [None, [], Kept([], []), Kept([object()], [])], ids=repr)
async def test_hooks_that_return_no_pair(agent, result):
    """A function that returns nothing fails the turn, and the error names layer and function."""
    error = await error_of(agent, [hook(lambda kept: result)])
    assert type(error) is TurnError
    assert "the layer hook.<locals>.hooking: its function" in str(error)
    assert "in turn.before_save" in str(error)


@pytest.mark.parametrize("where", ["before_agent", "before_save"])
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_the_layer_of_a_function_is_named(place, where):
    """An error of a function names the layer that appended it, wherever that stands."""

    def good(pair):
        return pair

    class Bad:
        async def __call__(self, turn, send, handler):
            getattr(turn, where).append(functools.partial(lambda pair: None))
            await handler(turn, send)

    layers = [hook(good, where), hook(good, where)]
    layers.insert(place, Bad())
    with pytest.raises(TurnError, match=r"the layer .*Bad: its function partial in turn\."):
        await with_session(answering, middleware=layers)("q", session=InMemorySession("s"))


@KINDS
async def test_items_that_no_store_can_keep(agent):
    """A conversion that fails after the agent ran carries the answer."""
    error = await error_of(agent, [hook(lambda kept: Kept([*kept.input, {"a": {1}}], []))])
    assert type(error) is ConversionError


class Unreadable(InMemorySession):
    """A session whose store fails when it is asked for its secret."""

    async def turn_key(self):
        raise StoreError("away")


async def test_a_store_that_fails_in_between():
    """Whatever the store raises before the commit carries the answer."""
    session = Unreadable("s")
    with pytest.raises(StoreError) as caught:
        await with_session(answering)("q", session=session, turn_id="t")
    assert caught.value.result == "the answer"


async def test_results_that_are_no_items():
    """What no adapter knows comes with the error."""
    result = object()

    @with_session
    async def agent(items):
        return result

    @with_session
    async def stream(items):
        yield "a"
        yield result

    with pytest.raises(ConversionError) as caught:
        await agent("q", session=InMemorySession("s"))
    assert caught.value.result is result
    with pytest.raises(ConversionError) as caught:
        await gathered(stream("q", session=InMemorySession("s")))
    assert caught.value.result == ["a", result]


async def test_layers_that_fail_behind_the_agent():
    """A layer that raises when the agent has answered does not lose the answer."""

    async def failing(turn, send, handler):
        await handler(turn, send)
        raise OSError

    with pytest.raises(OSError) as caught:
        await with_session(answering, middleware=[failing])("q", session=InMemorySession("s"))
    assert caught.value.result == "the answer"


async def test_errors_before_the_answer_carry_nothing():
    """The error of an agent stays what it was."""

    @with_session
    async def agent(items):
        raise OSError

    with pytest.raises(OSError) as caught:
        await agent("q", session=InMemorySession("s"))
    assert not hasattr(caught.value, "result")
    assert MemwrapError("x").result is None


async def test_errors_with_a_result_of_their_own():
    """An error that has a result of its own keeps it."""

    class Own(Exception):
        result = "own"

    with pytest.raises(Own) as caught:

        def fail(kept):
            raise Own

        await with_session(answering, middleware=[hook(fail)])("q", session=InMemorySession("s"))
    assert caught.value.result == "own"


async def test_a_stream_that_is_returned_unread():
    """A stream in place of an answer comes with the error."""

    @with_session
    async def agent(items):
        return streaming(items)

    with pytest.raises(ConfigurationError) as caught:
        await agent("q", session=InMemorySession("s"))
    assert await gathered(caught.value.result) == ["the ", "answer"]


@pytest.mark.parametrize(
    "make", [lambda: InMemorySession("s"), FlakySession, FourMethods, lambda: None]
)
@pytest.mark.parametrize("kind", ["call", "stream"])
async def test_records_that_come_too_late(make, kind):
    """Recording after the end of the turn is an error, for what is recorded would be lost."""
    session = make()
    go, errors = asyncio.Event(), []

    async def late():
        await go.wait()
        try:
            record(assistant("late"))
        except TurnError as exc:
            errors.append(exc)

    async def call(items):
        tasks.append(asyncio.create_task(late()))
        return "answer"

    async def stream(items):
        yield await call(items)

    tasks = []
    agent = with_session({"call": call, "stream": stream}[kind])
    if kind == "call":
        await agent("q", session=session)
    else:
        await gathered(agent("q", session=session))
    go.set()
    await asyncio.gather(*tasks)
    assert "after the end of its turn" in str(errors[0])
    if session is not None:
        assert len(await session.get_items()) == 2


async def test_records_in_a_hook_come_too_late(session):
    """A function of `before_save` cannot record: what is stored is known by then."""

    def recording(kept):
        record(assistant("late"))
        return kept

    with pytest.raises(TurnError, match="after the end") as caught:
        await with_session(answering, middleware=[hook(recording)])("q", session=session)
    assert caught.value.result == "the answer"


def test_generators_return_values():
    """What a synchronous generator returns reaches `yield from`."""

    def agent(items):
        yield "x"
        return {"cost": 3}

    def told(stream):
        value = yield from stream
        assert value == {"cost": 3}
        yield "told"

    assert list(told(with_session(agent)("q", session=InMemorySession("s")))) == ["x", "told"]


def test_iterators_return_values():
    """So does the value with which an iterator stops."""

    class Events:
        def __init__(self):
            self.left = ["a"]

        def __iter__(self):
            return self

        def __next__(self):
            if self.left:
                return self.left.pop()
            raise StopIteration(42)

    def agent(items):
        return (yield from Events())

    stream = with_session(agent)("q", session=InMemorySession("s"))
    assert next(stream) == "a"
    with pytest.raises(StopIteration) as caught:
        next(stream)
    assert caught.value.value == 42

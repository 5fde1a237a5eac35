"""Loops whose tasks begin to run while they are made, as Python 3.12 and newer can make them.

Older Pythons run the same with tasks that begin later.
"""

import asyncio

import pytest
from support import gathered

from memwrap import InMemoryStore, SQLiteStore, record, sync, undo, use_session, with_session
from memwrap.items import assistant, text_of, user
from memwrap.middleware import Log, Memory

FACTORY = getattr(asyncio, "eager_task_factory", None)


def run(main):
    """Run a coroutine on a loop of its own whose tasks are eager."""

    async def eagerly():
        asyncio.get_running_loop().set_task_factory(FACTORY)
        await main

    asyncio.run(eagerly())


@pytest.fixture(params=[InMemoryStore, SQLiteStore])
def anywhere(request, path):
    """Stores of both kinds."""
    return request.param() if request.param is InMemoryStore else SQLiteStore(path)


async def called(items):
    return f"{len(items)}"


async def streamed(items):
    yield f"{len(items)}"
    record(assistant("r"))
    await asyncio.sleep(0)
    yield "."


def plainly(items):
    yield f"{len(items)}"
    record(assistant("r"))
    yield "."


async def without_a_pause(items):
    yield f"{len(items)}"
    record(assistant("r"))
    yield "."


STREAMS = [streamed, without_a_pause]


def said(text, number):
    return [user(text), assistant(f"{number}"), assistant("r"), assistant(".")]


@pytest.mark.parametrize("middleware", [[], [Log()]])
@pytest.mark.parametrize("function", STREAMS)
def test_streams(anywhere, function, middleware):
    """A stream gives its events and is stored, with a session, an id, and without."""
    agent = with_session(function, store=anywhere, middleware=middleware)

    async def main():
        assert await gathered(agent("a", session="s")) == ["1", "."]
        assert await gathered(agent("b", session=None)) == ["1", "."]
        with use_session("s"):
            assert await gathered(agent("c", turn_id="t")) == ["5", "."]
            assert "".join(await gathered(agent("c", turn_id="t"))) == "5."
        stored = await anywhere.session("s").get_items()
        assert stored == said("a", 1) + said("c", 5)
        assert await undo(anywhere.session("s")) == [said("c", 5)]

    run(main())


@pytest.mark.parametrize("function", [called, *STREAMS])
def test_many_at_once(anywhere, function):
    """Turns that are begun together, in one session or in several, run one behind another."""
    agent = with_session(function, store=anywhere)

    async def turn(name):
        given = agent("a", session=name)
        return "".join(await gathered(given)) if function in STREAMS else await given

    async def main():
        names = ["s", "s", "t", "s", "t"]
        tasks = [asyncio.ensure_future(turn(name)) for name in names]
        answers = await asyncio.gather(*tasks)
        step = 4 if function in STREAMS else 2
        numbers = [int(answer.rstrip(".")) for answer in answers]
        assert numbers == [1, 1 + step, 1, 1 + 2 * step, 1 + step]

    run(main())


@pytest.mark.parametrize("function", STREAMS)
@pytest.mark.parametrize("on_stop", ["discard", "keep_delivered"])
def test_streams_that_are_left(anywhere, function, on_stop):
    """A stream that is left early stores what its layer says, and keeps no session."""
    memory = Memory(on_stop=on_stop, busy_timeout=2.0)
    agent = with_session(function, store=anywhere, middleware=[memory])

    async def main():
        stream = agent("a", session="s")
        assert await anext(stream) == "1"
        await stream.aclose()
        stored = [text_of(item) for item in await anywhere.session("s").get_items()]
        assert stored == ([] if on_stop == "discard" else ["a", "1"])
        assert len(await gathered(agent("b", session="s"))) == 2

    run(main())


@pytest.mark.parametrize("at", [0, 1, 2, 5])
def test_cancelled_turns(anywhere, at):
    """A turn whose task is cancelled stores nothing, and keeps no session."""
    waiting = asyncio.Event()

    async def agent(items):
        if items[-1]["content"] == "wait":
            await waiting.wait()
        return f"{len(items)}"

    remembering = with_session(agent, store=anywhere)

    async def main():
        task = asyncio.ensure_future(remembering("wait", session="s"))
        for _ in range(at):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await remembering("b", session="s") == "1"

    run(main())


@pytest.mark.parametrize("function", [streamed, without_a_pause])
def test_agents_that_fail(anywhere, function):
    """The error of a stream reaches the caller behind its events, and nothing is stored."""

    async def failing(items):
        async for event in function(items):
            yield event
        raise ValueError("odd")

    agent = with_session(failing, store=anywhere)

    async def main():
        heard = []
        with pytest.raises(ValueError, match="odd"):
            async for event in agent("a", session="s"):
                heard.append(event)
        assert heard == ["1", "."]
        assert await anywhere.session("s").get_items() == []

    run(main())


def test_synchronous_agents(anywhere):
    """Synchronous agents and the synchronous face run in the threads of such a loop's program."""
    agent = with_session(plainly, store=anywhere)

    async def main():
        assert await asyncio.to_thread(lambda: list(agent("a", session="s"))) == ["1", "."]
        assert await asyncio.to_thread(sync(anywhere.session("s")).get_items) == said("a", 1)

    run(main())

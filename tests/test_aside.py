"""Work on long lists that is done aside."""

import asyncio
import contextvars
import threading
import weakref

import pytest
from support import TIMEOUT

from memwrap import InMemoryStore, SQLiteStore, View, with_session
from memwrap.aside import MANY, aside, dropped_aside
from memwrap.items import assistant, user

name = contextvars.ContextVar("name", default="")


async def thread_of_a_turn(size):
    """Return the thread in which the view of a turn with that much history is made."""
    store, threads = InMemoryStore(), []
    await store.session("s").add_items([user("q")] * size)

    async def layer(turn, send, handler):
        turn.before_agent.append(lambda view: threads.append(threading.current_thread()) or view)
        await handler(turn, send)

    async def agent(items):
        return "answer"

    await with_session(agent, store=store, middleware=[layer])("q", session="s")
    return threads[0]


async def test_few_items_stay_in_their_thread():
    """What is soon done is done at once, in the thread of the event loop."""
    assert await thread_of_a_turn(MANY) is threading.current_thread()


async def test_many_items_leave_the_loop_alone():
    """What takes long is done in a thread, in the caller's context; its error is the caller's."""
    assert await thread_of_a_turn(MANY + 1) is not threading.current_thread()
    token = name.set("mine")
    assert await aside(name.get) == "mine"
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 / 0)
    name.reset(token)


class Thing:
    pass


async def test_long_lists_are_freed_when_nobody_has_them():
    """What a long list holds lives as long as somebody else has it, and is gone soon after."""
    things = [Thing() for _ in range(MANY + 1)]
    kept, last = things[0], weakref.ref(things[-1])
    dropped_aside(things)
    assert len(things) == MANY + 1
    del things
    assert last() is not None
    async with asyncio.timeout(TIMEOUT):
        while last() is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert isinstance(kept, Thing)


def long_history():
    items = []
    for number in range(MANY // 2):
        call = {"type": "function_call", "call_id": f"c{number}", "name": "f", "arguments": "{}"}
        output = {"type": "function_call_output", "call_id": f"c{number}", "output": str(number)}
        items += [user(f"q{number}"), call, output, assistant(f"a{number}")]
    return items


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("streaming", [False, True])
async def test_long_turns_are_as_short_ones(kind, streaming, path):
    """A turn with a long history sees it whole and in order, hooks and context included."""
    store = InMemoryStore() if kind == "memory" else SQLiteStore(path)
    history = long_history()
    await store.session("s").add_items(history)
    seen, threads = [], []

    async def layer(turn, send, handler):
        def hook(view):
            threads.append(name.get())
            return View(view.history, [user("note"), *view.input])

        turn.before_agent.append(hook)
        await handler(turn, send)

    async def agent(items):
        seen.extend(items)
        return f"{len(items)} items"

    async def stream(items):
        seen.extend(items)
        yield f"{len(items)} items"

    token = name.set("mine")
    remembering = with_session(stream if streaming else agent, store=store, middleware=[layer])
    if streaming:
        answer = "".join([event async for event in remembering("q", session="s")])
    else:
        answer = await remembering("q", session="s")
    name.reset(token)
    assert answer == f"{len(history) + 2} items"
    assert seen == [*history, user("note"), user("q")]
    assert threads == ["mine"]
    stored = await store.session("s").get_items()
    assert stored == [*history, user("q"), assistant(answer)]
    await store.close(linger=0)

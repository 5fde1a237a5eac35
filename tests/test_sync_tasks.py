"""Synchronous agents: the turn on a private event loop, the agent in its caller's thread."""

import asyncio
import contextvars
import gc
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import TIMEOUT

from memwrap import (
    ConfigurationError,
    InMemorySession,
    SQLiteSession,
    TurnError,
    current_session,
    current_turn,
    record,
    use_session,
    with_session,
)
from memwrap.items import assistant, user

place = contextvars.ContextVar("place", default="outside")


def items_of(session):
    return asyncio.run(session.get_items())


@with_session
def count(items):
    return f"{len(items)}"


@with_session
def letters(items):
    yield "a"
    yield "b"
    yield "c"


def in_a_thread(function, *args):
    """Call *function* in a thread of its own, and fail when it does not end."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function(*args)), daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    assert not thread.is_alive()
    return results[0]


def test_stays_synchronous(session):
    """A function returns its result, a generator function a generator."""
    assert count("x", session=session) == "1"
    assert list(letters("y", session=session)) == ["a", "b", "c"]
    assert items_of(session) == [user("x"), assistant("1"), user("y"), assistant("abc")]


def test_callers_thread(session):
    """The agent runs in its caller's thread, without a running event loop."""

    def where():
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return threading.get_ident()

    @with_session
    def agent(items):
        return [assistant(f"{where()}")]

    @with_session
    def generator(items):
        yield f"{where()}"
        yield f" {where()}"

    here = threading.get_ident()
    assert agent("x", session=session) == [assistant(f"{here}")]
    assert list(generator("x", session=session)) == [f"{here}", f" {here}"]


def test_layers_share_one_loop():
    """All synchronous turns of a process share one event loop, in another thread."""
    loops = set()

    async def layer(turn, send, handler):
        loops.add((asyncio.get_running_loop(), threading.get_ident()))
        await handler(turn, send)

    agent = with_session(lambda items: "x", middleware=[layer])
    agent("a")
    in_a_thread(agent, "b")
    assert len(loops) == 1
    assert threading.get_ident() not in {thread for _, thread in loops}


def test_agent_may_run_an_event_loop(session):
    """The agent may use asyncio.run, and call an asynchronous agent by it."""

    @with_session
    async def inner(items):
        await asyncio.sleep(0)
        return f"inner {len(items)}"

    @with_session
    def outer(items):
        return asyncio.run(inner("x", session=current_session()))

    assert in_a_thread(outer, "y") == "inner 1"
    assert outer("y", session=session) == "inner 1"
    assert [item["content"] for item in items_of(session)] == ["x", "inner 1", "y", "inner 1"]


def test_nested_agents(session):
    """A synchronous agent may call another, on its own session or on the same."""

    @with_session
    def outer(items):
        return count("inner", session=current_session()) + count("inner") + "".join(letters("x"))

    with use_session(session):
        assert in_a_thread(outer, "alone") == "11abc"
        assert outer("y") == "11abc"
    assert items_of(session) == [
        user("inner"),
        assistant("1"),
        user("y"),
        assistant("11abc"),
    ]


def test_context_reaches_the_agent(session):
    """The agent sees its caller's context variables, its turn, and what layers set."""
    seen = []

    async def layer(turn, send, handler):
        assert place.get() == "caller"
        token = place.set("layer")
        await handler(turn, send)
        place.reset(token)

    @with_session(middleware=[layer])
    def agent(items):
        seen.append((place.get(), current_turn().session))
        place.set("agent")
        return "x"

    token = place.set("caller")
    agent("a", session=session)
    assert place.get() == "caller"
    place.reset(token)
    assert seen == [("layer", session)]
    assert current_turn() is None


def test_context_of_a_generator(session):
    """A generator keeps its context from step to step, may reset it, and leaks nothing."""

    @with_session
    def agent(items):
        token = place.set("agent")
        with use_session(None):
            yield place.get()
        yield place.get()
        place.reset(token)
        yield place.get()

    seen = []
    for event in agent("a", session=session):
        seen.append(event)
        assert place.get() == "outside"
        assert current_turn() is None
        place.set("outside")
    assert seen == ["agent", "agent", "outside"]


def test_record_in_a_generator(session):
    """What a synchronous agent records keeps its place among the events."""

    @with_session
    def agent(items):
        yield "a"
        record(user("recorded"))
        yield "b"

    list(agent("x", session=session))
    assert items_of(session)[1:] == [assistant("a"), user("recorded"), assistant("b")]


@pytest.mark.parametrize("agent", [count, letters])
async def test_inside_a_running_loop(agent, session):
    """Where an event loop runs, the error names the asynchronous ways; nothing is stored."""
    with pytest.raises(ConfigurationError) as caught:
        agent("x", session=session)
    message = str(caught.value)
    assert agent.__name__ in message
    assert "`async def`" in message
    assert "await asyncio.to_thread(...)" in message
    assert await session.get_items() == []


async def test_in_a_thread_while_a_loop_runs(session):
    """In a thread beside a running loop a synchronous agent works."""
    answers = [await asyncio.to_thread(count, "x", session=session) for _ in range(3)]
    assert answers == ["1", "3", "5"]


# Errors


def test_error_of_the_agent(session):
    """The agent's exception comes out: the same object, with the agent in its traceback."""
    error = LookupError("agent")

    @with_session
    def failing(items):
        raise error

    with pytest.raises(LookupError) as caught:
        failing("x", session=session)
    assert caught.value is error
    assert error.__cause__ is None
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert names[0] == "test_error_of_the_agent"
    assert names[-1] == "failing"
    assert items_of(session) == []


def test_error_of_a_generator(session):
    """A generator's exception comes out after its events, and nothing is stored."""

    @with_session
    def failing(items):
        yield "a"
        raise LookupError("agent")

    events = failing("x", session=session)
    assert next(events) == "a"
    with pytest.raises(LookupError, match="agent"):
        next(events)
    assert items_of(session) == []


def test_layer_handles_the_error(session):
    """A layer sees the agent's error, and may answer in its place."""

    async def forgiving(turn, send, handler):
        try:
            await handler(turn, send)
        except LookupError:
            await send("sorry")

    @with_session(middleware=[forgiving])
    def failing(items):
        raise LookupError

    assert failing("x", session=session) == "sorry"
    assert items_of(session) == [user("x"), assistant("sorry")]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_interruption_in_the_agent(error, session):
    """Ctrl-C in the agent unwinds the turn and comes out; the session is free again."""
    log = []

    async def layer(turn, send, handler):
        try:
            await handler(turn, send)
        finally:
            await asyncio.sleep(0)
            log.append("unwound")

    @with_session(session=session, middleware=[layer])
    def agent(items):
        raise error("stop")

    @with_session(session=session, middleware=[layer])
    def generator(items):
        yield "a"
        raise error("stop")

    with pytest.raises(error, match="stop"):
        agent("x")
    with pytest.raises(error, match="stop"):
        list(generator("x"))
    assert log == ["unwound"] * 2
    assert count("y", session=session) == "1"


def test_interruption_while_waiting(script):
    """Ctrl-C while a layer is at work unwinds the turn and ends the script."""
    code = """
import asyncio, os, signal
from memwrap import InMemorySession, with_session

session = InMemorySession("s")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have told to ignore it

async def slow(turn, send, handler):
    try:
        await asyncio.sleep(0.1)  # until the script waits
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
    finally:
        print("unwound")

@with_session(session=session, middleware=[slow])
def agent(items):
    return "x"

try:
    agent("x")
except KeyboardInterrupt:
    print("interrupted")
print(len(asyncio.run(session.get_items())))
"""
    assert script(code).split() == ["unwound", "interrupted", "0"]


def test_no_event_or_two(session):
    """The rules of a call hold for synchronous agents."""

    async def silent(turn, send, handler): ...

    async def twice(turn, send, handler):
        await handler(turn, send)
        await send("more")

    for layer, message in ((silent, "sent none"), (twice, "sent a second")):
        agent = with_session(lambda items: "x", middleware=[layer], session=session)
        with pytest.raises(TurnError, match=message):
            agent("x")
    assert items_of(session) == []


def test_send_after_the_end():
    """An event sent after the end of a synchronous stream is an error for the sender."""
    ends = []

    async def layer(turn, send, handler):
        loop = asyncio.get_running_loop()
        ends.append(lambda: asyncio.run_coroutine_threadsafe(send("late"), loop))
        await handler(turn, send)

    agent = with_session(letters.__wrapped__, middleware=[layer])
    assert len(list(agent("x"))) == 3
    with pytest.raises(TurnError, match="after the end of the turn"):
        ends[0]().result(TIMEOUT)


# Streams


def test_back_pressure(session):
    """A generator goes on only when its consumer asks for the next event."""
    steps = []

    @with_session
    def agent(items):
        for number in range(3):
            steps.append(f"make {number}")
            yield f"{number}"

    for number in agent("x", session=session):
        steps.append(f"take {number}")
    assert steps == [f"{verb} {number}" for number in range(3) for verb in ("make", "take")]


def test_lazy(session):
    """A generator that is never iterated over never begins."""
    events = letters("x", session=session)
    events.close()
    assert items_of(session) == []


def watched(log, session):
    """A stream whose agent and layers note how they end."""

    def layer(name):
        async def named(turn, send, handler):
            token, task = place.set(name), asyncio.current_task()
            try:
                await handler(turn, send)
            finally:
                await asyncio.sleep(0)
                place.reset(token)
                assert asyncio.current_task() is task
                log.append(name)

        return named

    @with_session(session=session, middleware=[layer("outer"), layer("inner")])
    def agent(items):
        try:
            yield "a"
            yield "b"
        finally:
            log.append("agent")

    return agent("x")


INSIDE_OUT = ["agent", "inner", "outer"]


def test_early_close(session):
    """Closing a stream unwinds agent and layers, inner before outer, before it returns."""
    log = []
    events = watched(log, session)
    next(events)
    events.close()
    assert log == INSIDE_OUT
    assert list(events) == []
    assert items_of(session) == []


def test_dropped(session):
    """A stream left by a break is unwound when it is dropped."""
    log = []
    for _ in watched(log, session):
        break
    gc.collect()
    assert log == INSIDE_OUT
    assert items_of(session) == []


def test_error_thrown_in(session):
    """An error thrown into a stream unwinds it and comes out."""
    log = []
    events = watched(log, session)
    next(events)
    with pytest.raises(KeyError, match="thrown"):
        events.throw(KeyError("thrown"))
    assert log == INSIDE_OUT


def test_error_in_the_cleanup(session):
    """An error in the cleanup of a closed stream comes out where it was closed."""

    @with_session
    def agent(items):
        try:
            yield "a"
        finally:
            raise LookupError("cleanup")

    events = agent("x", session=session)
    next(events)
    with pytest.raises(LookupError, match="cleanup"):
        events.close()


def test_layer_that_swallows_the_cancellation(session):
    """A layer that goes on sending after the stream was closed is cancelled again and again."""
    swallowed = []

    async def stubborn(turn, send, handler):
        while len(swallowed) < 3:
            try:
                await send("x")
            except asyncio.CancelledError:
                swallowed.append(1)

    events = with_session(letters.__wrapped__, middleware=[stubborn])("x")
    next(events)
    in_a_thread(events.close)
    assert len(swallowed) == 3


def test_dropped_in_the_loops_own_thread(session):
    """A stream that the collector finds in the private loop's thread is unwound all the same."""
    log = []

    class Cycle:
        def __init__(self):
            self.me, self.events = self, watched(log, session)
            next(self.events)

    async def collecting(turn, send, handler):
        gc.collect()
        await handler(turn, send)

    gc.disable()
    try:
        Cycle()
        agent = with_session(lambda items: "x", middleware=[collecting])
        assert in_a_thread(agent, "y") == "x"
    finally:
        gc.enable()
    assert in_a_thread(count, "z") == "1"
    in_a_thread(lambda: count("z", session=session))  # waits for the session
    assert log == INSIDE_OUT
    assert len(items_of(session)) == 2


def test_consumer_in_other_threads(session):
    """Each event may be pulled by a different thread."""
    events = letters("x", session=session)
    assert [in_a_thread(next, events, None) for _ in range(4)] == ["a", "b", "c", None]
    assert items_of(session) == [user("x"), assistant("abc")]


def test_many_streams_at_once():
    """Streams side by side in one thread do not mix."""
    sessions = [InMemorySession(f"{n}") for n in range(20)]
    streams = [letters(f"{n}", session=session) for n, session in enumerate(sessions)]
    assert list(zip(*streams, strict=True)) == [(letter,) * 20 for letter in "abc"]
    for n, session in enumerate(sessions):
        assert items_of(session) == [user(f"{n}"), assistant("abc")]


def test_timeout_in_a_layer(session):
    """A layer's timeout strikes while a synchronous agent works, whose late answer is void."""
    expired = threading.Event()

    async def limited(turn, send, handler):
        try:
            async with asyncio.timeout(0.01):
                await handler(turn, send)
        finally:
            expired.set()

    @with_session(middleware=[limited])
    def slow(items):
        assert expired.wait(TIMEOUT)
        return "late"

    with pytest.raises(TimeoutError):
        slow("x", session=session)
    assert items_of(session) == []


# Threads and processes


def test_many_threads_on_one_session(session):
    """Turns of many threads on one session come one after the other, none lost."""

    def talk(number):
        for _ in range(5):
            count(f"{number}", session=session)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(talk, range(8)))
    items = items_of(session)
    assert [item["content"] for item in items[1::2]] == [f"{n}" for n in range(1, 80, 2)]


def test_many_threads_with_sessions_of_their_own():
    """Turns of many threads on different sessions do not wait for each other."""
    everybody = threading.Barrier(8, timeout=TIMEOUT)

    @with_session
    def meet(items):
        everybody.wait()
        return "x"

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: meet("x", session=InMemorySession(f"{n}")), range(8)))


def test_backend_stays_open(tmp_path):
    """A session on a file serves synchronous turns, and asynchronous ones in between."""
    session = SQLiteSession("s", tmp_path / "chat.db")
    answers = [count("x", session=session) for _ in range(3)]
    assert len(items_of(session)) == 6
    assert [*answers, count("x", session=session)] == ["1", "3", "5", "7"]


def test_script_exits_at_once(script, tmp_path):
    """A script that used synchronous agents and closed nothing ends well, all items on disk."""
    code = f"""
from memwrap import SQLiteSession, with_session

session = SQLiteSession("s", {str(tmp_path / "chat.db")!r})

@with_session(session=session)
def agent(items):
    return str(len(items))

@with_session(session=session)
def stream(items):
    yield "a"
    yield "b"

print(agent("x"))
left = stream("y")
next(left)
"""
    assert script(code).split() == ["1"]
    session = SQLiteSession("s", tmp_path / "chat.db")
    assert count("z", session=session) == "3"


def test_unwinds_when_the_script_ends(script):
    """A stream that is still held when the script ends is unwound without the thread it had."""
    code = """
from memwrap import with_session

async def layer(turn, send, handler):
    try:
        await handler(turn, send)
    finally:
        print("layer")
        try:
            await send("late")
        finally:
            print("unwound")

@with_session(middleware=[layer])
def stream(items):
    yield "a"
    yield "b"

left = stream("y")
print(next(left))
"""
    assert script(code).split() == ["a", "layer", "unwound"]


def test_after_fork(script):
    """A forked child gets an event loop of its own."""
    code = """
import os, warnings
from memwrap import InMemorySession, with_session
warnings.filterwarnings("ignore", "This process .* is multi-threaded")  # Python's own, from 3.12 on

@with_session(session=InMemorySession("s"))
def agent(items):
    return str(len(items))

print(agent("x"), flush=True)
if pid := os.fork():
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    print(agent("x"))
else:
    print(agent("x"), flush=True)
"""
    assert script(code).split() == ["1", "3", "3"]


def test_stream_across_a_fork(script):
    """A stream that its parent began ends in the child with an error, or quietly if dropped."""
    code = """
import os, warnings
from memwrap import TurnError, with_session
warnings.filterwarnings("ignore", "This process .* is multi-threaded")  # Python's own, from 3.12 on

@with_session
def stream(items):
    yield "a"
    yield "b"

dropped, used = stream("x"), stream("y")
next(dropped), next(used)
if pid := os.fork():
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    print(*dropped, *used)
else:
    del dropped
    try:
        next(used)
    except TurnError as error:
        print("forked" in str(error), flush=True)
"""
    assert script(code).split() == ["True", "b", "b"]

"""One handler run for one turn: a call in the caller's task, a stream in its own."""

import asyncio
import contextlib
import contextvars
import gc
import traceback

import pytest
from support import TIMEOUT

from memwrap import TurnError, current_turn
from memwrap.adapters import plain
from memwrap.chain import build_chain
from memwrap.tasks import call, stream
from memwrap.turn import Turn

place = contextvars.ContextVar("place", default="outside")


def new_turn():
    return Turn(lambda items: None, [], adapter=plain, streaming=True)


def sending(*events):
    """A handler that sends *events*; exceptions among them are raised."""

    async def handler(turn, send):
        for event in events:
            if isinstance(event, BaseException):
                raise event
            await send(event)

    return handler


def watched(log, *events, layers=2):
    """A stream of *events* through layers that note how they were left, and where."""

    def layer(number):
        async def named(turn, send, handler):
            token, task = place.set(f"layer {number}"), asyncio.current_task()
            try:
                await handler(turn, send)
            finally:
                await asyncio.sleep(0)  # cleanup that waits
                place.reset(token)
                assert asyncio.current_task() is task
                log.append(number)

        return named

    async def endpoint(turn, send):
        task = asyncio.current_task()
        try:
            await sending(*events)(turn, send)
            await asyncio.get_running_loop().create_future()  # goes on for ever
        finally:
            await asyncio.sleep(0)
            assert asyncio.current_task() is task
            log.append("agent")

    return stream(build_chain([layer(1), layer(2)][:layers], endpoint), new_turn())


INSIDE_OUT = ["agent", 2, 1]


async def no_task_left():
    """Wait until all tasks but this one have ended; fail if they do not."""
    gc.collect()
    await asyncio.sleep(0)  # the loop closes collected streams in its next step
    async with asyncio.timeout(TIMEOUT):
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)


@pytest.fixture(autouse=True)
async def nothing_leaks():
    """No test leaves a task or a changed context variable."""
    yield
    await no_task_left()
    assert place.get() == "outside"


# Calls


async def test_call_returns_the_event():
    """A call returns the very event that was sent."""
    event = object()
    assert await call(sending(event), new_turn()) is event


@pytest.mark.parametrize("event", [None, "", 0, False])
async def test_call_may_send_anything(event):
    """An event that is false is an event."""
    assert await call(sending(event), new_turn()) is event


async def test_call_runs_in_the_callers_task():
    """A call runs in its caller's task and context."""
    tasks = []

    async def handler(turn, send):
        tasks.append(asyncio.current_task())
        assert current_turn() is turn
        await send("x")

    turn = new_turn()
    await call(handler, turn)
    assert tasks == [asyncio.current_task()]
    assert current_turn() is None


async def test_call_without_event():
    """A call in which no layer sends an event is an error."""
    with pytest.raises(TurnError, match="sent none"):
        await call(sending(), new_turn())


async def test_call_with_two_events():
    """A second event is an error for the layer that sends it."""
    with pytest.raises(TurnError, match="sent a second"):
        await call(sending("one", "two"), new_turn())
    assert current_turn() is None


async def test_call_error():
    """What the handler raises comes out unchanged, and the surroundings are as before."""
    error = LookupError("agent")
    with pytest.raises(LookupError) as caught:
        await call(sending(error), new_turn())
    assert caught.value is error
    assert current_turn() is None


async def test_call_cancelled():
    """A cancelled call unwinds its layers and is cancelled."""
    log = []

    async def handler(turn, send):
        try:
            log.append("began")
            await asyncio.get_running_loop().create_future()
        finally:
            log.append("ended")

    task = asyncio.create_task(call(handler, new_turn()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["began", "ended"]


# Streams


async def test_stream_yields_in_order():
    """A stream yields what is sent, as it was sent, and ends."""
    events = [object(), None, "", [1]]
    found = [event async for event in stream(sending(*events), new_turn())]
    assert all(one is other for one, other in zip(found, events, strict=True))


async def test_empty_stream():
    """A stream may end without an event."""
    assert [event async for event in stream(sending(), new_turn())] == []


async def test_stream_runs_in_one_task_of_its_own():
    """All of a stream's turn runs in one task, which knows its turn."""
    tasks = set()

    async def handler(turn, send):
        for number in range(3):
            tasks.add(asyncio.current_task())
            assert current_turn() is turn
            await send(number)

    async for _ in stream(handler, new_turn()):
        assert current_turn() is None
    assert len(tasks) == 1
    assert asyncio.current_task() not in tasks


async def test_nothing_runs_before_the_first_pull():
    """A stream that is never iterated over never begins."""
    log = []
    events = watched(log)
    await asyncio.sleep(0)
    await events.aclose()
    assert log == []


async def test_back_pressure():
    """The agent goes on only when the consumer asks for the next event."""
    steps = []

    async def handler(turn, send):
        for number in range(4):
            steps.append(f"make {number}")
            await send(number)

    async for number in stream(handler, new_turn()):
        for _ in range(5):
            await asyncio.sleep(0)  # plenty of chances to run ahead
        steps.append(f"take {number}")
    assert steps == [f"{verb} {number}" for number in range(4) for verb in ("make", "take")]


async def test_error_in_the_agent():
    """What the agent raises comes out after the events before it: the same object, traced."""
    error, found = LookupError("agent"), []
    with pytest.raises(LookupError) as caught:
        async for event in stream(sending("a", "b", error), new_turn()):
            found.append(event)
    assert (caught.value, found) == (error, ["a", "b"])
    assert "handler" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]


async def test_layers_see_the_error():
    """A layer may handle an error in mid-stream and go on."""

    async def forgiving(turn, send, handler):
        try:
            await handler(turn, send)
        except LookupError:
            await send("sorry")

    chain = build_chain([forgiving], sending("a", LookupError()))
    assert [event async for event in stream(chain, new_turn())] == ["a", "sorry"]


async def test_break_in_a_closing_block():
    """A closing block ends when the agent, and then the layers from the inside, have unwound."""
    log = []
    async with contextlib.aclosing(watched(log, "a", "b")) as events:
        async for _ in events:
            break
    assert log == INSIDE_OUT


async def test_error_in_the_consumer():
    """An error of the consumer unwinds the turn and stays the consumer's."""
    log = []
    with pytest.raises(KeyError, match="consumer"):
        async with contextlib.aclosing(watched(log, "a", "b")) as events:
            async for _ in events:
                raise KeyError("consumer")
    assert log == INSIDE_OUT


async def test_bare_break():
    """A stream left without being closed is unwound by the event loop, in its own task."""
    log = []
    async for _ in watched(log, "a", "b"):
        break
    await no_task_left()
    assert log == INSIDE_OUT


def test_abandoned_when_the_loop_ends():
    """A stream that is still held when the event loop ends is unwound before that."""
    log, held = [], []

    async def main():
        held.append(watched(log, "a", "b"))
        await anext(held[0])

    asyncio.run(main())
    assert log == INSIDE_OUT


async def test_two_thousand_abandoned_streams():
    """Streams that were begun and dropped leave no task, and each layer ends once."""
    logs = [[] for _ in range(2000)]
    for log in logs:
        async for _ in watched(log, "a", "b"):
            break
    await no_task_left()
    assert all(log == INSIDE_OUT for log in logs)


async def test_dropped_in_a_cycle():
    """A stream that only the garbage collector finds is unwound like any other."""
    log = []

    class Cycle:
        def __init__(self):
            self.me, self.events = self, watched(log, "a", "b")

    await anext(Cycle().events)
    await no_task_left()
    assert log == INSIDE_OUT


async def test_closing_twice():
    """A closed stream stays closed."""
    log = []
    events = watched(log, "a", "b")
    await anext(events)
    await events.aclose()
    await events.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(events)
    assert log == INSIDE_OUT


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_cancelled_while_waiting_for_the_agent(times):
    """A consumer cancelled once or often is cancelled after the whole turn has unwound."""
    log, reached = [], asyncio.Event()

    async def consume():
        async for _ in watched(log, "a"):
            reached.set()

    task = asyncio.create_task(consume())
    await reached.wait()
    await asyncio.sleep(0)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == INSIDE_OUT


async def test_cancelled_in_the_consumers_body():
    """A consumer cancelled in its own code leaves a stream that unwinds in its own task."""
    log, reached = [], asyncio.Event()

    async def consume():
        async with contextlib.aclosing(watched(log, "a")) as events:
            async for _ in events:
                reached.set()
                await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(consume())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == INSIDE_OUT


async def test_cancelled_during_the_unwinding():
    """A cancellation that arrives while a stream unwinds reaches the consumer after that."""
    log = []
    events = watched(log, "a")
    await anext(events)
    closing = asyncio.create_task(events.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert log == INSIDE_OUT


async def test_cancellation_wins_over_the_turns_error():
    """A consumer cancelled while a failing cleanup runs gets its cancellation, not the failure."""
    held = asyncio.Event()

    async def handler(turn, send):
        try:
            await send("a")
        finally:
            await held.wait()
            raise LookupError("cleanup")

    events = stream(handler, new_turn())
    await anext(events)
    closing = asyncio.create_task(events.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.sleep(0)
    held.set()
    with pytest.raises(asyncio.CancelledError):
        await closing


async def test_error_in_the_cleanup():
    """An error in the cleanup of a closed stream comes out where it was closed."""

    async def handler(turn, send):
        try:
            await send("a")
        finally:
            raise LookupError("cleanup")

    events = stream(handler, new_turn())
    await anext(events)
    with pytest.raises(LookupError, match="cleanup"):
        await events.aclose()


async def test_timeout_in_a_layer_with_a_slow_consumer():
    """A layer's timeout that ends while the consumer works is the consumer's next event's error."""
    expired = asyncio.Event()

    async def limited(turn, send, handler):
        try:
            async with asyncio.timeout(0.01):
                await handler(turn, send)
        finally:
            expired.set()

    events = stream(build_chain([limited], sending("a", "b")), new_turn())
    assert await anext(events) == "a"
    await expired.wait()  # a stray cancellation would strike here
    assert asyncio.current_task().cancelling() == 0
    with pytest.raises(TimeoutError):
        await anext(events)


async def test_timeout_of_a_slow_agent():
    """A layer's timeout around an agent that takes too long is an error of the stream."""
    log = []

    async def endpoint(turn, send):
        await send("a")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            log.append("agent")

    async def limited(turn, send, handler):
        async with asyncio.timeout(0.01):
            await handler(turn, send)

    with pytest.raises(TimeoutError):
        async for _ in stream(build_chain([limited], endpoint), new_turn()):
            pass
    assert log == ["agent"]


async def test_timeout_in_the_consumer():
    """A timeout around the consumer unwinds the turn and is a TimeoutError there."""
    log = []
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            async for _ in watched(log, "a"):
                pass
    assert log == INSIDE_OUT


async def test_context_variables_do_not_leak():
    """What layers and agent set is seen inward of them and never by the consumer."""
    seen = []

    async def layer(turn, send, handler):
        token = place.set("layer")
        await handler(turn, send)
        place.reset(token)

    async def endpoint(turn, send):
        seen.append(place.get())
        place.set("agent")
        await send("a")
        seen.append(place.get())
        await send("b")

    token = place.set("consumer")
    async for _ in stream(build_chain([layer], endpoint), new_turn()):
        assert place.get() == "consumer"
        place.set("consumer")
    place.reset(token)
    assert seen == ["layer", "agent"]


async def test_consumer_in_other_tasks():
    """Each event may be pulled, and the stream closed, by a different task."""
    log = []
    events = watched(log, "a", "b", "c")
    for expected in ("a", "b", "c"):
        assert await asyncio.create_task(anext(events)) == expected
    await asyncio.create_task(events.aclose())
    assert log == INSIDE_OUT


async def test_streams_side_by_side():
    """Many streams at once do not mix."""

    async def consume(number):
        return [event async for event in stream(sending(*[number] * 5), new_turn())]

    found = await asyncio.gather(*(consume(number) for number in range(20)))
    assert found == [[number] * 5 for number in range(20)]


async def test_stream_in_a_stream():
    """A stream may feed another."""

    async def outer(turn, send):
        async for event in stream(sending("a", "b"), new_turn()):
            await send(event * 2)

    assert [event async for event in stream(outer, new_turn())] == ["aa", "bb"]


async def test_send_from_a_side_task():
    """A layer may send from a task of its own, such as a heartbeat, while the turn runs."""
    beaten = asyncio.Event()

    async def heartbeat(turn, send, handler):
        async def beat():
            await send("beat")
            beaten.set()

        task = asyncio.create_task(beat())
        await handler(turn, send)
        await task

    async def endpoint(turn, send):
        await beaten.wait()
        await send("event")

    chain = build_chain([heartbeat], endpoint)
    assert [event async for event in stream(chain, new_turn())] == ["beat", "event"]


async def test_send_after_the_end():
    """An event sent after the end of the turn is an error for the sender, and never a hang."""
    senders = []

    async def handler(turn, send):
        senders.append(send)
        await send("a")

    assert [event async for event in stream(handler, new_turn())] == ["a"]
    async with asyncio.timeout(TIMEOUT):
        with pytest.raises(TurnError, match="after the end of the turn"):
            await senders[0]("late")


async def test_swallowed_cancellation():
    """A handler that swallows its cancellation is stopped by the next event it sends."""
    log = []

    async def stubborn(turn, send):
        while True:
            try:
                await send("x")
            except asyncio.CancelledError:
                log.append("swallowed")
                if len(log) == 3:
                    return

    events = stream(stubborn, new_turn())
    await anext(events)
    async with asyncio.timeout(TIMEOUT):
        await events.aclose()
    assert log == ["swallowed"] * 3


async def test_handler_that_cancels_itself():
    """A handler that raises a cancellation of its own cancels its consumer."""
    with pytest.raises(asyncio.CancelledError):
        async for _ in stream(sending("a", asyncio.CancelledError()), new_turn()):
            pass

"""What a turn promises by default."""

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress

import pytest
from support import TIMEOUT, FourMethods, SyncMethods, gathered

from memwrap import (
    ConfigurationError,
    ConversionError,
    InMemorySession,
    InMemoryStore,
    SQLiteSession,
    SQLiteStore,
    StoreError,
    TurnNotSaved,
    current_session,
    with_session,
)
from memwrap.items import assistant, user
from memwrap.middleware import Memory
from memwrap.testing import FlakySession, ScriptedAgent
from memwrap.turn import Kept, View


class Slow(FourMethods):
    """Its appends begin, and end when they are let."""

    def __init__(self, error=None):
        super().__init__()
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.error = error

    async def add_items(self, items):
        self.begun.set()
        await self.may_end.wait()
        if self.error is not None:
            raise self.error
        self.items.extend(items)


@pytest.fixture(params=["memory", "file", "four methods"])
def session(request, tmp_path):
    return {
        "memory": lambda: InMemorySession("s"),
        "file": lambda: SQLiteSession("s", tmp_path / "chat.db"),
        "four methods": FourMethods,
    }[request.param]()


async def once(event):
    async with asyncio.timeout(TIMEOUT):
        await event.wait()


class TestRemembering:
    async def test_agent_sees_history_and_input(self, session):
        """What was said in the turns before comes first, then the new input."""
        script = ScriptedAgent("one", "two", ["th", "ree"])
        agent, stream = with_session(script), with_session(script.stream)
        assert await agent("a", session=session) == "one"
        assert await agent([user("b"), user("c")], session=session) == "two"
        assert await gathered(stream("d", session=session)) == ["th", "ree"]
        first = [user("a"), assistant("one")]
        second = [user("b"), user("c"), assistant("two")]
        assert script.calls == [
            [user("a")],
            [*first, user("b"), user("c")],
            [*first, *second, user("d")],
        ]
        assert await session.get_items() == [*first, *second, user("d"), assistant("three")]

    async def test_turn_is_one_append(self):
        """A turn loads once and stores input and answer in one append."""
        session = FlakySession()
        await with_session(ScriptedAgent("x"))("a", session=session)
        assert session.calls == ["get_items", "add_items"]

    async def test_without_a_session_nothing_is_remembered(self):
        """Without memory the agent gets its input and nothing else happens."""
        script = ScriptedAgent("one", "two")
        agent = with_session(script)
        assert (await agent("a"), await agent("b", session=None)) == ("one", "two")
        assert script.calls == [[user("a")], [user("b")]]

    async def test_turn_is_stored_before_the_caller_goes_on(self, session):
        """The items are there when a call returns, and when a stream has ended, not earlier."""
        script = ScriptedAgent("one", ["t", "wo"])
        await with_session(script)("a", session=session)
        assert len(await session.get_items()) == 2
        seen = []
        async for _ in with_session(script.stream)("b", session=session):
            seen.append(len(await session.get_items()))
        assert seen == [2, 2]
        assert len(await session.get_items()) == 4

    async def test_nothing_new_is_no_append(self):
        """A turn without input and answer does not touch the session."""
        session = FlakySession()
        assert await with_session(ScriptedAgent([]))([], session=session) == []
        assert session.calls == ["get_items"]

    async def test_synchronous_sessions(self):
        """The methods of a session may be plain functions."""
        session = SyncMethods()
        script = ScriptedAgent("one", "two")
        agent = with_session(script, session=session)
        await agent("a")
        await agent("b")
        assert script.calls[1] == [user("a"), assistant("one"), user("b")]
        assert session.items == [user("a"), assistant("one"), user("b"), assistant("two")]

    async def test_layers_inside_see_the_history(self):
        """History is there for layers inside `Memory`, new items for those outside."""
        seen = []

        async def outside(turn, send, handler):
            seen.append(("outside", list(turn.history)))
            await handler(turn, send)
            seen.append(("outside", list(turn.new_items)))

        async def inside(turn, send, handler):
            seen.append(("inside", list(turn.history)))
            await handler(turn, send)

        session = InMemorySession("s")
        await session.add_items([user("before")])
        agent = with_session(ScriptedAgent("x"), middleware=[outside, Memory(), inside])
        await agent("a", session=session)
        assert seen == [
            ("outside", []),
            ("inside", [user("before")]),
            ("outside", [assistant("x")]),
        ]
        assert len(await session.get_items()) == 3

    async def test_events_of_layers_are_stored(self):
        """What a layer inside lets through is what is stored."""

        async def shout(turn, send, handler):
            async def louder(event):
                await send(event.upper())

            await handler(turn, louder)

        session = InMemorySession("s")
        agent = with_session(ScriptedAgent("x"), middleware=[shout])
        assert await agent("a", session=session) == "X"
        assert await session.get_items() == [user("a"), assistant("X")]


class TestNothingShared:
    async def test_agent_cannot_change_what_is_stored(self):
        """An agent may do what it likes to its messages; session and caller keep theirs."""

        async def rude(messages):
            for message in messages:
                message["content"][0]["text"] = "changed"
                message["more"] = True
            messages.clear()
            return "done"

        def said(text):
            return {"role": "user", "content": [{"type": "input_text", "text": text}]}

        session = FourMethods(items=[said("before")])
        mine = [said("mine")]
        await with_session(rude)(mine, session=session)
        assert mine == [said("mine")]
        assert session.items == [said("before"), said("mine"), assistant("done")]

    async def test_session_keeps_no_object_of_the_caller(self, session):
        """What caller and agent do to their objects later changes nothing stored."""
        mine, answer = [user("mine")], [assistant("answer")]
        result = await with_session(ScriptedAgent(answer))(mine, session=session)
        result[0]["content"] = mine[0]["content"] = answer[0]["content"] = "changed"
        assert await session.get_items() == [user("mine"), assistant("answer")]

    async def test_layers_cannot_change_what_is_stored(self, session):
        """Cutting or changing the history for the agent does not touch the store."""

        async def forget(turn, send, handler):
            turn.history[0]["content"] = "changed"
            turn.history.clear()
            await handler(turn, send)

        script = ScriptedAgent("one", "two")
        agent = with_session(script, middleware=[forget], session=session)
        await session.add_items([user("before")])
        await agent("a")
        assert script.calls == [[user("a")]]
        assert await session.get_items() == [user("before"), user("a"), assistant("one")]


class TestAgentFails:
    async def test_nothing_is_stored_when_the_agent_raises(self, session):
        """The agent's own exception comes out, the very object, and the next turn is as before."""
        error = RuntimeError("boom")
        script = ScriptedAgent(error, ["a", error], "fine")
        with pytest.raises(RuntimeError) as caught:
            await with_session(script)("a", session=session)
        assert caught.value is error
        with pytest.raises(RuntimeError) as caught:
            await gathered(with_session(script.stream)("b", session=session))
        assert caught.value is error
        assert await session.get_items() == []
        await with_session(script)("c", session=session)
        assert script.calls[2] == [user("c")]

    def test_nothing_is_stored_when_a_synchronous_agent_raises(self):
        """The same holds for plain functions and generators."""
        error = RuntimeError("boom")
        session = InMemorySession("s")

        @with_session(session=session)
        def agent(messages):
            raise error

        @with_session(session=session)
        def stream(messages):
            yield "a"
            raise error

        for call in (agent, lambda text: list(stream(text))):
            with pytest.raises(RuntimeError) as caught:
                call("x")
            assert caught.value is error
        assert asyncio.run(session.get_items()) == []

    async def test_nothing_is_stored_when_a_turn_is_cancelled(self, session):
        """A cancelled call unwinds the agent, and the next turn does not wait for it."""
        running, unwound = asyncio.Event(), []

        @with_session(session=session)
        async def agent(messages):
            running.set()
            try:
                await asyncio.Event().wait()
            finally:
                unwound.append(True)

        task = asyncio.create_task(agent("a"))
        await once(running)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert unwound == [True]
        assert await session.get_items() == []
        await with_session(ScriptedAgent("x"))("b", session=session)
        assert len(await session.get_items()) == 2

    async def test_agent_that_swallows_nothing_strange(self, session):
        """What is raised need not be an Exception to leave nothing behind."""

        class Stop(BaseException):
            pass

        error = Stop()
        with pytest.raises(Stop) as caught:
            await with_session(ScriptedAgent(error))("a", session=session)
        assert caught.value is error
        assert await session.get_items() == []

    async def test_answer_that_is_no_item_is_refused(self, session):
        """An agent that returns what no adapter knows is told the ways out, and nothing stored."""
        for answer in (object(), None, {"a": 1}):
            with pytest.raises(ConversionError):
                await with_session(ScriptedAgent(answer))("a", session=session)
        assert await session.get_items() == []

    async def test_answer_that_cannot_be_kept_is_refused(self, session):
        """An item that JSON cannot hold is told with its place, and nothing is stored."""
        answer = {"role": "assistant", "content": [b"x"]}
        with pytest.raises(ConversionError) as caught:
            await with_session(ScriptedAgent(answer))("a", session=session)
        assert caught.value.path == "$[1].content[0]"
        assert await session.get_items() == []


class Recorder:
    """An agent that streams and keeps what became of it."""

    def __init__(self):
        self.ended = []

    async def __call__(self, messages):
        try:
            for number in range(100):
                yield str(number)
        except BaseException as exc:
            self.ended.append(type(exc))
            raise
        else:
            self.ended.append(None)


async def breaks(events):
    async with aclosing(events):
        async for _ in events:
            break


async def closes(events):
    await anext(events)
    await events.aclose()


async def drops(events):
    await anext(events)
    del events
    gc.collect()
    await asyncio.sleep(0)


async def raises(events):
    async with aclosing(events):
        async for _ in events:
            raise KeyError("consumer")


async def times_out(events):
    async with aclosing(events):
        async for _ in events:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()


async def is_cancelled(events):
    async def consume():
        async with aclosing(events):
            async for _ in events:
                started.set()
                await asyncio.Event().wait()

    started = asyncio.Event()
    task = asyncio.create_task(consume())
    await once(started)
    task.cancel()
    await asyncio.wait({task})


class TestStreamStops:
    @pytest.mark.parametrize("leave", [breaks, closes, drops, raises, times_out, is_cancelled])
    async def test_stream_left_early_stores_nothing(self, session, leave):
        """However the consumer leaves, the agent is closed at once and nothing is stored."""
        recorder = Recorder()
        stream = with_session(recorder, session=session)
        with suppress(KeyError, TimeoutError):
            await leave(stream("a"))
        await asyncio.wait_for(with_session(ScriptedAgent("x"))("b", session=session), TIMEOUT)
        assert len(recorder.ended) == 1
        assert recorder.ended[0] in {GeneratorExit, asyncio.CancelledError}
        assert await session.get_items() == [user("b"), assistant("x")]

    async def test_stream_never_begun_stores_nothing(self, session):
        """A stream that nobody iterates does not run the agent."""
        recorder = Recorder()
        events = with_session(recorder)("a", session=session)
        await events.aclose()
        assert recorder.ended == []
        assert await session.get_items() == []

    async def test_stream_read_to_its_end_is_stored(self, session):
        """The last event alone is not the end: the turn is stored with the end of iteration."""
        events = with_session(Recorder())("a", session=session)
        for _ in range(100):
            await anext(events)
        assert await session.get_items() == []
        with pytest.raises(StopAsyncIteration):
            await anext(events)
        assert len(await session.get_items()) == 2


class TestLoadFails:
    async def test_agent_is_not_called_without_its_history(self):
        """If the history cannot be loaded the turn fails before the agent."""
        session, script = FlakySession(), ScriptedAgent("x", ["y"])
        error = OSError("the disk is on fire")
        session.fail("get_items", error, times=2)
        for turn in (
            with_session(script)("a", session=session),
            gathered(with_session(script.stream)("a", session=session)),
        ):
            with pytest.raises(StoreError, match="could not be loaded") as caught:
                await turn
            assert caught.value.__cause__ is error
            assert "'flaky'" in str(caught.value)
        assert script.calls == []
        assert session.calls == ["get_items"] * 2
        assert await with_session(script)("a", session=session) == "x"

    async def test_errors_of_our_own_stay_as_they_are(self):
        """A session that raises an error of memwrap is not wrapped into another."""
        session = FlakySession()
        error = StoreError("gone")
        session.fail("get_items", error)
        with pytest.raises(StoreError) as caught:
            await with_session(ScriptedAgent("x"))("a", session=session)
        assert caught.value is error

    @pytest.mark.parametrize("history", [None, "text", [None], ["text"], [{1: 2}], 5])
    async def test_history_that_is_none_is_refused(self, history):
        """A session that hands out what is no list of items is told so."""
        session, script = FourMethods(), ScriptedAgent("x")
        session.items = history
        with pytest.raises(StoreError, match="get_items"):
            await with_session(script)("a", session=session)
        assert script.calls == []

    async def test_cancelled_while_loading(self):
        """A turn cancelled while its history is loaded leaves the session free."""
        loading = asyncio.Event()

        class Stuck(FourMethods):
            async def get_items(self, limit=None):
                loading.set()
                await asyncio.Event().wait()

        session, script = Stuck(), ScriptedAgent("x")
        task = asyncio.create_task(with_session(script)("a", session=session))
        await once(loading)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert script.calls == []
        session.get_items = SyncMethods().get_items
        async with asyncio.timeout(TIMEOUT):
            assert await with_session(script)("a", session=session) == "x"


class TestSaveFails:
    async def test_answer_is_not_lost(self):
        """The error has the answer, what should have been stored, and the way to store it."""
        session = FlakySession()
        error = OSError("disk full of hush")
        session.fail("add_items", error, times=50)
        answer = assistant("hush")
        with pytest.raises(TurnNotSaved) as caught:
            await with_session(ScriptedAgent(answer))("hush", session=session)
        assert caught.value.result is answer
        assert caught.value.items == [user("hush"), answer]
        assert caught.value.__cause__ is error
        assert "hush" not in f"{caught.value} {caught.value!r}"
        assert "'flaky'" in str(caught.value)
        session._failures.clear()
        assert await session.get_items() == []
        await caught.value.retry()
        assert await session.get_items() == [user("hush"), answer]
        await caught.value.retry()
        assert len(await session.get_items()) == 2

    async def test_retry_may_fail_again(self):
        """A retry that fails says so, and can be repeated until it works."""
        session = FlakySession()
        first, second = OSError("first"), OSError("second")
        session.fail("add_items", first, times=50)
        with pytest.raises(TurnNotSaved) as caught:
            await with_session(ScriptedAgent("x"))("a", session=session)
        session._failures.clear()
        session.fail("add_items", second, times=3)
        with pytest.raises(TurnNotSaved) as again:
            await caught.value.retry()
        assert again.value.__cause__ is second
        await caught.value.retry()
        assert await session.get_items() == [user("a"), assistant("x")]

    async def test_items_of_the_error_are_a_copy(self):
        """Changing the items of the error does not change what a retry stores."""
        session = FourMethods()

        async def fail(items):
            raise OSError("down")

        session.add_items = fail
        with pytest.raises(TurnNotSaved) as caught:
            await with_session(ScriptedAgent("x"))("a", session=session)
        del session.add_items
        caught.value.items.clear()
        await caught.value.retry()
        assert session.items == [user("a"), assistant("x")]

    async def test_stream_has_been_delivered(self):
        """A stream whose turn is not stored has sent all its events; the error holds them."""
        session = FlakySession()
        session.fail("add_items", OSError("down"), times=50)
        seen = []
        with pytest.raises(TurnNotSaved) as caught:
            async for event in with_session(ScriptedAgent(["a", "b"]).stream)("x", session=session):
                seen.append(event)
        assert seen == caught.value.result == ["a", "b"]
        session._failures.clear()
        await caught.value.retry()
        assert await session.get_items() == [user("x"), assistant("ab")]

    async def test_next_turn_is_not_held_up(self):
        """A turn that could not be stored frees the session."""
        session = FlakySession()
        session.fail("add_items", OSError("down"), times=50)
        agent = with_session(ScriptedAgent("x", "y"), session=session)
        with pytest.raises(TurnNotSaved):
            await agent("a")
        session._failures.clear()
        assert await asyncio.wait_for(agent("b"), TIMEOUT) == "y"
        assert await session.get_items() == [user("b"), assistant("y")]


class TestCommit:
    @pytest.mark.parametrize("times", [1, 3])
    async def test_commit_is_finished_before_the_cancellation(self, times):
        """A commit under way is awaited, whatever the session; then the turn is cancelled."""
        session = Slow()
        task = asyncio.create_task(with_session(ScriptedAgent("x"))("a", session=session))
        await once(session.begun)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert not task.done()
        session.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert session.items == [user("a"), assistant("x")]

    async def test_commit_is_finished_before_a_stream_is_cancelled(self):
        """The same holds at the end of a stream."""
        session = Slow()
        stream = with_session(ScriptedAgent(["x"]).stream)
        task = asyncio.create_task(gathered(stream("a", session=session)))
        await once(session.begun)
        task.cancel()
        await asyncio.wait({task}, timeout=0.01)
        assert not task.done()
        session.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert session.items == [user("a"), assistant("x")]

    async def test_failed_commit_of_a_cancelled_turn(self):
        """A commit that fails while its turn is cancelled ends as a cancellation, silently."""
        session = Slow(OSError("down"))
        task = asyncio.create_task(with_session(ScriptedAgent("x"))("a", session=session))
        await once(session.begun)
        task.cancel()
        await asyncio.sleep(0)
        session.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        gc.collect()

    async def test_timeout_waits_for_the_commit(self):
        """A timeout that strikes during the commit is told after it."""
        session = Slow()

        async def turn():
            async with asyncio.timeout(0.01):
                await with_session(ScriptedAgent("x"))("a", session=session)

        task = asyncio.create_task(turn())
        await once(session.begun)
        await asyncio.wait({task}, timeout=0.05)
        assert not task.done()
        session.may_end.set()
        with pytest.raises(TimeoutError):
            await task
        assert len(session.items) == 2


class TestOneAfterTheOther:
    async def test_turns_of_a_session_wait_in_line(self, session):
        """Turns run one at a time, first come first served, and each sees those before."""
        running = 0

        @with_session(session=session)
        async def agent(messages):
            nonlocal running
            running += 1
            assert running == 1
            for _ in range(5):
                await asyncio.sleep(0)
            running -= 1
            return str(len(messages))

        async with asyncio.timeout(TIMEOUT):
            answers = await asyncio.gather(*(agent(str(number)) for number in range(8)))
        assert answers == [str(2 * number + 1) for number in range(8)]
        asked = [item["content"] for item in await session.get_items()][::2]
        assert asked == [str(number) for number in range(8)]

    async def test_other_sessions_do_not_wait(self):
        """A turn that takes its time holds up its own session only."""
        store = InMemoryStore()
        waiting, go = asyncio.Event(), asyncio.Event()

        @with_session(store=store)
        async def agent(messages):
            if messages[-1]["content"] == "slow":
                waiting.set()
                await go.wait()
            return "x"

        slow = asyncio.create_task(agent("slow", session="a"))
        await once(waiting)
        async with asyncio.timeout(TIMEOUT):
            assert await agent("quick", session="b") == "x"
        assert not slow.done()
        go.set()
        await slow

    @pytest.mark.parametrize("kind", [InMemoryStore, SQLiteStore])
    async def test_objects_of_one_session_wait_for_each_other(self, tmp_path, kind):
        """Two objects that stand for one session are one line."""
        store = kind(tmp_path / "chat.db") if kind is SQLiteStore else kind()
        waiting, go = asyncio.Event(), asyncio.Event()

        @with_session
        async def agent(messages):
            if messages[-1]["content"] == "first":
                waiting.set()
                await go.wait()
            return str(len(messages))

        first = asyncio.create_task(agent("first", session=store.session("s")))
        await once(waiting)
        second = asyncio.create_task(agent("second", session=store.session("s")))
        done, _ = await asyncio.wait({second}, timeout=0.02)
        assert not done
        go.set()
        assert (await first, await second) == ("1", "3")

    async def test_stream_holds_the_session_until_it_ends(self, session):
        """A turn waits for a stream that is still being read."""
        script = ScriptedAgent(["a", "b"], "later")
        events = with_session(script.stream)("x", session=session)
        await anext(events)
        later = asyncio.create_task(with_session(script)("y", session=session))
        done, _ = await asyncio.wait({later}, timeout=0.02)
        assert not done
        await gathered(events)
        await asyncio.wait_for(later, TIMEOUT)
        assert script.calls[1] == [user("x"), assistant("ab"), user("y")]

    async def test_waiting_turn_may_be_cancelled(self):
        """A turn that is cancelled while it waits has called nothing, and the others go on."""
        session = InMemorySession("s")
        waiting, go = asyncio.Event(), asyncio.Event()
        seen = []

        @with_session(session=session)
        async def agent(messages):
            seen.append(messages[-1]["content"])
            waiting.set()
            await go.wait()
            return "x"

        tasks = [asyncio.create_task(agent(str(number))) for number in range(3)]
        await once(waiting)
        tasks[1].cancel()
        await asyncio.wait({tasks[1]}, timeout=TIMEOUT)
        assert tasks[1].cancelled()
        go.set()
        await asyncio.wait_for(asyncio.gather(tasks[0], tasks[2]), TIMEOUT)
        assert seen == ["0", "2"]

    def test_turns_in_threads_wait_in_line(self, tmp_path):
        """Event loops in several threads take turns on one session."""
        session = SQLiteSession("s", tmp_path / "chat.db")
        start = threading.Barrier(3)

        @with_session(session=session)
        async def agent(messages):
            await asyncio.sleep(0.001)
            return str(len(messages))

        async def turns():
            start.wait(TIMEOUT)
            return [int(await agent("x")) for _ in range(10)]

        with ThreadPoolExecutor(3) as threads:
            results = list(threads.map(lambda _: asyncio.run(turns()), range(3)))
        assert sorted(n for some in results for n in some) == [2 * n + 1 for n in range(30)]

    async def test_turn_inside_a_turn_does_not_wait_for_itself(self):
        """An agent that calls another on the same session is not dead-locked."""
        session = InMemorySession("s")
        inner = with_session(ScriptedAgent("inner"))

        @with_session(session=session)
        async def outer(messages):
            return await inner("from inside", session=current_session()) + "!"

        assert await asyncio.wait_for(outer("a"), TIMEOUT) == "inner!"
        contents = [item["content"] for item in await session.get_items()]
        assert contents == ["from inside", "inner", "a", "inner!"]


class TestHooks:
    async def test_what_the_agent_sees_can_be_changed(self, session):
        """Functions in `before_agent` change what the agent sees, in order, and nothing stored."""

        async def layer(turn, send, handler):
            turn.before_agent.append(lambda view: View(view.history, [*view.input, user("added")]))
            turn.before_agent.append(
                lambda view: View(*([{**item, "n": len(part)} for item in part] for part in view))
            )
            await handler(turn, send)

        script = ScriptedAgent("x")
        await session.add_items([user("before")])
        await with_session(script, middleware=[layer])("a", session=session)
        assert script.calls == [
            [{**user(t), "n": n} for t, n in (("before", 1), ("a", 2), ("added", 2))]
        ]
        assert await session.get_items() == [user("before"), user("a"), assistant("x")]

    async def test_what_is_stored_can_be_changed(self, session):
        """Functions in `before_save` change what is stored, in order, and nothing else."""

        async def layer(turn, send, handler):
            turn.before_save.append(lambda kept: Kept([], kept.new_items))
            turn.before_save.append(
                lambda kept: Kept(kept.input, [*kept.new_items, user(str(len(kept.new_items)))])
            )
            await handler(turn, send)

        script = ScriptedAgent("x")
        assert await with_session(script, middleware=[layer])("a", session=session) == "x"
        assert script.calls == [[user("a")]]
        assert await session.get_items() == [assistant("x"), user("1")]

    @pytest.mark.parametrize("hook", ["before_agent", "before_save"])
    async def test_hook_that_raises_stores_nothing(self, session, hook):
        """If a function fails the turn fails with its error, and nothing is stored."""
        error = RuntimeError("boom")

        def fail(items):
            raise error

        async def layer(turn, send, handler):
            getattr(turn, hook).append(fail)
            await handler(turn, send)

        script = ScriptedAgent("x")
        with pytest.raises(RuntimeError) as caught:
            await with_session(script, middleware=[layer])("a", session=session)
        assert caught.value is error
        assert len(script.calls) == (1 if hook == "before_save" else 0)
        assert await session.get_items() == []

    async def test_hooks_of_a_turn_are_its_own(self):
        """What a layer adds in one turn is not there in the next."""
        counts = []

        async def layer(turn, send, handler):
            turn.before_save.append(lambda kept: kept)
            counts.append(len(turn.before_save))
            await handler(turn, send)

        agent = with_session(ScriptedAgent("x", "y"), middleware=[layer])
        session = InMemorySession("s")
        await agent("a", session=session)
        await agent("b", session=session)
        assert counts == [1, 1]


async def test_bad_input_reaches_nobody(session):
    """Input that is none is refused before session and agent are asked."""
    script = ScriptedAgent("x")
    agent = with_session(script, session=session)
    for bad in (None, 5, object(), [None], {"a": 1}, [{"role": "user", "content": b"x"}]):
        with pytest.raises(ConversionError):
            await agent(bad)
    with pytest.raises(ConfigurationError):
        await agent("a", session=5)
    assert script.calls == []
    assert await session.get_items() == []

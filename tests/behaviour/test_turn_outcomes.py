"""One test for each row of the table of outcomes, over all kinds of sessions and of agents."""

import asyncio
import contextlib
import logging
import traceback
from contextlib import aclosing

import pytest
from agents import SQLiteSession as SDKSession
from support import FourMethods, SyncMethods

from memwrap import (
    ConfigurationError,
    HistoryChanged,
    InMemorySession,
    InMemoryStore,
    PostgresSession,
    RedisSession,
    SessionBusy,
    SQLiteSession,
    StoreError,
    TurnIdReused,
    TurnNotSaved,
    current_session,
    current_turn,
    record,
    run,
    with_session,
)
from memwrap.items import assistant, text_of, user
from memwrap.middleware import Memory, Redact
from memwrap.testing import FlakySession, ScriptedAgent
from memwrap.types import Kind, Method, Methods


class Pieces:
    """An adapter for agents that give a list of texts."""

    def to_items(self, messages, role="user"):
        several = messages if isinstance(messages, list) else [messages]
        return [
            {"role": role, "content": text}
            for some in several
            for text in (some if isinstance(some, list) else [some])
        ]

    def from_items(self, items):
        return items


SESSIONS = {
    "in memory": lambda folder: InMemorySession("s"),
    "sqlite": lambda folder: SQLiteSession("s", folder / "s.db"),
    "four methods": lambda folder: FourMethods(),
    "sync methods": lambda folder: SyncMethods(),
    "agents sdk": lambda folder: SDKSession("s"),
}


@pytest.fixture(params=[*SESSIONS, "postgres", "redis"])
def session(request, tmp_path):
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        made = PostgresSession("s", url, tenant=str(tmp_path))
    elif request.param == "redis":
        made = RedisSession("s", request.getfixturevalue("redis_url"), tenant=str(tmp_path))
    else:
        made = SESSIONS[request.param](tmp_path)
    yield made
    if isinstance(made, SDKSession):
        made.close()


async def items_of(session):
    found = session.get_items()
    items = await found if hasattr(found, "__await__") else found
    return [(item["role"], text_of(item)) for item in items]


class Runner:
    """An agent object; `adapter` below knows its method."""

    def __init__(self, work):
        self.work = work


class RunnerAdapter:
    def to_items(self, messages, /, *, role="user"):
        texts = [messages] if isinstance(messages, str) else messages
        return [{"role": role, "content": "".join(texts)}]

    def from_items(self, items, /):
        return items

    def methods(self, agent):
        return Methods("go", {"go": Method(agent.work, Kind.CALL)})


def call_of(kind, work, **options):
    """Return an async function that runs one turn of an agent of that kind to its end."""
    if kind == "call":

        async def agent(items):
            return work(items)

        return with_session(agent, **options)
    if kind == "stream":

        async def streaming(items):
            for word in work(items).split(" "):
                yield word

        wrapped = with_session(streaming, **options)

        async def drain(text, **given):
            return " ".join([word async for word in wrapped(text, **given)])

        return drain
    if kind == "sync":
        wrapped_sync = with_session(lambda items: work(items), **options)

        async def threaded(text, **given):
            return await asyncio.to_thread(wrapped_sync, text, **given)

        return threaded

    async def go(items):
        return work(items)

    return with_session(Runner(go), adapter=RunnerAdapter(), **options).go


KINDS = ["call", "stream", "sync", "object"]


class TestAgentRaises:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_nothing_is_stored(self, session, kind):
        """An agent's own exception reaches the caller unchanged, and nothing is stored."""
        planned = ValueError("as", "planned")

        def work(items):
            raise planned

        with pytest.raises(ValueError) as caught:
            await call_of(kind, work, session=session)("question")
        assert caught.value is planned
        assert caught.value.args == ("as", "planned")
        assert "work" in [frame.name for frame in traceback.extract_tb(planned.__traceback__)]
        assert await items_of(session) == []

    @pytest.mark.parametrize("kind", KINDS)
    async def test_input_can_be_kept(self, session, kind):
        """With on_error="keep_input" the question stays, and asked again is not stored again."""
        seen = []

        def work(items):
            seen.append([text_of(item) for item in items])
            if len(seen) == 1:
                raise ValueError
            return "answer"

        ask = call_of(kind, work, session=session, middleware=[Memory(on_error="keep_input")])
        with pytest.raises(ValueError):
            await ask("question")
        assert await items_of(session) == [("user", "question")]
        await ask("question")
        assert [role for role, _ in await items_of(session)] == ["user", "assistant"]
        assert seen == [["question"], ["question"]]

    async def test_kept_input_is_known_though_it_was_redacted(self, session):
        """A layer that changes what is stored does not hide that the question is there already."""
        agent = with_session(
            ScriptedAgent(ValueError(), "answer"),
            session=session,
            middleware=[Memory(on_error="keep_input"), Redact(r"[0-9a-f]")],
        )
        with pytest.raises(ValueError):
            await agent("question 4711")
        await agent("question 4711")
        assert [role for role, _ in await items_of(session)] == ["user", "assistant"]

    async def test_another_question_after_a_kept_one_is_stored_behind_it(self, session):
        """A kept question that is not asked again stays where it is."""
        agent = with_session(
            ScriptedAgent(ValueError(), "answer"),
            session=session,
            middleware=[Memory(on_error="keep_input")],
        )
        with pytest.raises(ValueError):
            await agent("first")
        await agent("second")
        expected = [("user", "first"), ("user", "second"), ("assistant", "answer")]
        assert await items_of(session) == expected

    async def test_error_wins_over_a_failing_store(self, caplog):
        """If keeping the input fails too, the caller sees the agent's error."""
        session = FlakySession()
        session.fail("add_items", OSError("secret"), times=9)
        agent = with_session(
            ScriptedAgent(ValueError("mine")),
            session=session,
            middleware=[Memory(on_error="keep_input")],
        )
        with pytest.raises(ValueError, match="mine"):
            await agent("question")
        assert "could not be stored (TurnNotSaved)" in caplog.text
        assert "secret" not in caplog.text


class TestCancelled:
    async def test_nothing_is_stored(self, session):
        """A cancelled turn stores nothing, stays cancelled and frees the session."""
        started = asyncio.Event()

        @with_session(session=session)
        async def agent(items):
            started.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(agent("question"))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await items_of(session) == []
        await run(ScriptedAgent("answer"), "next", session=session)
        assert await items_of(session) == [("user", "next"), ("assistant", "answer")]

    async def test_timeout_frees_the_session(self, session):
        """asyncio.timeout around a turn ends it, and the next turn runs at once."""

        @with_session(session=session)
        async def agent(items):
            await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await agent("question")
        assert await run(ScriptedAgent("answer"), "next", session=session) == "answer"

    async def test_commit_under_way_is_finished(self):
        """A cancellation that comes during the commit waits for it."""
        committing, go_on = asyncio.Event(), asyncio.Event()

        class Slow(FourMethods):
            async def add_items(self, items):
                committing.set()
                await go_on.wait()
                self.items.extend(items)

        session = Slow()
        task = asyncio.create_task(run(ScriptedAgent("answer"), "question", session=session))
        await committing.wait()
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(session.items) == 2


class TestStopped:
    async def stop_after(self, stream, count):
        async with aclosing(stream) as words:
            async for _ in words:
                count -= 1
                if not count:
                    break

    def agent(self, session, closed, **options):
        @with_session(session=session, middleware=[Memory(**options)])
        async def agent(items):
            try:
                for word in ("Once ", "upon ", "a ", "time"):
                    yield word
            finally:
                closed.append(True)

        return agent

    async def test_nothing_is_stored(self, session):
        """A stream left early closes the agent's generator at once and stores nothing."""
        closed = []
        await self.stop_after(self.agent(session, closed)("A story"), 2)
        assert closed == [True]
        assert await items_of(session) == []

    async def test_delivered_text_can_be_kept(self, session):
        """With on_stop="keep_delivered" input and delivered text are stored, marked incomplete."""
        await self.stop_after(self.agent(session, [], on_stop="keep_delivered")("A story"), 2)
        assert await items_of(session) == [("user", "A story"), ("assistant", "Once upon ")]
        found = session.get_items()
        items = await found if hasattr(found, "__await__") else found
        assert items[1]["status"] == "incomplete"

    async def test_cancelled_stream_can_be_kept(self, session):
        """A consumer that is cancelled keeps what it had received."""
        received = asyncio.Event()

        @with_session(session=session, middleware=[Memory(on_stop="keep_delivered")])
        async def agent(items):
            yield "Once "
            received.set()
            await asyncio.Event().wait()

        async def consume():
            async for _ in agent("A story"):
                pass

        task = asyncio.create_task(consume())
        await received.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await items_of(session) == [("user", "A story"), ("assistant", "Once ")]

    async def test_layer_that_swallows_the_stop_changes_nothing(self, session):
        """A layer that swallows the cancellation does not make a stopped stream a whole one."""

        async def swallow(turn, send, handler):
            with contextlib.suppress(asyncio.CancelledError):
                await handler(turn, send)

        @with_session(session=session, middleware=[swallow])
        async def agent(items):
            yield "Once "
            yield "upon"

        await self.stop_after(agent("A story"), 1)
        assert await items_of(session) == []

    async def test_receiver_may_change_what_it_gets(self, session):
        """What the receiver of a stream does to an event does not reach the store."""

        @with_session(session=session)
        async def agent(items):
            yield {"role": "assistant", "content": "said"}

        async for event in agent("A story"):
            event["content"] = "changed"
        assert await items_of(session) == [("user", "A story"), ("assistant", "said")]

    def test_sync_stream_can_be_kept(self, tmp_path):
        """A synchronous stream left early keeps what arrived, too."""
        session = SQLiteSession("s", tmp_path / "s.db")

        @with_session(session=session, middleware=[Memory(on_stop="keep_delivered")])
        def agent(items):
            yield "Once "
            yield "upon"

        words = agent("A story")
        next(words)
        words.close()
        stored = asyncio.run(items_of(session))
        assert stored == [("user", "A story"), ("assistant", "Once ")]

    async def test_open_calls_are_not_kept(self):
        """A call whose output had not come when the stream was left is not stored."""
        session = InMemorySession("s")
        call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}

        @with_session(session=session, middleware=[Memory(on_stop="keep_delivered")])
        async def agent(items):
            yield "Let me look. "
            record(call)
            yield "It "

        await self.stop_after(agent("How is it?"), 2)
        assert [item.get("type") for item in await session.get_items()] == [None, None, "message"]


class TestLoadFails:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_agent_is_not_called(self, kind):
        """If the history cannot be loaded, the turn fails before the agent is called."""
        session = FlakySession()
        session.fail("get_items", OSError("secret"))
        called = []
        with pytest.raises(StoreError) as caught:
            await call_of(kind, called.append, session=session)("question")
        assert called == []
        assert "secret" not in str(caught.value)


class TestSaveFails:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_answer_is_not_lost(self, kind):
        """If the store refuses three times, TurnNotSaved has the answer and can be retried."""
        session = FlakySession()
        session.fail("add_items", OSError("secret"), times=3)
        ask = call_of(kind, lambda items: "an answer", session=session)
        with pytest.raises(TurnNotSaved) as caught:
            await ask("question")
        assert caught.value.result == (["an", "answer"] if kind == "stream" else "an answer")
        assert [text_of(item) for item in caught.value.items][0] == "question"
        assert "secret" not in str(caught.value)
        await caught.value.retry()
        await caught.value.retry()
        assert len(await session.get_items()) == 2

    async def test_passing_failure_is_retried(self):
        """A store that fails once and then works is not noticed."""
        session = FlakySession()
        session.fail("add_items", OSError())
        await run(ScriptedAgent("answer"), "question", session=session)
        assert await items_of(session) == [("user", "question"), ("assistant", "answer")]

    @pytest.mark.parametrize("times", [1, 3])
    async def test_lost_acknowledgement_does_not_store_twice(self, times):
        """A store that did its work and failed to say so is asked before it is told again."""
        session = FlakySession()
        session.fail("add_items", OSError(), times=times, after=True)
        await run(ScriptedAgent("answer"), "question", session=session)
        assert await items_of(session) == [("user", "question"), ("assistant", "answer")]

    @pytest.mark.parametrize("limit", [None, 3])
    @pytest.mark.parametrize("failing", range(4))
    async def test_half_an_append_is_completed(self, failing, limit):
        """A session that appends one by one and fails in between gets the rest, nothing twice."""

        class OneByOne(FourMethods):
            left = None

            async def get_items(self, limit_=None):
                return self.items[-limit:] if limit else self.items

            async def add_items(self, items):
                for item in items:
                    if self.left == 0:
                        self.left = None
                        raise OSError
                    self.left = None if self.left is None else self.left - 1
                    self.items.append(item)

        session = OneByOne()
        for _ in range(2):
            session.left = failing
            await run(ScriptedAgent(["a", "a", "b"]), "a", session=session, adapter=Pieces())
        assert [text_of(item) for item in session.items] == ["a", "a", "a", "b"] * 2

    async def test_append_is_known_behind_somebody_elses(self):
        """A stored turn that somebody else has written behind by now is not stored again."""

        class Overtaken(FourMethods):
            async def add_items(self, items):
                self.items += [*items, user("from elsewhere")]
                raise OSError

        session = Overtaken()
        await run(ScriptedAgent("answer"), "question", session=session)
        assert [text_of(i) for i in session.items] == ["question", "answer", "from elsewhere"]

    async def test_same_words_twice_are_two_turns(self):
        """A repeated exchange is not taken for one that was stored already."""
        session = FlakySession()
        for _ in range(2):
            session.fail("add_items", OSError())
            await run(ScriptedAgent("yes"), "yes?", session=session)
        assert len(await session.get_items()) == 4

    async def test_answer_can_be_returned(self, caplog):
        """With on_save_error="return" the answer comes back; the failure is logged and counted."""
        session = FlakySession()
        session.fail("add_items", OSError("secret"), times=3)
        memory = Memory(on_save_error="return")
        agent = with_session(ScriptedAgent("an answer"), session=session, middleware=[memory])
        assert await agent("question") == "an answer"
        assert memory.unsaved == 1
        assert "could not be stored (OSError)" in caplog.text
        assert not any(word in caplog.text for word in ("secret", "an answer", "question"))

    async def test_layers_outside_see_a_failed_turn(self):
        """A turn that could not be stored has failed for the layers around Memory as well."""
        session = FlakySession()
        session.fail("add_items", OSError(), times=3)
        seen = []

        async def outside(turn, send, handler):
            try:
                await handler(turn, send)
            except TurnNotSaved as exc:
                seen.append(exc.result)
                raise

        agent = with_session(ScriptedAgent("x"), session=session, middleware=[outside, Memory()])
        with pytest.raises(TurnNotSaved):
            await agent("question")
        assert seen == ["x"]


class TestSecondTurn:
    async def test_turns_wait_in_order(self, session):
        """Turns on one session run one after the other, first come first served."""
        running = 0

        @with_session(session=session)
        async def agent(items):
            nonlocal running
            running += 1
            assert running == 1
            await asyncio.sleep(0.001)
            running -= 1
            return "answer to " + text_of(items[-1])

        await asyncio.gather(*(agent(str(number)) for number in range(5)))
        asked = [text for role, text in await items_of(session) if role == "user"]
        assert asked == ["0", "1", "2", "3", "4"]

    @pytest.mark.parametrize(
        "options", [{"on_busy": "reject"}, {"busy_timeout": 0.01}], ids=["reject", "timeout"]
    )
    async def test_busy_session_is_refused(self, session, options):
        """A turn that may not wait, or has waited too long, is SessionBusy; others go on."""
        working, go_on = asyncio.Event(), asyncio.Event()

        @with_session(middleware=[Memory(**options)])
        async def agent(items):
            working.set()
            await go_on.wait()
            return "answer"

        first = asyncio.create_task(agent("first", session=session))
        await working.wait()
        with pytest.raises(SessionBusy):
            await agent("second", session=session)
        go_on.set()
        await agent("elsewhere", session=InMemorySession("other"))
        await first
        assert await items_of(session) == [("user", "first"), ("assistant", "answer")]

    async def test_two_objects_are_one_session(self, tmp_path):
        """Objects with the same id on the same store wait for each other."""
        store = InMemoryStore()
        link = tmp_path / "link.db"
        link.symlink_to(tmp_path / "s.db")
        pairs = [
            (store.session("s"), store.session("s")),
            (SQLiteSession("s", tmp_path / "s.db"), SQLiteSession("s", link)),
        ]
        for one, other in pairs:
            working, go_on = asyncio.Event(), asyncio.Event()

            async def wait(items, working=working, go_on=go_on):
                working.set()
                await go_on.wait()
                return "answer"

            first = asyncio.create_task(with_session(wait, session=one)("first"))
            await working.wait()
            refuse = [Memory(on_busy="reject")]
            with pytest.raises(SessionBusy):
                await run(ScriptedAgent("no"), "second", session=other, middleware=refuse)
            go_on.set()
            await first

    @pytest.mark.parametrize("lease", [30.0, None])
    async def test_nested_turns_do_not_wait_for_themselves(self, session, lease):
        """A turn inside a turn on its session runs and commits by itself; siblings take turns."""
        inner = with_session(ScriptedAgent("a", "b"))

        @with_session(session=session, middleware=[Memory(lease=lease)])
        async def outer(items):
            shared = current_session()
            async with asyncio.timeout(5):
                await asyncio.gather(*(inner(text, session=shared) for text in ("one", "two")))
            return "done"

        await outer("question")
        asked = [text for role, text in await items_of(session) if role == "user"]
        assert asked == ["one", "two", "question"]
        assert len(await items_of(session)) == 6


class TestLeaseOff:
    @pytest.mark.parametrize("kind", ["in memory", "sqlite"])
    async def test_change_in_between_is_told(self, kind, tmp_path):
        """Without a lease, an append by somebody else in between is HistoryChanged."""
        session = SESSIONS[kind](tmp_path)

        @with_session(session=session, middleware=[Memory(lease=None)])
        async def agent(items):
            await session.add_items([user("from elsewhere")])
            return "an answer"

        with pytest.raises(HistoryChanged) as caught:
            await agent("question")
        assert caught.value.result == "an answer"
        assert await items_of(session) == [("user", "from elsewhere")]
        with pytest.raises(HistoryChanged):
            await caught.value.retry()

    @pytest.mark.parametrize("kind", ["in memory", "sqlite"])
    async def test_agent_may_write_under_a_lease(self, kind, tmp_path):
        """With a lease, what the agent itself adds to its session stays, before the turn."""
        session = SESSIONS[kind](tmp_path)

        @with_session(session=session)
        async def agent(items):
            await session.add_items([user("a note")])
            return "an answer"

        await agent("question")
        assert len(await items_of(session)) == 3

    async def test_agent_may_clear_its_session(self, tmp_path):
        """An agent that clears its session in a turn leaves the turn itself."""
        session = SQLiteSession("s", tmp_path / "s.db")
        await session.add_items([user("old"), assistant("old")])

        @with_session(session=session)
        async def agent(items):
            await session.clear_session()
            return "forgotten"

        await agent("Forget it all")
        assert await items_of(session) == [("user", "Forget it all"), ("assistant", "forgotten")]


class TestTurnId:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_same_id_and_input_give_the_stored_answer(self, session, kind):
        """A turn with a known id and the same input is answered without the agent."""
        calls = []

        def work(items):
            calls.append(current_turn().id)
            return f"answer {len(calls)}"

        ask = call_of(kind, work, session=session)
        first = await ask("question", turn_id="t1")
        assert (await ask("question", turn_id="t1")).replace(" ", "") == first.replace(" ", "")
        assert calls == ["t1"]
        assert len(await items_of(session)) == 2

    async def test_another_input_is_refused(self, session):
        """A known id with another input is TurnIdReused, and the agent is not called."""
        agent = with_session(ScriptedAgent("answer"), session=session)
        await agent("question", turn_id="t1")
        with pytest.raises(TurnIdReused):
            await agent("another", turn_id="t1")
        assert len(await items_of(session)) == 2

    async def test_failures_are_not_recorded(self, session):
        """A turn that failed runs again under its id."""
        agent = with_session(ScriptedAgent(ValueError(), "answer"), session=session)
        with pytest.raises(ValueError):
            await agent("question", turn_id="t1")
        assert await agent("question", turn_id="t1") == "answer"

    async def test_second_caller_waits_for_the_first(self, session):
        """The same turn asked for twice at once runs once, and both get its answer."""
        script = ScriptedAgent("answer")

        @with_session(session=session)
        async def agent(items):
            await asyncio.sleep(0.001)
            return await script(items)

        answers = await asyncio.gather(*(agent("question", turn_id="t1") for _ in range(3)))
        assert answers == ["answer"] * 3
        assert len(script.calls) == 1

    async def test_known_id_is_found_behind_others(self, session):
        """A turn is known by its id however many came after it."""
        script = ScriptedAgent("one", "two", "three")
        agent = with_session(script, session=session)
        for number in (1, 2, 3):
            await agent(f"question {number}", turn_id=f"t{number}")
        assert await agent("question 1", turn_id="t1") == "one"
        assert len(script.calls) == 3

    @pytest.mark.parametrize(
        "answer",
        ["text", {"role": "assistant", "content": "an item"}, [assistant("a"), assistant("b")]],
        ids=["text", "item", "items"],
    )
    async def test_answer_has_its_shape_again(self, session, answer):
        """Text, an item and a list of items come back as what they were."""
        agent = with_session(ScriptedAgent(answer), session=session)
        await agent("question", turn_id="t1")
        assert await agent("question", turn_id="t1") == answer

    async def test_stream_gives_the_final_text(self, session):
        """A repeated stream sends its stored text as one event."""
        agent = with_session(ScriptedAgent(["Once ", "upon"]).stream, session=session)
        assert [word async for word in agent("q", turn_id="t1")] == ["Once ", "upon"]
        assert [word async for word in agent("q", turn_id="t1")] == ["Once upon"]

    async def test_stored_answer_is_the_redacted_one(self, session):
        """What was redacted before it was stored does not come back with the turn's id."""
        agent = with_session(
            ScriptedAgent("it is 1234"), session=session, middleware=[Redact(r"\d+", agent=False)]
        )
        assert await agent("q", turn_id="t1") == "it is 1234"
        assert await agent("q", turn_id="t1") == "it is [REDACTED]"

    def test_id_is_known_after_a_restart(self, tmp_path):
        """On SQLite the id is known to later event loops, and so to later processes."""
        script = ScriptedAgent("answer")
        for _ in range(2):
            session = SQLiteSession("s", tmp_path / "s.db")
            answer = asyncio.run(run(script, "question", session=session, turn_id="t1"))
            assert answer == "answer"
        assert len(script.calls) == 1

    @pytest.mark.parametrize("kind", ["in memory", "sqlite"])
    async def test_id_of_a_removed_turn_is_free(self, kind, tmp_path):
        """A turn whose items were popped or cleared runs again."""
        session = SESSIONS[kind](tmp_path)
        script = ScriptedAgent("one", "two", "three")
        agent = with_session(script, session=session)
        await agent("question", turn_id="t1")
        await session.pop_item()
        assert await agent("question", turn_id="t1") == "two"
        await session.clear_session()
        assert await agent("question", turn_id="t1") == "three"

    @pytest.mark.parametrize("turn_id", ["", 1, "x" * 257])
    async def test_bad_id_is_refused(self, session, turn_id):
        """An id that is no string, empty or too long is an error, and nothing runs."""
        with pytest.raises(ConfigurationError, match="turn_id is a string"):
            await with_session(ScriptedAgent(), session=session)("q", turn_id=turn_id)


class TestWhatIsStored:
    CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "1"}

    async def stored(self, *new_items):
        session = InMemorySession("s")
        await run(ScriptedAgent(list(new_items)), "question", session=session)
        return (await session.get_items())[1:]

    async def test_complete_exchange_is_stored(self):
        """A call is stored with its output."""
        items = [self.CALL, self.OUTPUT, assistant("done")]
        assert await self.stored(*items) == items

    async def test_call_that_was_never_answered_is_not(self):
        """A call that a message followed without its output is left out, with its reasoning."""
        thought = {"type": "reasoning", "id": "r", "summary": []}
        assert await self.stored(thought, self.CALL, assistant("done")) == [assistant("done")]

    async def test_call_that_waits_for_its_output_is(self):
        """A turn may end with a call; the next turn brings the output."""
        assert await self.stored(self.CALL) == [self.CALL]

    async def test_agent_never_sees_a_broken_history(self):
        """Open calls, orphan outputs and lone reasoning in the store are not shown to the agent."""
        session = InMemorySession("s")
        broken = [
            self.OUTPUT,
            user("1"),
            self.CALL,
            assistant("2"),
            {"type": "reasoning", "id": "r", "summary": []},
        ]
        await session.add_items(broken)
        script = ScriptedAgent("answer")
        await run(script, "3", session=session)
        assert script.calls == [[user("1"), assistant("2"), user("3")]]
        assert (await session.get_items())[:5] == broken


@pytest.mark.parametrize(
    "options",
    [
        {"on_error": "keep"},
        {"on_stop": "keep_input"},
        {"on_save_error": "ignore"},
        {"on_busy": "queue"},
        {"busy_timeout": -1},
        {"lease": 0},
    ],
)
def test_wrong_options_are_refused(options):
    """An option with an unknown value is an error when the layer is made."""
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Memory(**options)


async def test_no_content_in_logs(caplog, tmp_path):
    """Nothing of a turn's content is logged at any level, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    session = SQLiteSession("s", tmp_path / "s.db")
    agent = with_session(ScriptedAgent("sesame answer", ValueError("x")), session=session)
    await agent("sesame question", turn_id="t1")
    with pytest.raises(ValueError):
        await agent("sesame again")
    assert "sesame" not in caplog.text

import asyncio

import pytest
from support import CALL, OUTPUT

from memwrap import (
    ConfigurationError,
    InMemorySession,
    SQLiteSession,
    StoreError,
    current_session,
    record,
    run,
    undo,
    with_session,
)
from memwrap.hidden.data import without_hidden
from memwrap.items import assistant, system, user
from memwrap.middleware import Memory
from memwrap.testing import FlakySession, ScriptedAgent

MADE = {
    "in memory": lambda folder: InMemorySession("s"),
    "sqlite": lambda folder: SQLiteSession("s", folder / "s.db"),
    "four methods": lambda folder: FlakySession(),
}


@pytest.fixture(params=MADE)
def session(request, tmp_path):
    return MADE[request.param](tmp_path)


async def test_last_turn_is_removed_whole(session):
    """Undo removes all items of the newest turn, however many, and returns them."""

    @with_session(session=session)
    async def agent(items):
        if len(items) > 1:
            record([CALL, OUTPUT])
        return "answer"

    await agent("first")
    await agent("second")
    assert await undo(session) == [[user("second"), CALL, OUTPUT, assistant("answer")]]
    assert await session.get_items() == [user("first"), assistant("answer")]


async def test_several_turns_come_back_oldest_first(session):
    """Undoing more turns than there are removes and returns what there is."""
    agent = with_session(ScriptedAgent("a", "b"), session=session)
    await agent("1")
    await agent("2")
    expected = [[user("1"), assistant("a")], [user("2"), assistant("b")]]
    assert await undo(session, turns=5) == expected
    assert await undo(session) == []
    assert await session.get_items() == []


async def test_what_comes_before_the_first_turn_stays(session):
    """A system message at the beginning belongs to no turn."""
    await session.add_items([system("be brief"), user("1"), assistant("a")])
    assert await undo(session, turns=9) == [[user("1"), assistant("a")]]
    assert await session.get_items() == [system("be brief")]


async def test_other_writers_turns_are_told_by_their_structure(session):
    """Items that no turn recorded are split where the user begins to speak."""
    await run(ScriptedAgent("a"), "1", session=session)
    await session.add_items([user("2"), user("and more"), CALL, OUTPUT, assistant("b")])
    removed = await undo(session)
    assert removed == [[user("2"), user("and more"), CALL, OUTPUT, assistant("b")]]
    assert len(await session.get_items()) == 2


@pytest.mark.parametrize("kind", ["in memory", "sqlite"])
async def test_recorded_turns_are_exact(kind, tmp_path):
    """A turn whose input is a tool's output is a turn of its own where turns are recorded."""
    session = MADE[kind](tmp_path)
    agent = with_session(ScriptedAgent([CALL], "done"), session=session)
    await agent("question")
    await agent([OUTPUT])
    assert await undo(session) == [[OUTPUT, assistant("done")]]
    assert await session.get_items() == [user("question"), CALL]


async def test_undone_turn_may_be_run_again(session):
    """The id of an undone turn is free, and its input gives a new answer."""
    agent = with_session(ScriptedAgent("bad", "good"), session=session)
    await agent("question", turn_id="t1")
    (turn,) = await undo(session)
    assert await agent(turn[0]["content"], turn_id="t1") == "good"
    assert len(await session.get_items()) == 2


async def test_undo_waits_for_a_running_turn(session):
    """Undo takes its place behind the turn that runs, and removes that one."""
    working, go_on = asyncio.Event(), asyncio.Event()

    @with_session(session=session)
    async def agent(items):
        working.set()
        await go_on.wait()
        return "answer"

    turn = asyncio.create_task(agent("question"))
    await working.wait()
    undoing = asyncio.create_task(undo(session))
    await asyncio.sleep(0)
    go_on.set()
    await turn
    assert await undoing == [[user("question"), assistant("answer")]]


async def test_agent_cannot_undo_under_itself(session):
    """Undo of the own session inside a turn is a clear error, not a wait without end."""

    @with_session(session=session)
    async def agent(items):
        await undo(current_session())

    with pytest.raises(ConfigurationError, match="while it runs"):
        await agent("question")


@pytest.mark.parametrize("turns", [0, -1, True, "1", None])
async def test_wrong_number_is_refused(session, turns):
    """The number of turns is a whole number from 1 on."""
    with pytest.raises(ConfigurationError, match="whole number"):
        await undo(session, turns)


async def test_change_during_the_undo_stops_it():
    """If the newest item is not the one that was read, it is put back and the undo stops."""

    class Changing(FlakySession):
        async def get_items(self, limit=None):
            found = await super().get_items(limit)
            if self.calls == ["get_items", "get_items"]:
                await self.add_items([user("from elsewhere")])
            return found

    session = Changing()
    await InMemorySession.add_items(session, [user("1"), assistant("a")])
    with pytest.raises(StoreError, match="somebody else"):
        await undo(session)
    expected = [user("1"), assistant("a"), user("from elsewhere")]
    assert await session.get_items() == expected


async def test_damaged_rows_stop_the_undo(tmp_path):
    """A damaged row is not removed, and nothing else is either."""
    import sqlite3

    session = SQLiteSession("s", tmp_path / "s.db")
    await session.add_items([user("1"), assistant("a")])
    with sqlite3.connect(tmp_path / "s.db") as other:
        other.execute("UPDATE agent_messages SET message_data = 'broken' WHERE id = 2")
    other.close()
    with pytest.raises(StoreError, match=r"rows \[2\] are damaged"):
        await undo(session)
    with pytest.warns(UserWarning, match="damaged"):
        assert await session.get_items() == [user("1")]


@pytest.mark.parametrize("wrong", ["user_1", 5, None])
async def test_what_is_no_session_is_refused(wrong):
    """Undo of an id names the store, which alone can tell whose id it is."""
    with pytest.raises(ConfigurationError, match=r"undo\(\) takes a session.*store\.session\("):
        await undo(wrong)


async def test_turn_of_another_process_is_waited_for(tmp_path):
    """Undo waits for a lease that somebody else has, as a turn does."""
    session = SQLiteSession("s", tmp_path / "s.db")
    await run(ScriptedAgent("a"), "1", session=session)
    other = await asyncio.create_task(session.begin_turn("another/process", lease=30.0))
    undoing = asyncio.create_task(undo(session))
    await asyncio.sleep(0.05)
    assert not undoing.done()
    await session.release_turn(other)
    assert await undoing == [[user("1"), assistant("a")]]


@pytest.mark.parametrize("kind", MADE)
async def test_kept_question_and_its_answer_are_one_turn(kind, tmp_path):
    """A question that was kept when the agent failed is undone together with its later answer."""
    session = MADE[kind](tmp_path)
    script = ScriptedAgent("before", ValueError(), [CALL, OUTPUT, assistant("answer")])
    agent = with_session(script, session=session, middleware=[Memory(on_error="keep_input")])
    question = [system("mind"), user("one"), assistant("so far"), user("two")]
    await agent("first")
    with pytest.raises(ValueError):
        await agent(question)
    await agent(question)
    (turn,) = await undo(session)
    assert without_hidden(turn) == [*question, CALL, OUTPUT, assistant("answer")]
    assert await session.get_items() == [user("first"), assistant("before")]


@pytest.mark.parametrize("secret", [b"", b"x" * 32], ids=["no secret", "secret"])
async def test_turns_are_told_by_their_notes(secret):
    """In a session of four methods a turn with an id is told by its note, if that is proven."""
    session = FlakySession()
    layers = [Memory(secret=secret)]
    agent = with_session(ScriptedAgent([CALL], "done"), session=session, middleware=layers)
    await agent("question", turn_id="t1")
    await agent([OUTPUT], turn_id="t2")
    if secret:
        assert len(await told(session, b"y" * 32)) == 4
    assert await told(session, secret) == [OUTPUT, assistant("done")]


async def told(session, secret):
    """Return the turn that an undo takes, on a copy of the session."""
    copy = FlakySession()
    await InMemorySession.add_items(copy, await InMemorySession.get_items(session))
    (turn,) = await undo(copy, secret=secret)
    return without_hidden(turn)


class Odd(FlakySession):
    """A session in which something happens at one of the pops."""

    def __init__(self, at, happens):
        super().__init__()
        self.at, self.happens, self.pops = at, happens, 0

    async def pop_item(self):
        self.pops += 1
        if self.pops == self.at:
            await self.happens(self)
        return await super().pop_item()


async def others_add(session):
    await InMemorySession.add_items(session, [user("from elsewhere")])


async def fails(session):
    raise OSError("hush")


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("happens", [others_add, fails])
async def test_pops_are_all_or_none(at, happens):
    """When a pop gives something else or fails, all that was popped is put back in its place."""
    session = Odd(at, happens)
    items = [user("1"), assistant("a"), user("2"), assistant("b"), assistant("c")]
    await InMemorySession.add_items(session, items)
    with pytest.raises(StoreError, match="nothing was undone") as caught:
        await undo(session)
    assert "hush" not in str(caught.value)
    others = [user("from elsewhere")] if happens is others_add else []
    assert await session.get_items() == items + others


async def test_cancelled_undo_is_all_or_none():
    """An undo that is cancelled between two pops ends first."""
    popping = asyncio.Event()

    async def waits(session):
        popping.set()
        await asyncio.sleep(0.01)

    session = Odd(2, waits)
    await InMemorySession.add_items(session, [user("1"), assistant("a"), assistant("b")])
    undoing = asyncio.create_task(undo(session))
    await popping.wait()
    undoing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await undoing
    assert await session.get_items() == []


@pytest.mark.parametrize("kind", ["in memory", "sqlite"])
@pytest.mark.parametrize("size", [3, 70, 700])
async def test_turns_longer_than_what_is_looked_at_first(kind, size, tmp_path):
    """Long turns are undone whole, told by their record or by their structure."""
    session = MADE[kind](tmp_path)
    long = [assistant(str(number)) for number in range(size)]
    for number in range(3):
        await run(ScriptedAgent(long), f"recorded {number}", session=session)
        await session.add_items([user(f"loose {number}"), *long])
    before = await session.get_items()
    assert await undo(session) == [[user("loose 2"), *long]]
    assert await undo(session) == [[user("recorded 2"), *long]]
    removed = await undo(session, 3)
    assert [turn[0] for turn in removed] == [
        user("loose 0"),
        user("recorded 1"),
        user("loose 1"),
    ]
    assert await session.get_items() == before[: size + 1]

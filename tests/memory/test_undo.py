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
from memwrap.items import assistant, system, user
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
    assert len(await session.get_items()) == 3


async def test_damaged_rows_stop_the_undo(tmp_path):
    """A damaged row is not removed, and nothing else is either."""
    import sqlite3

    session = SQLiteSession("s", tmp_path / "s.db")
    await session.add_items([user("1"), assistant("a")])
    with sqlite3.connect(tmp_path / "s.db") as other:
        other.execute("UPDATE agent_messages SET message_data = 'broken' WHERE id = 2")
    other.close()
    with pytest.warns(UserWarning), pytest.raises(StoreError, match=r"rows \[2\] are damaged"):
        await undo(session)
    with pytest.warns(UserWarning, match="damaged"):
        assert await session.get_items() == [user("1")]

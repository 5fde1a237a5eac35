"""What was deleted while a turn ran is not brought back by that turn."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from memwrap import InMemoryStore, SQLiteStore, current_session, with_session
from memwrap.exceptions import TurnNotSaved
from memwrap.items import assistant, user
from memwrap.middleware import Memory
from memwrap.sessions.turns import TurnRecord

OLD = [user("old"), assistant("old")]


@pytest.fixture(params=["memory", "file"])
def store(request, path):
    return InMemoryStore() if request.param == "memory" else SQLiteStore(path)


@pytest.fixture(params=[None, 30.0], ids=["no lease", "lease"])
def lease(request):
    return request.param


@pytest.fixture(params=[[], OLD], ids=["empty", "old"])
def before(request):
    return request.param


async def begun(store, before, lease):
    """Return a session with a turn that has begun."""
    session = store.session("s")
    await session.add_items(before)
    return session, await asyncio.create_task(session.begin_turn("t", lease=lease))


async def committed(session, turn):
    return await session.commit_turn(turn, [user("q"), assistant("a")], TurnRecord(inputs=1))


@pytest.mark.parametrize("how", ["clear", "delete"])
async def test_deletion_ends_the_right_to_store(store, before, lease, how):
    """A turn that began before the session was cleared or deleted is refused, and so ever after."""
    session, turn = await begun(store, before, lease)
    other = store.session("s")
    await (other.clear_session() if how == "clear" else store.delete("s"))
    for _ in range(2):
        assert not await committed(session, turn)
    await session.release_turn(turn)
    assert not await committed(session, turn)
    assert await session.get_items() == []


async def test_turn_that_begins_after_it_is_stored(store, before, lease):
    """A cleared session goes on with the turns that begin then."""
    session, turn = await begun(store, before, lease)
    await store.delete("s")
    await session.release_turn(turn)
    later = await session.begin_turn("later", lease=lease)
    assert await committed(session, later)
    assert not await committed(session, turn)
    assert len(await session.get_items()) == 2


async def test_other_sessions_are_not_touched(store, before, lease):
    """The deletion of one session ends no turn of another."""
    session, turn = await begun(store, before, lease)
    await store.session("another").add_items(OLD)
    await store.delete("another")
    assert await committed(session, turn)


async def test_retry_of_a_turn_that_was_released(store, before, lease):
    """A turn whose store failed may be stored later, unless the session was cleared meanwhile."""
    for cleared in (False, True):
        await store.delete("s")
        session, turn = await begun(store, before, lease)
        turn.attempted = True
        await session.release_turn(turn)
        if cleared:
            await store.delete("s")
        assert await committed(session, turn) is not cleared


@pytest.mark.parametrize("nested", [False, True])
async def test_turn_that_clears_its_own_session_goes_on(store, before, nested):
    """What a turn removes of its own session is its own doing, and the turn is stored."""

    @with_session(store=store)
    async def inner(items):
        await current_session().clear_session()
        return "inner"

    @with_session(store=store)
    async def outer(items):
        await inner("inner", session="s")
        return "outer"

    await store.session("s").add_items(before)
    await (outer if nested else inner)("q", session="s")
    kept = [item["content"] for item in await store.session("s").get_items()]
    assert kept == (["inner", "inner", "q", "outer"] if nested else ["q", "inner"])


async def test_turn_that_pops_all_of_its_session_goes_on(store):
    """A turn, or one inside of it, may pop what was there before it."""

    @with_session(store=store)
    async def inner(items):
        while await current_session().pop_item():
            pass
        return "inner"

    @with_session(store=store)
    async def outer(items):
        await inner("inner", session="s")
        return "outer"

    await store.session("s").add_items(OLD)
    await outer("q", session="s")
    assert len(await store.session("s").get_items()) == 4


@pytest.mark.parametrize("nested", [False, True])
async def test_deletion_by_the_store_ends_the_turn_that_does_it_too(store, before, nested):
    """A store deletes for good: not even the turn that called it is stored."""

    @with_session(store=store)
    async def inner(items):
        await store.delete("s")
        return "private"

    @with_session(store=store)
    async def outer(items):
        return await inner("inner", session="s")

    await store.session("s").add_items(before)
    with pytest.raises(TurnNotSaved) as caught:
        await (outer if nested else inner)("q", session="s")
    assert caught.value.result == "private"
    assert await store.session("s").get_items() == []


async def test_deletion_in_the_middle_of_nested_turns(store, before):
    """Neither the inner nor the outer turn is stored when somebody else deletes in between."""
    errors = []

    @with_session(store=store)
    async def inner(items):
        await asyncio.get_running_loop().run_in_executor(None, asyncio.run, store.delete("s"))
        return "inner"

    @with_session(store=store, middleware=[Memory()])
    async def outer(items):
        try:
            await inner("inner", session="s")
        except TurnNotSaved as exc:
            errors.append(exc)
        return "outer"

    await store.session("s").add_items(before)
    with pytest.raises(TurnNotSaved):
        await outer("q", session="s")
    assert len(errors) == 1
    assert await store.session("s").get_items() == []


async def test_rows_deleted_by_another_program(path, lease):
    """A turn is refused too when a program without memwrap deleted all that was there."""
    store = SQLiteStore(path)
    session, turn = await begun(store, OLD, lease)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM agent_messages WHERE session_id = 's'")
        connection.execute("DELETE FROM agent_sessions WHERE session_id = 's'")
        connection.commit()
    assert not await committed(session, turn)


async def test_two_commits_of_one_turn_at_once(store, lease):
    """A turn that is committed again while it is being committed is stored once."""
    session, turn = await begun(store, OLD, lease)
    turn.attempted = True
    assert await asyncio.gather(*(committed(session, turn) for _ in range(3))) == [True] * 3
    assert len(await session.get_items()) == 4


async def test_marks_do_not_stay(path):
    """What an empty session's turn leaves in the file goes with its end or its session."""
    store = SQLiteStore(path)
    for end in (committed, lambda session, turn: store.delete("s")):
        session, turn = await begun(store, [], None)
        await end(session, turn)
        with closing(sqlite3.connect(path)) as connection:
            assert not connection.execute(
                "SELECT * FROM agent_messages_turns WHERE last_id <= 0"
            ).fetchall()
        await store.delete("s")


async def test_memory_forgets_turns_that_ended_without_a_word():
    """Ids of sessions that nothing was ever stored in do not pile up."""
    store = InMemoryStore()
    for number in range(5000):
        await store.session(str(number)).begin_turn("t", lease=None)
    assert len(store._backend._begun) <= 1000

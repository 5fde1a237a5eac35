"""The ambient session, the running turn, and what an agent records in it."""

import asyncio
import contextvars

import pytest
from support import CALL, OUTPUT, TIMEOUT

from memwrap import (
    ConfigurationError,
    ConversionError,
    InMemorySession,
    InMemoryStore,
    current_session,
    current_turn,
    record,
    use_session,
    with_session,
)
from memwrap.items import assistant, user


@with_session
async def agent(items):
    return f"{len(items)}"


# use_session and current_session


async def test_ambient_session(session):
    """Every agent called in the block has its session."""
    with use_session(session) as given:
        assert given is session
        assert await agent("a") == "1"
        assert await agent("b") == "3"
    assert await agent("c") == "1"


async def test_blocks_nest(session):
    """The innermost block counts, None included, and the outer one again after it."""
    other = InMemorySession("other")
    with use_session(session):
        assert current_session() is session
        with use_session(other):
            assert current_session() is other
            with use_session(None):
                assert current_session() is None
                await agent("forgotten")
            await agent("other")
        assert current_session() is session
        await agent("outer")
    assert current_session() is None
    assert await session.get_items() == [user("outer"), assistant("1")]
    assert await other.get_items() == [user("other"), assistant("1")]


async def test_one_block_again_and_again(session):
    """One block object can be entered again, also inside itself."""
    block = use_session(session)
    with block, block:
        pass
    with block:
        assert current_session() is session
    assert current_session() is None


async def test_left_by_an_error(session):
    """A block left by an error ends as any other, and lets the error through."""
    with pytest.raises(KeyError), use_session(session):
        raise KeyError
    assert current_session() is None


async def test_ambient_id():
    """An id in the block is looked up in the called agent's own store."""
    store = InMemoryStore()
    stored = with_session(agent.__wrapped__, store=store)
    with use_session("id"):
        await stored("Hi")
        with pytest.raises(ConfigurationError, match=r"'id' is an id.*store="):
            await agent("Hi")
        with pytest.raises(ConfigurationError, match=r"use_session\(store\.session\(id\)\)"):
            current_session()
    assert len(await store.session("id").get_items()) == 2


async def test_ambient_session_of_a_wrong_type():
    """What is no session is refused by the agent called in the block."""
    with use_session(5), pytest.raises(ConfigurationError, match="session is of type int"):
        await agent("Hi")


async def test_tasks_inherit_the_block(session):
    """Tasks started in the block are in it; what they set stays theirs."""
    inside = asyncio.Event()

    async def child():
        assert current_session() is session
        with use_session(None):
            inside.set()
            await asyncio.sleep(0)

    with use_session(session):
        task = asyncio.create_task(child())
        await inside.wait()
        assert current_session() is session
    assert current_session() is None
    await task


# Turns


async def test_current_turn(session):
    """The agent can see its turn, and nobody outside of it can."""
    seen = []

    @with_session
    async def curious(items):
        seen.append((current_turn().session, current_session(), current_turn().input))
        return "x"

    await curious("Hi", session=session)
    assert seen == [(session, session, [user("Hi")])]
    assert current_turn() is None


async def test_turn_without_memory():
    """A turn without a session is a turn."""

    @with_session
    async def curious(items):
        assert current_turn().session is None
        assert current_session() is None
        return "x"

    assert await curious("Hi") == "x"


@pytest.mark.parametrize("how", ["call", "block", "decorator"])
async def test_turn_masks_its_session(how, session):
    """An agent called from inside a turn neither joins the outer session nor waits for it."""

    @with_session(**({"session": session} if how == "decorator" else {}))
    async def outer(items):
        return await agent("inner")

    async with asyncio.timeout(TIMEOUT):
        if how == "block":
            with use_session(session):
                await outer("outer")
        else:
            await outer("outer", **({"session": session} if how == "call" else {}))
    assert await session.get_items() == [user("outer"), assistant("1")]


async def test_stream_masks_its_session(session):
    """The mask covers streams as well."""

    @with_session
    async def outer(items):
        yield await agent("inner")

    with use_session(session):
        assert [event async for event in outer("outer")] == ["1"]
    assert await session.get_items() == [user("outer"), assistant("1")]


async def test_block_inside_a_turn(session):
    """A block inside a turn counts for the agents called in it."""
    other = InMemorySession("other")

    @with_session
    async def outer(items):
        with use_session(other):
            assert current_turn().session is session
            assert current_session() is other
            return await agent("inner")

    await outer("outer", session=session)
    assert await other.get_items() == [user("inner"), assistant("1")]


async def test_sharing_openly(session):
    """A turn that is given the outer turn's session joins it and does not dead-lock."""

    @with_session
    async def outer(items):
        return await agent("inner", session=current_session())

    async with asyncio.timeout(TIMEOUT):
        assert await outer("outer", session=session) == "1"
    found = await session.get_items()
    assert found == [user("inner"), assistant("1"), user("outer"), assistant("1")]


async def test_siblings_take_turns(session):
    """Turns side by side inside one turn, on its session, come one after the other."""
    inside = 0

    @with_session
    async def inner(items):
        nonlocal inside
        inside += 1
        assert inside == 1
        await asyncio.sleep(0)
        inside -= 1
        return f"{len(items)}"

    @with_session
    async def outer(items):
        mine = current_session()
        answers = await asyncio.gather(*(inner(f"{n}", session=mine) for n in range(5)))
        return " ".join(answers)

    async with asyncio.timeout(TIMEOUT):
        assert await outer("outer", session=session) == "1 3 5 7 9"


async def test_three_levels(session):
    """Sharing works at any depth."""

    @with_session
    async def middle(items):
        return await agent("deepest", session=current_session())

    @with_session
    async def outer(items):
        return await middle("middle", session=current_session())

    async with asyncio.timeout(TIMEOUT):
        await outer("outer", session=session)
    texts = [item["content"] for item in await session.get_items() if item["role"] == "user"]
    assert texts == ["deepest", "middle", "outer"]


# record


async def test_record_before_the_answer(session):
    """What the agent records is stored between the input and the answer."""

    @with_session
    async def tool_user(items):
        record(CALL)
        record([OUTPUT])
        return "It is 42."

    await tool_user("How much?", session=session)
    assert await session.get_items() == [user("How much?"), CALL, OUTPUT, assistant("It is 42.")]


async def test_record_among_events(session):
    """Recorded items keep their place among the events of a stream, and are not sent."""

    @with_session
    async def tool_user(items):
        yield "Let me "
        yield "see. "
        record([CALL, OUTPUT])
        yield "It is "
        yield "42."

    events = [event async for event in tool_user("How much?", session=session)]
    assert events == ["Let me ", "see. ", "It is ", "42."]
    assert await session.get_items() == [
        user("How much?"),
        assistant("Let me see. "),
        CALL,
        OUTPUT,
        assistant("It is 42."),
    ]


async def test_record_a_string(session):
    """A recorded string is the assistant's."""

    @with_session
    async def thinker(items):
        record("thinking")
        return "done"

    await thinker("Hi", session=session)
    assert await session.get_items() == [user("Hi"), assistant("thinking"), assistant("done")]


async def test_record_keeps_a_copy(session):
    """What is recorded is kept as it was, whatever the agent does to it later."""

    @with_session
    async def tool_user(items):
        call = dict(CALL)
        record([call, OUTPUT])
        call["arguments"] = "changed"
        return "x"

    await tool_user("Hi", session=session)
    assert (await session.get_items())[1] == CALL


async def test_record_in_an_inner_turn(session):
    """An inner turn's records are its own."""

    @with_session
    async def inner(items):
        record(CALL)
        return "inner"

    @with_session
    async def outer(items):
        return await inner("x", session=None)

    await outer("outer", session=session)
    assert await session.get_items() == [user("outer"), assistant("inner")]


async def test_record_outside_of_a_turn():
    """Outside of a turn there is nothing to record in."""
    with pytest.raises(ConfigurationError, match="inside an agent wrapped by with_session"):
        record(CALL)


@pytest.mark.parametrize("wrong", [None, {"no": "role"}, {"role": "user", "content": {1, 2}}])
async def test_record_what_is_no_item(wrong, session):
    """What is no item is refused where it is recorded, and nothing is stored."""

    @with_session
    async def tool_user(items):
        record(wrong)
        return "x"

    with pytest.raises(ConversionError):
        await tool_user("Hi", session=session)
    assert await session.get_items() == []


def test_block_that_is_left_in_another_context():
    """A block that is left elsewhere is an error that names the way out, not one of contextvars."""

    def dependency():
        with use_session("u"):
            yield

    block = dependency()
    contextvars.copy_context().run(next, block)
    with pytest.raises(ConfigurationError, match=r"another context.*async def.*session="):
        contextvars.copy_context().run(next, block)


def test_error_of_a_block_that_is_left_in_another_context():
    """What was raised in such a block is what the caller gets."""

    def dependency():
        with use_session("u"):
            yield

    block = dependency()
    contextvars.copy_context().run(next, block)
    with pytest.raises(OSError):
        contextvars.copy_context().run(block.throw, OSError())

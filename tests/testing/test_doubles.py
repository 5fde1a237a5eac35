"""The doubles: agents that follow a script, and sessions that fail when told."""

import pytest

from memwrap import ConfigurationError, InMemorySession, with_session
from memwrap.items import assistant, user
from memwrap.testing import FlakySession, ScriptedAgent


async def test_scripted_agent_answers_in_order():
    """Each call gets the next answer, and what it was shown is kept."""
    agent = ScriptedAgent("one", {"role": "assistant", "content": "two"})
    assert await agent("a") == "one"
    assert await agent("b") == {"role": "assistant", "content": "two"}
    assert agent.calls == ["a", "b"]


async def test_scripted_agent_raises_what_the_script_says():
    """An exception in the script is raised, the very object."""
    error = RuntimeError("boom")
    with pytest.raises(RuntimeError) as caught:
        await ScriptedAgent(error)("hello")
    assert caught.value is error


async def test_scripted_agent_streams():
    """A list is a stream of events, and one value a stream of one."""
    error = RuntimeError("boom")
    agent = ScriptedAgent(["a", "b"], "whole", ["a", error])
    assert [event async for event in agent.stream("1")] == ["a", "b"]
    assert [event async for event in agent.stream("2")] == ["whole"]
    seen = []
    with pytest.raises(RuntimeError):
        async for event in agent.stream("3"):
            seen.append(event)
    assert seen == ["a"]
    assert agent.calls == ["1", "2", "3"]


async def test_scripted_agent_keeps_copies():
    """What is done to the messages after the call does not change what was kept."""
    agent = ScriptedAgent("x")
    messages = [{"role": "user", "content": "before"}]
    await agent(messages)
    messages[0]["content"] = "after"
    assert agent.calls == [[{"role": "user", "content": "before"}]]


async def test_script_that_has_ended_is_told():
    """A call too many fails, and says which it was."""
    agent = ScriptedAgent("only")
    await agent("1")
    with pytest.raises(AssertionError, match="call 2 of the agent"):
        await agent("2")


async def test_scripted_agent_can_be_wrapped():
    """Both ways of calling it are agents."""
    session = InMemorySession("s")
    agent = ScriptedAgent("one", ["t", "wo"])
    await with_session(agent)("a", session=session)
    assert [event async for event in with_session(agent.stream)("b", session=session)] == [
        "t",
        "wo",
    ]
    assert await session.get_items() == [user("a"), assistant("one"), user("b"), assistant("two")]


async def test_flaky_session_fails_as_told():
    """The next calls of a method fail and then it works again; the calls are counted."""
    session = FlakySession()
    errors = [OSError("first"), OSError("second")]
    session.fail("add_items", errors[0], times=2)
    session.fail("add_items", errors[1])
    for expected in (errors[0], errors[0], errors[1]):
        with pytest.raises(OSError) as caught:
            await session.add_items([user("x")])
        assert caught.value is expected
    await session.add_items([user("x")])
    assert await session.get_items() == [user("x")]
    assert session.calls == ["add_items"] * 4 + ["get_items"]


@pytest.mark.parametrize("method", ["get_items", "add_items", "pop_item", "clear_session"])
async def test_flaky_session_fails_before_the_work(method):
    """By default a failing call has done nothing."""
    session = FlakySession("s")
    await session.add_items([user("1")])
    session.fail(method, OSError("down"))
    with pytest.raises(OSError):
        await getattr(session, method)(*([[user("2")]] if method == "add_items" else []))
    assert await session.get_items() == [user("1")]


async def test_flaky_session_can_fail_after_the_work():
    """An answer that is lost on the way leaves the work done."""
    session = FlakySession()
    session.fail("add_items", OSError("lost"), after=True)
    with pytest.raises(OSError):
        await session.add_items([user("x")])
    assert await session.get_items() == [user("x")]


def test_flaky_session_knows_its_methods():
    """A method that does not exist would never fail, so it is refused."""
    with pytest.raises(ConfigurationError, match="add_item"):
        FlakySession().fail("add_item", OSError())

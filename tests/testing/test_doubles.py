"""The doubles and the contract, which must notice what is wrong with a session."""

import asyncio
import json
from copy import deepcopy

import pytest

from memwrap import ConfigurationError, InMemorySession, with_session
from memwrap.items import assistant, user
from memwrap.testing import FlakySession, ScriptedAgent, SessionContract


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


class Kept:
    """A session as an author may write it: four methods over a list, all of them right."""

    def __init__(self, session_id):
        self.session_id = session_id
        self.items = []

    async def get_items(self, limit=None):
        items = deepcopy(self.items)
        return items if limit is None else items[max(0, len(items) - limit) :]

    async def add_items(self, items):
        self.items += deepcopy(items)

    async def pop_item(self):
        return self.items.pop() if self.items else None

    async def clear_session(self):
        self.items.clear()


class Remembers(Kept):
    """Is not empty when it is new."""

    def __init__(self, session_id):
        super().__init__(session_id)
        self.items = [user("before")]


class NewestFirst(Kept):
    async def get_items(self, limit=None):
        return (await super().get_items(limit))[::-1]


class OldestForLimit(Kept):
    async def get_items(self, limit=None):
        return (await super().get_items())[:limit]


class AllForZero(Kept):
    async def get_items(self, limit=None):
        return (await super().get_items())[-limit if limit else None :]


class FloatsForNumbers(Kept):
    async def add_items(self, items):
        text = json.dumps(items)
        await super().add_items(json.loads(text, parse_int=float))


class SortsKeys(Kept):
    async def add_items(self, items):
        await super().add_items(json.loads(json.dumps(items, sort_keys=True)))


class PopsOldest(Kept):
    async def pop_item(self):
        return self.items.pop(0) if self.items else None


class PopKeeps(Kept):
    async def pop_item(self):
        return self.items[-1] if self.items else None


class NeverClears(Kept):
    async def clear_session(self):
        pass


class IgnoresCase(Kept):
    """Sessions whose ids differ in case only are one."""

    everything = {}

    def __init__(self, session_id):
        super().__init__(session_id)
        self.items = self.everything.setdefault(session_id.lower(), [])
        self.items.clear()


class SharesWhatItGets(Kept):
    async def add_items(self, items):
        self.items += items


class SharesWhatItKeeps(Kept):
    async def get_items(self, limit=None):
        return self.items if limit is None else await super().get_items(limit)


class OneLoopOnly(Kept):
    loop = None

    async def add_items(self, items):
        self.loop = self.loop or asyncio.get_running_loop()
        if self.loop is not asyncio.get_running_loop():
            raise RuntimeError("bound to a different event loop")
        await super().add_items(items)


class Interleaves(Kept):
    async def add_items(self, items):
        for item in items:
            await super().add_items([item])
            await asyncio.sleep(0)


FLAWS = [
    ("test_new_session_is_empty", Remembers),
    ("test_items_come_back_in_order", NewestFirst),
    ("test_limit_returns_the_newest", OldestForLimit),
    ("test_limit_returns_the_newest", AllForZero),
    ("test_items_are_unchanged", FloatsForNumbers),
    ("test_items_are_unchanged", SortsKeys),
    ("test_pop_removes_the_newest", PopsOldest),
    ("test_pop_removes_the_newest", PopKeeps),
    ("test_clear_removes_all", NeverClears),
    ("test_sessions_do_not_mix", IgnoresCase),
    ("test_nothing_is_shared_with_callers", SharesWhatItGets),
    ("test_nothing_is_shared_with_callers", SharesWhatItKeeps),
    ("test_works_on_several_event_loops", OneLoopOnly),
    ("test_appends_at_once_do_not_mix", Interleaves),
    ("test_remembers_an_agent", NewestFirst),
]


def contract(kind, shared=False):
    tests = SessionContract()
    tests.session = kind
    tests.shared = shared
    return tests


@pytest.mark.parametrize(
    ("test", "kind"), FLAWS, ids=lambda value: getattr(value, "__name__", value)
)
def test_contract_notices(test, kind):
    """Each flaw is found by the test of the contract that is about it."""
    getattr(contract(Kept), test)()
    with pytest.raises((AssertionError, RuntimeError)):
        getattr(contract(kind), test)()


def test_contract_checks_what_is_shared():
    """A class that says its objects share a conversation has to, and the other way round."""
    with pytest.raises(AssertionError):
        contract(Kept, shared=True).test_two_objects_are_one_session()
    contract(Kept, shared=False).test_two_objects_are_one_session()


def test_every_test_of_the_contract_can_fail():
    """There is a flawed class for each test of the contract."""
    names = {name for name in dir(SessionContract) if name.startswith("test_")}
    assert names == {test for test, _ in FLAWS} | {"test_two_objects_are_one_session"}


def test_contract_asks_for_a_session():
    """Without a session of its own class the contract says what is missing."""
    with pytest.raises(NotImplementedError, match="your own class"):
        SessionContract().test_new_session_is_empty()

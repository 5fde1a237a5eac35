"""The contract of sessions, which must notice what is wrong with one."""

import asyncio
import json

import pytest
from support import HandWritten

from memwrap.items import user
from memwrap.testing import SessionContract


class Remembers(HandWritten):
    """Is not empty when it is new."""

    def __init__(self, session_id):
        super().__init__(session_id)
        self.items = [user("before")]


class NewestFirst(HandWritten):
    async def get_items(self, limit=None):
        return (await super().get_items(limit))[::-1]


class OldestForLimit(HandWritten):
    async def get_items(self, limit=None):
        return (await super().get_items())[:limit]


class AllForZero(HandWritten):
    async def get_items(self, limit=None):
        return (await super().get_items())[-limit if limit else None :]


class FloatsForNumbers(HandWritten):
    async def add_items(self, items):
        text = json.dumps(items)
        await super().add_items(json.loads(text, parse_int=float))


class SortsKeys(HandWritten):
    async def add_items(self, items):
        await super().add_items(json.loads(json.dumps(items, sort_keys=True)))


class PopsOldest(HandWritten):
    async def pop_item(self):
        return self.items.pop(0) if self.items else None


class PopKeeps(HandWritten):
    async def pop_item(self):
        return self.items[-1] if self.items else None


class NeverClears(HandWritten):
    async def clear_session(self):
        pass


class IgnoresCase(HandWritten):
    """Sessions whose ids differ in case only are one."""

    everything = {}

    def __init__(self, session_id):
        super().__init__(session_id)
        self.items = self.everything.setdefault(session_id.lower(), [])
        self.items.clear()


class SharesWhatItGets(HandWritten):
    async def add_items(self, items):
        self.items += items


class SharesWhatItKeeps(HandWritten):
    async def get_items(self, limit=None):
        return self.items if limit is None else await super().get_items(limit)


class OneLoopOnly(HandWritten):
    loop = None

    async def add_items(self, items):
        self.loop = self.loop or asyncio.get_running_loop()
        if self.loop is not asyncio.get_running_loop():
            raise RuntimeError("bound to a different event loop")
        await super().add_items(items)


class Interleaves(HandWritten):
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
    getattr(contract(HandWritten), test)()
    with pytest.raises((AssertionError, RuntimeError)):
        getattr(contract(kind), test)()


def test_contract_checks_what_is_shared():
    """A class that says its objects share a conversation has to, and the other way round."""
    with pytest.raises(AssertionError):
        contract(HandWritten, shared=True).test_two_objects_are_one_session()
    contract(HandWritten, shared=False).test_two_objects_are_one_session()


def test_every_test_of_the_contract_can_fail():
    """There is a flawed class for each test of the contract."""
    names = {name for name in dir(SessionContract) if name.startswith("test_")}
    assert names == {test for test, _ in FLAWS} | {"test_two_objects_are_one_session"}


def test_contract_asks_for_a_session():
    """Without a session of its own class the contract says what is missing."""
    with pytest.raises(NotImplementedError, match="your own class"):
        SessionContract().test_new_session_is_empty()


def test_contract_means_the_same_without_asserts(script):
    """Python that leaves `assert` statements out notices a wrong session all the same."""
    code = """
from memwrap import InMemorySession
from memwrap.testing import SessionContract

class Backwards(InMemorySession):
    async def get_items(self, limit=None, **options):
        return (await super().get_items(limit))[::-1]

class TestBackwards(SessionContract):
    def session(self, session_id):
        return Backwards(session_id)

noticed = 0
for name in dir(TestBackwards):
    if name.startswith("test_"):
        try:
            getattr(TestBackwards(), name)()
        except AssertionError:
            noticed += 1
print(noticed)
"""
    assert int(script(code, flags=("-O",))) == int(script(code)) > 1

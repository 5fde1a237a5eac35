"""Answers that get lost: tried again under a token, and ended before a cancellation is raised."""

import asyncio

import pytest

from memwrap import LeaseLost, StoreError, TurnNotSaved, run, with_session
from memwrap.exceptions import Lost
from memwrap.items import assistant, user
from memwrap.middleware import Memory
from memwrap.sessions import steady
from memwrap.sessions.base import Promises
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.in_memory import MemoryBackend
from memwrap.sessions.leases import new_token
from memwrap.sessions.stretches import Held
from memwrap.testing import ScriptedAgent


class Wire(MemoryBackend):
    """A back end behind a wire that loses answers, and knows appends by their tokens."""

    def __init__(self):
        super().__init__()
        self.promises = Promises(shared=True, isolated=True, turns=True)
        self.lose = 0  # answers of what was done
        self.fail = 0  # calls that never arrive
        self.slow = 0.0
        self.calls = []
        self.arrived = asyncio.Event()
        self.tokens = set()
        self.lease = None

    async def _through(self, name, call):
        self.calls.append(name)
        self.arrived.set()
        if self.fail:
            self.fail -= 1
            call.close()
            raise Lost("cut before")
        await asyncio.sleep(self.slow)
        result = await call
        if self.lose:
            self.lose -= 1
            raise Lost("cut behind")
        return result

    async def add(self, session_id, rows, token="", *, again=False):
        async def once():
            if not (again and token in self.tokens):
                self.tokens.add(token)
                await MemoryBackend.add(self, session_id, rows)

        await self._through("add", once())

    async def get(self, session_id, limit, *, joined, before=None):
        inside = super().get(session_id, limit, joined=joined, before=before)
        return await self._through("get", inside)

    async def commit(self, session_id, rows, record, claim):
        return await self._through("commit", super().commit(session_id, rows, record, claim))

    async def pop(self, session_id, readable, own=()):
        return await self._through("pop", super().pop(session_id, readable, own))

    async def begin(self, session_id, token, lease, window, dead=None):
        async def once():
            if lease is not None:
                if self.lease not in {None, token, dead}:
                    return Held(self.lease)
                self.lease = token
            return await MemoryBackend.begin(self, session_id, token, lease, window)

        return await self._through("begin", once())

    async def release(self, session_id, token, life=None):
        if self.lease == token:
            self.lease = None


@pytest.fixture
def wire(monkeypatch):
    monkeypatch.setattr(steady, "_SECONDS", 0.3)
    return Wire()


@pytest.fixture
def session(wire):
    return DatabaseStore(steady.SteadyBackend(wire)).session("s")


@pytest.mark.parametrize("cut", ["lose", "fail"])
async def test_appends_are_stored_once(wire, session, cut):
    """An append whose answer is lost is done again, and stored once."""
    for number in range(3):
        setattr(wire, cut, number)
        await session.add_items([user(str(number))])
    assert await session.get_items() == [user("0"), user("1"), user("2")]
    assert wire.calls.count("add") == 6


@pytest.mark.parametrize("cut", ["lose", "fail"])
async def test_turns_are_stored_once(wire, session, cut):
    """A turn goes on when the answers of its beginning and its end are lost."""
    setattr(wire, cut, 1)

    async def agent(items):
        setattr(wire, cut, 2)
        return "2"

    assert await with_session(agent)("1", session=session) == "2"
    assert await session.get_items() == [user("1"), assistant("2")]


async def test_pop_is_done_once(wire, session):
    """What cannot be repeated is an error that may have been done."""
    await session.add_items([user("1"), user("2")])
    wire.lose = 1
    with pytest.raises(StoreError, match="cut behind"):
        await session.pop_item()
    assert await session.get_items() == [user("1")]


async def test_it_ends_after_a_second(wire, session):
    """A server that stays away is told as it is, and a turn can be stored later."""
    wire.fail = 10**6
    with pytest.raises(Lost):
        await session.get_items()
    assert 3 < wire.calls.count("get") < 12
    wire.fail = 0

    async def agent(items):
        wire.fail = 10**6
        return "2"

    with pytest.raises(TurnNotSaved) as caught:
        await with_session(agent)("1", session=session)
    wire.fail = 0
    wire.lose = 1
    await caught.value.retry()
    await caught.value.retry()
    assert await session.get_items() == [user("1"), assistant("2")]


async def test_other_errors_are_not_repeated(wire, session, monkeypatch):
    """Only what may or may not have been done is tried again."""

    async def broken(*args, **options):
        wire.calls.append("broken")
        raise StoreError("disk full")

    monkeypatch.setattr(wire, "add", broken)
    with pytest.raises(StoreError, match="disk full"):
        await session.add_items([user("1")])
    assert wire.calls == ["broken"]


async def test_cancelled_writes_have_ended(wire, session):
    """A cancellation is raised when the write has been done or not, and never before."""
    wire.slow = 0.05
    task = asyncio.create_task(session.add_items([user("1")]))
    await wire.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(wire._conversations["s"].rows) == 1


async def test_cancelled_beginning_gives_the_lease_back(wire, session):
    """Nobody waits for the lease of a turn that was cancelled while it began."""
    wire.slow = 0.05
    agent = with_session(ScriptedAgent("2"), middleware=[Memory(lease=30.0)])
    task = asyncio.create_task(agent("1", session=session))
    await wire.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wire.calls == ["begin"]
    assert wire.lease is None


async def test_leases_of_the_dead_are_taken(wire, session):
    """A lease whose holder's process has ended on this machine counts for nothing."""
    opened = await session.begin_turn("mine/1", lease=30.0)
    assert await session.begin_turn("other/1", lease=30.0) is None
    await session.release_turn(opened)
    wire.lease = new_token()  # of this process, and of no turn that runs
    assert await run(ScriptedAgent("2"), "1", session=session) == "2"


async def test_cleared_is_cleared(wire, session):
    """A turn of a session that was cleared through the wire is not stored."""

    async def agent(items):
        await DatabaseStore(steady.SteadyBackend(wire)).delete("s")
        return "late"

    await session.add_items([user("0")])
    with pytest.raises(LeaseLost):
        await with_session(agent)("1", session=session)
    assert await session.get_items() == []

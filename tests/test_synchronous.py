import asyncio
import threading
import time
from concurrent.futures import Future

import pytest
from support import FourMethods, SyncMethods

from memwrap import (
    ConfigurationError,
    InMemorySession,
    InMemoryStore,
    SessionBusy,
    SQLiteSession,
    SQLiteStore,
    StoreError,
    run_sync,
    sync,
    with_session,
)
from memwrap.synchronous import SyncSession, SyncStore
from memwrap.testing import FlakySession, ScriptedAgent

HELLO = {"role": "user", "content": "Hello"}
ANSWER = {"role": "assistant", "content": "1 messages"}


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    made = InMemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "a.db")
    with sync(made) as opened:
        yield opened


def agent_on(session):
    @with_session(session=session)
    def agent(items):
        return f"{len(items)} messages"

    return agent


def test_session(store):
    """A program without an event loop reads, writes, takes back and removes."""
    session = store.session("s")
    assert session.get_items() == []
    session.add_items([HELLO, ANSWER])
    assert session.get_items(1) == [ANSWER]
    assert session.pop_item() == ANSWER
    session.clear_session()
    assert session.get_items() == []
    assert session.pop_item() is None


@pytest.mark.parametrize("kind", [InMemorySession, SQLiteSession, FourMethods, SyncMethods])
def test_undo_of_turns(kind):
    """Turns of a synchronous agent are taken back whole, from sessions of any kind."""
    session = kind("s")
    agent = agent_on(session)
    agent("Hello")
    agent("And?")
    assert [item["content"] for [item, _] in sync(session).undo(1)] == ["And?"]
    assert sync(session).undo() == [[HELLO, ANSWER]]
    assert sync(session).get_items() == []


def test_store(store):
    """Sessions are listed by page and deleted."""
    for name in ("a", "b", "c"):
        store.session(name).add_items([HELLO])
        time.sleep(0.002)
    newest = store.sessions(limit=2)
    assert [info.session_id for info in newest] == ["c", "b"]
    assert [info.session_id for info in store.sessions(after="b")] == ["a"]
    store.delete("b")
    assert [info.session_id for info in store.sessions()] == ["c", "a"]
    assert store.sessions(prefix="x") == []


def test_errors_are_those_of_the_methods():
    """What fails behind a method fails in the same way."""
    session = FlakySession()
    session.fail("get_items", StoreError("no disk"))
    with pytest.raises(StoreError, match="no disk"):
        sync(session).get_items()
    with pytest.raises(ConfigurationError, match="undo|turns"):
        sync(InMemorySession("s")).undo(0)
    with pytest.raises(ConfigurationError, match="limit"):
        sync(InMemoryStore()).sessions(limit=-1)


@pytest.mark.parametrize("wrong", ["s", 5, None, InMemorySession, object()])
def test_what_is_no_session(wrong):
    """Anything else is refused, and named."""
    with pytest.raises(ConfigurationError, match=r"sync\(\) takes|not a session"):
        sync(wrong)


async def test_in_a_running_loop():
    """Where an event loop runs, the asynchronous method is named."""
    session = sync(InMemorySession("s"))
    with pytest.raises(ConfigurationError, match=r"await \.\.\.\.get_items\(\)"):
        session.get_items()


def test_inside_of_an_agent():
    """An agent may read its session while its turn runs, and may not undo turns of it."""
    session = InMemorySession("s")

    @with_session(session=session)
    def agent(items):
        with pytest.raises(ConfigurationError, match="while it runs"):
            sync(session).undo()
        return str(len(sync(session).get_items()))

    assert agent("Hello") == "0"
    assert agent("Hello") == "2"


def test_interrupted_wait_is_cancelled(monkeypatch):
    """A thread that is interrupted while it waits leaves nothing behind that runs on."""
    ended = threading.Event()

    class Slow(InMemorySession):
        async def get_items(self, limit=None, *, wrapper=None):
            try:
                await asyncio.sleep(30)
            finally:
                ended.set()

    def interrupted(self, timeout=None):
        time.sleep(0.05)
        raise KeyboardInterrupt

    monkeypatch.setattr(Future, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sync(Slow("s")).get_items()
    assert ended.wait(5)


def test_types_and_texts():
    """Results are of the types that `sync` names, and tell what they stand for."""
    assert isinstance(sync(InMemoryStore()), SyncStore)
    assert isinstance(sync(InMemoryStore()).session("s"), SyncSession)
    assert repr(sync(InMemorySession("s"))) == "sync(InMemorySession('s'))"
    assert sync(InMemorySession("s")).session_id == "s"
    assert "InMemoryStore" in repr(sync(InMemoryStore()))


def test_busy(monkeypatch):
    """A turn that runs in another thread is waited for."""
    monkeypatch.setattr("memwrap.memory.held._PATIENCE", 0.1)
    session = InMemorySession("s")
    inside, go_on = threading.Event(), threading.Event()

    @with_session(session=session)
    def agent(items):
        inside.set()
        go_on.wait(10)
        return "a"

    thread = threading.Thread(target=agent, args=["Hello"])
    thread.start()
    inside.wait(10)
    try:
        with pytest.raises(SessionBusy):
            sync(session).undo()
    finally:
        go_on.set()
        thread.join()
    assert len(sync(session).undo()) == 1


def test_conversations_without_an_event_loop(path):
    """What a store of memwrap knows of its conversations is there for synchronous programs."""
    with sync(SQLiteStore(path, search=True)) as chats:
        chats.setup()
        assert chats.durability() == "power"
        session = SQLiteStore(path).session("s")
        run_sync(ScriptedAgent("hello"), "hi", session=session, turn_id="t")
        chats.update("s", title="T", owner="ann", tags=["x"], metadata={"a": 1})
        assert chats.info("s").title == "T"
        assert [info.session_id for info in chats.sessions(owner="ann", tag="x")] == ["s"]
        assert [turn.id for turn in chats.turns("s")] == ["t"]
        assert len(chats.get_items("s", limit=1)) == 1
        assert chats.fork("s", "f", at="t").get_items() == chats.session("s").get_items()
        assert [hit.session_id for hit in chats.search("hello", prefix="f")] == ["f"]
        assert chats.purge(3600, dry_run=True) == 0
        assert chats.erase(owner="ann").sessions == 2
        assert chats.info("s") is None

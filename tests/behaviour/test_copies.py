"""Agents, sessions, layers and errors that are copied and pickled."""

import copy
import functools
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from memwrap import (
    ConversionError,
    HistoryChanged,
    InMemorySession,
    InMemoryStore,
    LeaseLost,
    SQLiteSession,
    SQLiteStore,
    TurnNotSaved,
    exceptions,
    is_replay,
    with_session,
)
from memwrap.adapters import chat
from memwrap.dialects import Kind, Method, Methods
from memwrap.items import user
from memwrap.middleware import Log, Memory, Redact, Trim
from memwrap.wrapper import is_wrapped


def pickled(value):
    """Return what pickle makes of a value."""
    return pickle.loads(pickle.dumps(value))


WAYS = pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickled])


@with_session
async def decorated(items):
    return str(len(items))


async def plain(items):
    return str(len(items))


wrapped = with_session(plain, adapter=chat, middleware=[Log(), Memory(), Redact("x")])


class Shop:
    """An object with a remembering method, and one that is an agent itself."""

    def __init__(self, name="shop"):
        self.name = name

    @with_session
    async def answer(self, items):
        return f"{self.name} {len(items)}"

    async def __call__(self, items):
        return f"{self.name} {len(items)}"


class Framework:
    """A dialect with agent objects."""

    to_items = staticmethod(chat.to_items)
    from_items = staticmethod(chat.from_items)

    @staticmethod
    def methods(agent, /):
        call = functools.partial(Shop.__call__, agent)
        return Methods("run", {"run": Method(call, Kind.CALL)}, copies=("named",))


class Named(Shop):
    """An agent object with a method that returns another."""

    def named(self, name):
        """Return another."""
        return Named(name)


@WAYS
async def test_decorated_functions(way, session):
    """A function is the same one again, as it was without the decorator."""
    assert way(decorated) is decorated


@WAYS
async def test_wrapped_functions(way, session):
    """A function that another name remembers for does so again."""
    again = way(wrapped)
    assert is_wrapped(again)
    assert await again("a", session=session) == "1"
    assert await again("b", session=session) == "3"


@WAYS
async def test_methods(way, session):
    """A remembering method is that of a copy of its object."""
    shop = Shop("mine")
    again = way(shop.answer)
    assert await again("a", session=session) == "mine 1"
    assert await way(shop).answer("b", session=session) == "mine 3"


@WAYS
@pytest.mark.parametrize("agent", [Shop("mine"), functools.partial(Shop("mine"))])
async def test_objects(way, agent, session):
    """A callable object remembers in its copies too."""
    again = way(with_session(agent))
    assert is_wrapped(again)
    assert await again("a", session=session) == "mine 1"
    assert len(await session.get_items()) == 2


@WAYS
async def test_agent_objects(way, tmp_path):
    """An agent object remembers in its copies too, in the same session."""
    session = SQLiteSession("s", tmp_path / "s.db")
    agent = with_session(Named("mine"), adapter=Framework(), session=session)
    agent.mark = "kept"
    again = way(agent)
    assert is_wrapped(again)
    assert again.mark == "kept"
    assert again.__wrapped__ is not agent.__wrapped__
    assert await again.run("a") == "mine 1"
    assert await agent.run("b") == "mine 3"


async def test_methods_that_return_another_agent(session):
    """What a framework's own way to copy an agent returns remembers too."""
    agent = with_session(Named("mine"), adapter=Framework(), session=session)
    other = agent.named("other")
    assert agent.named.__doc__ == "Return another."
    assert is_wrapped(other)
    assert await other.run("a") == "other 1"
    assert await agent.run("b") == "mine 3"


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("make", [lambda: InMemorySession("s"), lambda: SQLiteSession("s")])
async def test_sessions_in_memory(way, make):
    """A copy of a session stands for the same conversation, and pickle says why it cannot."""
    session = make()
    await session.add_items([user("a")])
    again = way(session)
    assert await again.get_items() == [user("a")]
    await decorated("b", session=again)
    assert len(await session.get_items()) == 3
    assert again.identity == session.identity
    with pytest.raises(TypeError, match=r"in memory cannot be pickled.*SQLiteSession"):
        pickle.dumps(session)


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy])
async def test_stores_in_memory(way):
    """A copy of a store has the same conversations."""
    store = InMemoryStore()
    await decorated("a", session=store.session("s"))
    assert len(await way(store).session("s").get_items()) == 2


@WAYS
async def test_sessions_in_files(way, tmp_path):
    """Sessions and stores in a file stand for it again."""
    session = SQLiteSession("s", tmp_path / "s.db", session_settings={"limit": 3})
    await decorated("a", session=session)
    again = way(session)
    assert again.identity == session.identity
    assert len(await again.get_items()) == 2
    assert len(await way(SQLiteStore(tmp_path / "s.db")).session("s").get_items()) == 2


@WAYS
@pytest.mark.parametrize(
    "layer",
    [Memory(), Log(), Redact("x"), Trim(max_items=0), Trim(max_tokens=9, count_tokens="chars/4")],
    ids=repr,
)
async def test_layers(way, layer, session):
    """Layers work as before."""
    again = way(layer)
    assert type(again) is type(layer)
    await decorated("x", session=session)
    agent = with_session(plain, middleware=[again])
    assert await agent("x", session=session) == ("1" if isinstance(layer, Trim) else "3")


@WAYS
def test_counts_of_tokens_stay_in_their_process(way):
    """A counter counts anew: the hashes by which it knows items are those of its process."""
    trim = Trim(max_tokens=9, count_tokens="chars/4")
    trim._count({"role": "user", "content": "text"})
    assert not way(trim)._count._counts or way is copy.copy


async def retry():
    """Store a turn."""


def error_of(kind):
    """Return an error of a class."""
    if issubclass(kind, TurnNotSaved):
        return kind("not saved", result={"a": [1]}, items=[user("a")], retry=lambda: retry())
    return kind("bad", path="$[0]") if kind is ConversionError else kind("bad")


@WAYS
@pytest.mark.parametrize("name", exceptions.__all__)
def test_errors(way, name):
    """An error has its text and its attributes again."""
    error = error_of(getattr(exceptions, name))
    error.result = {"a": [1]}
    again = way(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.args == error.args
    assert again.result == error.result
    assert again.items == error.items
    if name == "ConversionError":
        assert again.path == "$[0]"


@WAYS
@pytest.mark.parametrize("kind", [TurnNotSaved, LeaseLost, HistoryChanged])
async def test_turns_are_stored_in_their_process(way, kind):
    """A copy can store the turn, and one that was pickled says who can."""
    again = way(error_of(kind))
    if way is pickled:
        with pytest.raises(exceptions.ConfigurationError, match="in its process"):
            await again.retry()
    else:
        await again.retry()


@pytest.mark.parametrize("agent", [with_session(lambda items: "x")])
def test_what_python_cannot_pickle(agent):
    """A lambda cannot be pickled, as without memory; it can be copied."""
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(agent)
    assert copy.deepcopy(agent) is agent


SCRIPT = """
import concurrent.futures
import multiprocessing
import sys
import pool

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        print(executor.submit(pool.agent, "a").result())
        print(executor.submit(pool.other, "b").result())
"""

POOL = """
from memwrap import SQLiteSession, with_session

@with_session(session=SQLiteSession("s", "s.db"))
def agent(items):
    return len(items)

def plain(items):
    return len(items)

other = with_session(plain, session=SQLiteSession("s", "s.db"))
"""


def test_agents_in_a_pool_of_processes(tmp_path):
    """Agents are sent to other processes, and remember there."""
    (tmp_path / "pool.py").write_text(POOL)
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("1\n3\n", "")
    assert (Path(tmp_path) / "s.db").exists()


def test_copies_are_no_replays():
    """A copy of an answer that was given again is no such answer."""
    assert not is_replay(copy.copy(["answer"]))

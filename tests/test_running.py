"""One turn of any agent, without wrapping it first."""

import asyncio
import functools
import threading

import pytest

import memwrap
from memwrap import (
    ConfigurationError,
    InMemorySession,
    InMemoryStore,
    SQLiteSession,
    use_session,
    with_session,
)
from memwrap.adapters import chat, plain
from memwrap.items import assistant, user
from memwrap.testing import ScriptedAgent
from memwrap.types import Kind, Method, Methods


async def count(items):
    return f"{len(items)}"


def sync_count(items):
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    return f"{len(items)}"


class Desk:
    @with_session
    async def reply(self, items):
        return f"{len(items)}"


@pytest.mark.parametrize(
    "agent",
    [
        count,
        sync_count,
        functools.partial(count),
        with_session(count),
        with_session(sync_count),
        Desk().reply,
    ],
)
async def test_run(agent, session):
    """Any agent that gives one result can be run, wrapped or not, synchronous or not."""
    assert await memwrap.run(agent, "a", session=session) == "1"
    assert await memwrap.run(agent, "b", session=session) == "3"
    assert await memwrap.run(agent, "c", session=None) == "1"
    assert await memwrap.run(agent, "d") == "1"
    assert len(await session.get_items()) == 4


async def test_forms_of_input(session):
    """The input is what every call takes."""
    await memwrap.run(count, [user("a"), user("b")], session=session)
    assert await session.get_items() == [user("a"), user("b"), assistant("2")]


async def test_options():
    """Store, adapter and middleware are options here too."""
    store, seen = InMemoryStore(), []

    async def layer(turn, send, handler):
        seen.append(turn.session_id)
        await handler(turn, send)

    function = {"name": "f", "arguments": "{}"}
    call = {"id": "c1", "type": "function", "function": function}
    agent = ScriptedAgent({"role": "assistant", "content": None, "tool_calls": [call]})
    await memwrap.run(agent, "a", session="u1", store=store, adapter=chat, middleware=[layer])
    assert seen == ["u1"]
    found = await store.session("u1").get_items()
    assert found[1] == {"type": "function_call", "call_id": "c1", **function}


async def test_ambient_session(session):
    """Without session= the surrounding block counts, as for every call."""
    with use_session(session):
        await memwrap.run(count, "a")
        await memwrap.run(with_session(sync_count), "b")
        await memwrap.run(count, "c", session=None)
    assert len(await session.get_items()) == 4


async def test_decorators_session(session):
    """A wrapped agent keeps the session of its decorator unless the call names one."""
    agent = with_session(count, session=session)
    assert [await memwrap.run(agent, "a"), await memwrap.run(agent, "b")] == ["1", "3"]
    assert await memwrap.run(agent, "c", session=None) == "1"


class Framework:
    async def answer(self, items):
        return f"{len(items)}"


class FrameworkAdapter:
    to_items = staticmethod(plain.to_items)
    from_items = staticmethod(plain.from_items)

    def methods(self, agent):
        return Methods("answer", {"answer": Method(agent.answer, Kind.CALL)})


async def test_agent_object(session):
    """An agent object is run by the first method that its adapter names, wrapped or not."""
    adapter = FrameworkAdapter()
    assert await memwrap.run(Framework(), "a", session=session, adapter=adapter) == "1"
    assert (
        await memwrap.run(with_session(Framework(), adapter=adapter), "b", session=session) == "3"
    )


async def test_stream(session):
    """An agent that yields is refused with the way to iterate; nothing is stored."""

    async def stream(items):
        yield "a"

    def sync_stream(items):
        yield "a"

    for agent in (stream, sync_stream, with_session(stream)):
        with pytest.raises(ConfigurationError, match=r"iterate over with_session\(agent\)\(input"):
            await memwrap.run(agent, "a", session=session)
    assert await session.get_items() == []


async def test_options_of_a_wrapped_agent(session):
    """An agent that remembers has its options already; only the session may be given."""
    agent = with_session(count)
    with pytest.raises(ConfigurationError, match=r"middleware, store: .*from with_session already"):
        await memwrap.run(agent, "a", session=session, store=InMemoryStore(), middleware=[])
    assert await session.get_items() == []


async def test_wrong_use():
    """What with_session refuses is refused here."""
    with pytest.raises(ConfigurationError, match="cannot be called"):
        await memwrap.run(5, "a")
    with pytest.raises(ConfigurationError, match="there is no store"):
        await memwrap.run(count, "a", session="u1")
    with pytest.raises(TypeError, match="sesion"):
        await memwrap.run(count, "a", sesion=None)


def test_run_sync(session):
    """run_sync runs any agent where no event loop does."""
    assert memwrap.run_sync(count, "a", session=session) == "1"
    assert memwrap.run_sync(sync_count, "b", session=session) == "3"
    assert memwrap.run_sync(with_session(count), "c", session=session) == "5"


def test_run_sync_error(session):
    """The agent's error comes out, and nothing is stored."""
    error = LookupError("agent")
    with pytest.raises(LookupError) as caught:
        memwrap.run_sync(ScriptedAgent(error), "a", session=session)
    assert caught.value is error
    assert asyncio.run(session.get_items()) == []


async def test_run_sync_in_a_running_loop(session):
    """Where an event loop runs, run_sync names run; nothing is stored."""
    with pytest.raises(ConfigurationError, match=r"`await memwrap\.run\(\.\.\.\)`"):
        memwrap.run_sync(count, "a", session=session)
    assert await session.get_items() == []


async def test_run_sync_in_a_thread(tmp_path):
    """run_sync works in a thread beside a running loop, on a session that the loop uses too."""
    session = SQLiteSession("s", tmp_path / "chat.db")
    assert await memwrap.run(count, "a", session=session) == "1"
    found = await asyncio.to_thread(memwrap.run_sync, count, "b", session=session)
    assert found == "3"
    assert await memwrap.run(count, "c", session=session) == "5"


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_one_session_under_several_loops(kind, tmp_path):
    """One session object works under asyncio.run three times in a row, and from threads."""
    session = InMemorySession("s") if kind == "memory" else SQLiteSession("s", tmp_path / "chat.db")
    for number in range(3):
        assert asyncio.run(memwrap.run(count, "a", session=session)) == f"{2 * number + 1}"
    threads = [
        threading.Thread(
            target=memwrap.run_sync, args=(count, "a"), kwargs={"session": session}, daemon=True
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert memwrap.run_sync(count, "a", session=session) == "15"

import asyncio
import json

import pytest
from agent_framework import AgentSession, Content, InMemoryHistoryProvider, Message, tool
from corpus.agent_framework_model import agent_of, asking, shown

from memwrap import ConfigurationError, InMemoryStore, SQLiteStore, with_session
from memwrap.adapters.agent_framework import MemwrapHistoryProvider, to_items
from memwrap.items import assistant, text_of, user

PROGRAM = """
import asyncio, sys
sys.path[:0] = ["TESTS", "TESTS/adapters"]
from agent_framework import AgentSession
from corpus.agent_framework_model import agent_of, asking, shown
from memwrap import SQLiteStore
from memwrap.adapters.agent_framework import MemwrapHistoryProvider

async def main():
    provider = MemwrapHistoryProvider(SQLiteStore("chat.db"))
    answers = asking("Rome", "Oslo"), "Both.", "Bye."
    agent = agent_of(*answers[int(sys.argv[1]):], context_providers=[provider])
    await agent.run(sys.argv[2], session=AgentSession(session_id="s"))
    print(shown(agent))
    await provider.store.close()

asyncio.run(main())
"""


def plugged(store, *answers, **options):
    tools = {"tools": options.pop("tools")} if "tools" in options else {}
    provider = MemwrapHistoryProvider(store, **options)
    return agent_of(*answers, context_providers=[provider], **tools)


async def test_provider_remembers(store):
    """A run loads what runs of the same session stored, calls and outputs too."""
    agent = plugged(store, asking("Rome"), "Sunny.", "Bye.", "New.")
    await agent.run("Weather?", session=AgentSession(session_id="s"))
    assert (await agent.run("Bye?", session=AgentSession(session_id="s"))).text == "Bye."
    assert [said[1] for said in shown(agent)] == [
        *("Weather?", '{"city": "Rome"}', "sunny in Rome", "Sunny.", "Bye?")
    ]
    await agent.run("New?", session=AgentSession(session_id="t"))
    assert shown(agent) == [("user", "New?")]
    assert len(await store.session("s").get_items()) == 6


async def test_streams_are_stored_as_the_framework_stores_them(store):
    """A streamed run is stored at its end; of one left early what the framework's own stores."""
    own = InMemoryHistoryProvider()
    theirs, session = agent_of("Well, yes.", "No, no.", context_providers=[own]), AgentSession()
    ours = plugged(store, "Well, yes.", "No, no.")
    for agent, kept in ((theirs, session), (ours, AgentSession(session_id="s"))):
        await agent.run("Yes?", stream=True, session=kept).get_final_response()
        async with agent.run("No?", stream=True, session=kept) as stream:
            async for _ in stream:
                break
    stored = await own.get_messages(None, state=session.state[own.source_id])
    assert [text_of(item) for item in await store.session("s").get_items()] == [
        message.text for message in stored
    ]


async def test_failed_run_stores_nothing(store):
    """A run that fails stores nothing."""
    agent = plugged(store, asking("Rome"), ValueError("no model"))
    with pytest.raises(ValueError, match="no model"):
        await agent.run("Weather?", session=AgentSession(session_id="s"))
    assert await store.session("s").get_items() == []


def test_survives_a_restart(script):
    """Another process goes on with the conversation."""
    from support import ROOT

    program = PROGRAM.replace("TESTS", f"{ROOT}/tests")
    assert "Weather?" in script(program, "0", "Weather?")
    out = script(program, "2", "Bye?")
    for text in ("Weather?", "sunny in Rome", "sunny in Oslo", "Both.", "Bye?"):
        assert text in out


async def test_what_is_loaded_is_repaired(store):
    """A call without its output is not shown, as no provider takes one."""
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    orphan = {"type": "function_call_output", "call_id": "x", "output": "1"}
    await store.session("s").add_items([user("Hi"), call, orphan, assistant("Ho.")])
    agent = plugged(store, "So.")
    await agent.run("And?", session=AgentSession(session_id="s"))
    assert shown(agent) == [("user", "Hi"), ("assistant", "Ho."), ("user", "And?")]
    assert len(await store.session("s").get_items()) == 6


async def test_goes_on_with_what_others_stored(store):
    """Turns by `with_session`, and by the framework's own session, are one conversation."""
    agent = agent_of("One.")
    await with_session(agent, store=store).run("a", session="s")
    other = plugged(store, "Two.")
    await other.run("b", session=AgentSession(session_id="s"))
    assert [said[1] for said in shown(other)] == ["a", "One.", "b"]


async def test_options_of_the_framework(store):
    """What is loaded and stored follows the framework's own options."""
    agent = plugged(store, "One.", "Two.", store_inputs=False, source_id="mine")
    assert agent.context_providers[0].source_id == "mine"
    await agent.run("a", session=AgentSession(session_id="s"))
    assert [text_of(item) for item in await store.session("s").get_items()] == ["One."]
    agent = plugged(store, "Two.", load_messages=False)
    await agent.run("b", session=AgentSession(session_id="s"))
    assert shown(agent) == [("user", "b")]


async def test_exact_messages(store):
    """What was saved is loaded as it was, and appended to."""
    provider = MemwrapHistoryProvider(store)
    message = Message("user", ["Hi"], author_name="Ada", additional_properties={"a": 1})
    await provider.save_messages("s", [message])
    await provider.save_messages("s", [Message("assistant", ["Ho."], message_id="m")])
    one, two = await provider.get_messages("s")
    assert one.to_dict() == message.to_dict()
    assert two.message_id == "m"


@pytest.mark.parametrize("is_approved", [True, False])
async def test_approval(is_approved, path):
    """A run that waits for an approval goes on with it, in another process too."""
    ran = []

    @tool(approval_mode="always_require")
    def delete(path: str) -> str:
        """Delete a file."""
        ran.append(path)
        return "deleted"

    call = Content.from_function_call("c", "delete", arguments=json.dumps({"path": "x"}))
    session = AgentSession(session_id="s")
    agent = plugged(SQLiteStore(path), [call], tools=[delete])
    (request,) = (await agent.run("Delete x.", session=session)).user_input_requests
    assert ran == []
    await agent.context_providers[0].store.close()

    agent = plugged(SQLiteStore(path), "Done.", "Bye.", tools=[delete])
    session = AgentSession.from_dict(json.loads(json.dumps(session.to_dict())))
    given = Message("user", [request.to_function_approval_response(is_approved)])
    assert (await agent.run([given], session=session)).text == "Done."
    assert ran == (["x"] if is_approved else [])
    await agent.run("Bye?", session=session)
    assert ran == (["x"] if is_approved else [])
    assert [said[0] for said in shown(agent)] == ["user", "assistant", "tool", "assistant", "user"]
    await agent.context_providers[0].store.close()


def test_what_is_no_store_is_refused(session):
    """A session, a class or nothing in place of the store is refused."""
    for wrong in (session, InMemoryStore, None, "chat.db"):
        with pytest.raises(ConfigurationError, match="takes a store"):
            MemwrapHistoryProvider(wrong)


async def test_no_session_is_refused(store):
    """Messages that belong to no session are refused, and not stored for everybody."""
    provider = MemwrapHistoryProvider(store)
    with pytest.raises(ConfigurationError, match="AgentSession"):
        await provider.save_messages(None, [Message("user", ["Hi"])])


async def test_function_as_store():
    """A function from id to session is a store."""
    store = InMemoryStore()
    agent = plugged(store.session, "So.")
    await agent.run("Hi", session=AgentSession(session_id="s"))
    assert await store.session("s").get_items() == to_items(
        [Message("user", ["Hi"]), Message("assistant", ["So."], author_name="Weather")]
    )
    await asyncio.sleep(0)

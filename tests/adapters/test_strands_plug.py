import asyncio

import pytest
from corpus.strands_model import ScriptedModel, agent_of, asking, shown
from strands import Agent, tool
from strands.agent.conversation_manager import SlidingWindowConversationManager
from strands.hooks import BeforeToolCallEvent
from strands.multiagent import GraphBuilder
from support import ROOT

from memwrap import ConfigurationError, InMemoryStore, with_session
from memwrap.adapters.strands import MemwrapSessionManager, to_items
from memwrap.items import assistant, text_of, user

PROGRAM = """
import asyncio, sys
sys.path[:0] = ["TESTS", "TESTS/adapters"]
from corpus.strands_model import agent_of, asking, shown
from memwrap import SQLiteStore
from memwrap.adapters.strands import MemwrapSessionManager

async def main():
    store = SQLiteStore("chat.db")
    answers = asking("Rome", "Oslo"), "Both.", "Bye."
    manager = MemwrapSessionManager("s", store)
    agent = agent_of(*answers[int(sys.argv[1]):], session_manager=manager)
    await agent.invoke_async(sys.argv[2])
    print(shown(agent))
    await store.close()

asyncio.run(main())
"""


def managed(store, *answers, session_id="s", **options):
    return agent_of(*answers, session_manager=MemwrapSessionManager(session_id, store), **options)


def texts(items):
    return [text_of(item).strip() for item in items]


async def test_manager_remembers(store):
    """Another agent on the same session goes on where the last one was, calls and outputs too."""
    first = managed(store, asking("Rome"), "Sunny.", "Yes.")
    await first.invoke_async("Weather?")
    await first.invoke_async("Sure?")
    second = managed(store, "Bye.")
    await second.invoke_async("Bye?")
    assert shown(second) == [
        ("user", "Weather?"),
        ("assistant", {"city": "Rome"}),
        ("user", "sunny in Rome"),
        *(("assistant", "Sunny."), ("user", "Sure?"), ("assistant", "Yes."), ("user", "Bye?")),
    ]
    assert second.messages[:-1] == first.messages + second.messages[-2:-1]
    assert len(await store.session("s").get_items()) == 8


def test_call_without_an_event_loop(store, thread_loop):
    """An agent that is called itself loads and stores too."""
    managed(store, "One.")("a")
    agent = managed(store, "Two.")
    agent("b")
    assert shown(agent) == [("user", "a"), ("assistant", "One."), ("user", "b")]
    items = thread_loop.run_until_complete(store.session("s").get_items())
    assert texts(items) == ["a", "One.", "b", "Two."]


def test_survives_a_restart(script):
    """Another process goes on with the conversation."""
    program = PROGRAM.replace("TESTS", f"{ROOT}/tests")
    assert "Weather?" in script(program, "0", "Weather?")
    out = script(program, "2", "Bye?")
    for text in ("Weather?", "sunny in Rome", "sunny in Oslo", "Both.", "Bye?"):
        assert text in out


async def test_messages_are_stored_as_they_are_added(store):
    """What a run had added when it failed is stored, as Strands' own managers store it."""
    agent = managed(store, asking("Rome"), ValueError("no model"))
    with pytest.raises(Exception, match="no model"):
        await agent.invoke_async("Weather?")
    assert [item.get("type") or item["role"] for item in await store.session("s").get_items()] == [
        *("user", "function_call", "function_call_output")
    ]
    again = managed(store, "So.")
    await again.invoke_async("And?")
    assert shown(again)[-1][-1] == "And?"


async def test_what_is_loaded_is_repaired(store):
    """A call without its output is not shown, as no provider takes one."""
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    orphan = {"type": "function_call_output", "call_id": "x", "output": "1"}
    await store.session("s").add_items([user("Hi"), call, orphan, assistant("Ho.")])
    agent = managed(store, "So.")
    await agent.invoke_async("And?")
    assert shown(agent) == [("user", "Hi"), ("assistant", "Ho."), ("user", "And?")]
    assert len(await store.session("s").get_items()) == 6


async def test_what_is_loaded_fits_providers(store):
    """What others stored is loaded with a user first, and speakers that alternate."""
    system = {"role": "system", "content": "Be kind."}
    await store.session("s").add_items([assistant("Hi."), system, user("a"), assistant("b")])
    agent = managed(store, "So.")
    await agent.invoke_async("And?")
    assert [said[0] for said in shown(agent)] == ["user", "assistant"] * 2 + ["user"]
    assert shown(agent)[2] == ("user", "Be kind.", "a")


async def test_what_others_add_is_loaded(store):
    """Items that somebody else has added since the last call are shown in the next."""
    agent = managed(store, "One.", "Three.", "Four.")
    await agent.invoke_async("a")
    await with_session(agent_of("Two."), store=store).invoke_async("b", session="s")
    await agent.invoke_async("c")
    assert [said[1] for said in shown(agent)] == ["a", "One.", "b", "Two.", "c"]
    await store.session("s").clear_session()
    await agent.invoke_async("d")
    assert shown(agent) == [("user", "d")]


async def test_conversation_manager_keeps_its_window(store):
    """A window holds over calls and restarts, and the session keeps everything."""
    window = SlidingWindowConversationManager(window_size=2)
    agent = managed(store, *["So."] * 4, conversation_manager=window)
    for text in "abcd":
        await agent.invoke_async(text)
    assert len(shown(agent)) == 3
    assert len(await store.session("s").get_items()) == 8
    agent = managed(
        store, "So.", conversation_manager=SlidingWindowConversationManager(window_size=2)
    )
    await agent.invoke_async("e")
    assert [said[1] for said in shown(agent)] == ["d", "So.", "e"]


async def test_messages_that_the_agent_was_made_with(store):
    """The messages that an agent is made with begin a new session, and not one that goes on."""
    own = [{"role": "user", "content": [{"text": "mine"}]}]
    ho = {"role": "assistant", "content": [{"text": "Ho."}]}
    agent = managed(store, "One.", messages=[*own, ho])
    await agent.invoke_async("a")
    assert texts(await store.session("s").get_items()) == ["mine", "Ho.", "a", "One."]
    agent = managed(store, "Two.", messages=[*own, ho])
    await agent.invoke_async("b")
    assert [said[1] for said in shown(agent)] == ["mine", "Ho.", "a", "One.", "b"]


async def test_guardrail_redacts_what_is_stored(store):
    """Input that a guardrail of the model redacts is stored as redacted."""
    redact = {"redactContent": {"redactUserContentMessage": "[redacted]"}}
    agent = managed(store, [redact, "No."], "So.")
    await agent.invoke_async("secret")
    assert texts(await store.session("s").get_items()) == ["[redacted]", "No."]
    first = agent.messages[0]
    await agent.invoke_async("And?")
    assert [said[1] for said in shown(agent)] == ["[redacted]", "No.", "And?"]
    assert agent.messages[0] is first  # nobody else has added anything: nothing was loaded


async def test_interrupts_go_on(store):
    """A run that waits for an answer goes on with it, by the framework's own means."""

    @tool
    def delete(path: str) -> str:
        """Delete a file.

        Args:
            path: The file.
        """
        return f"deleted {path}"

    def ask(event: BeforeToolCallEvent) -> None:
        event.interrupt("approval", reason="may I?")

    call = {"toolUse": {"toolUseId": "c", "name": "delete", "input": {"path": "x"}}}
    agent = managed(store, [call], "Done.", tools=[delete])
    agent.add_hook(ask, BeforeToolCallEvent)
    (asked,) = (await agent.invoke_async("Delete x.")).interrupts
    answer = [{"interruptResponse": {"interruptId": asked.id, "response": "y"}}]
    assert str(await agent.invoke_async(answer)) == "Done. \n"
    assert texts(await store.session("s").get_items()) == ["Delete x.", "", "deleted x", "Done."]


async def test_exact_messages(store):
    """What was stored is loaded as it was, with the framework's ids and metadata."""
    first = managed(store, asking("Rome"), "Sunny.")
    await first.invoke_async("Weather?")
    second = managed(store, "Bye.")
    await second.invoke_async("Bye?")
    assert second.messages[:4] == first.messages
    assert await store.session("s").get_items() == to_items(second.messages)


async def test_one_manager_is_of_one_agent(store):
    """A manager that is given to two agents is refused, as it follows the messages of one."""
    manager = MemwrapSessionManager("s", store)
    await agent_of("One.", session_manager=manager).invoke_async("a")
    with pytest.raises(ConfigurationError, match="is of one agent"):
        await agent_of("Two.", session_manager=manager).invoke_async("b")


def test_several_agents_are_refused(store):
    """The state of several agents has no place in a session, and is refused by the framework."""
    builder = GraphBuilder()
    builder.add_node(Agent(ScriptedModel("So."), callback_handler=None), "one")
    builder.set_max_node_executions(1)
    builder.set_session_manager(MemwrapSessionManager("s", store))
    with pytest.raises(NotImplementedError, match="MemwrapSessionManager"):
        builder.build()


@pytest.mark.parametrize("session_id", [5, None, ""])
def test_what_is_no_id_is_refused(session_id, store):
    """Anything but an id is refused."""
    with pytest.raises(ConfigurationError):
        MemwrapSessionManager(session_id, store)


@pytest.mark.parametrize("store", [None, "chat.db", InMemoryStore])
def test_what_is_no_store_is_refused(store):
    """Anything but a store, or a function that finds sessions, is refused."""
    with pytest.raises(ConfigurationError):
        MemwrapSessionManager("s", store)


async def test_function_as_store():
    """A function from id to session is a store."""
    store = InMemoryStore()
    await managed(store.session, "So.").invoke_async("Hi")
    assert len(await store.session("s").get_items()) == 2
    await asyncio.sleep(0)

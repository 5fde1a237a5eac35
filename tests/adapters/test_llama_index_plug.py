"""Sessions as LlamaIndex's memory: agents and chat engines load and store by their own rules."""

import pytest
from corpus.llama_index import CONVERSATIONS
from corpus.llama_index_model import AGENTS, Script, calling, function_agent, react_agent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import BaseMemory
from llama_index.core.workflow import Context

from memwrap import ConfigurationError, InMemorySession, SQLiteSession, SQLiteStore, with_session
from memwrap.adapters.llama_index import MemwrapMemory
from memwrap.items import assistant, text_of, user

both = pytest.mark.parametrize("make", AGENTS.values(), ids=AGENTS.keys())

CALL = {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}


async def texts(session):
    return [text_of(item) for item in await session.get_items()]


@both
async def test_an_agent_remembers(make, session):
    """An agent is shown the session, and what it puts is stored, its calls and outputs too."""
    script, agent = make(calling(("c1", "Kiel")), "Calm.", "Yes.")
    memory = MemwrapMemory(session)
    assert isinstance(memory, BaseMemory)
    await agent.run("Calm?", memory=memory)
    await agent.run("Sure?", memory=MemwrapMemory(session))
    assert script.shown[-1][1:] == [
        *(("user", "Calm?"), ("assistant", None), ("tool", "{'at': 'Kiel', 'sea': 'calm'}")),
        *(("assistant", "Calm."), ("user", "Sure?")),
    ]
    assert [item.get("role") or item["type"] for item in await session.get_items()] == [
        *("user", "function_call", "function_call_output", "assistant", "user", "assistant")
    ]


async def test_it_stores_as_the_framework_puts(session):
    """A failing run has put its question by then, by the framework's own rules."""
    _, agent = function_agent(RuntimeError("no"))
    with pytest.raises(RuntimeError):
        await agent.run("Calm?", memory=MemwrapMemory(session))
    assert await texts(session) == ["Calm?"]


async def test_it_survives_a_restart(path):
    """What a process has put, the next one loads, message by message as it was."""
    messages = [ChatMessage(content="Hi"), *CONVERSATIONS["no ids"], *CONVERSATIONS["two answers"]]
    async with SQLiteStore(path) as store:
        memory = MemwrapMemory(store.session("s"))
        await memory.aput(messages[0])
        await memory.aput_messages(messages[1:])
    memory = MemwrapMemory(SQLiteSession("s", path))
    assert await memory.aget() == await memory.aget_all() == messages


RESTART = """
import asyncio, sys, warnings
sys.path[:0] = sys.argv[2:]
warnings.simplefilter("ignore")
from corpus.llama_index_model import function_agent, calling
from memwrap import SQLiteStore
from memwrap.adapters.llama_index import MemwrapMemory
async def main():
    script, agent = function_agent(calling(("c1", "Kiel")), "Calm.")
    async with SQLiteStore(sys.argv[1]) as store:
        await agent.run("Calm?", memory=MemwrapMemory(store.session("s")))
        print(len(script.shown[0]), len(script.shown[1]))
asyncio.run(main())
"""


def test_it_goes_on_in_another_process(path, script, request):
    """A second process is shown what the first has stored."""
    folder = str(request.path.parent)
    assert script(RESTART, path, folder).split() == ["2", "4"]
    assert script(RESTART, path, folder).split() == ["6", "8"]


async def test_what_it_loads_is_repaired(session):
    """A call whose output never came is not shown, and stays in the session."""
    await session.add_items([user("Calm?"), CALL, user("Well?")])
    assert [message.content for message in await MemwrapMemory(session).aget()] == [
        "Calm?",
        "Well?",
    ]
    assert len(await session.get_items()) == 3


async def test_it_is_the_conversation_of_others(session):
    """Agents that memwrap wraps go on with the same session."""
    _, agent = function_agent("Hi.")
    await agent.run("Hello", memory=MemwrapMemory(session))

    @with_session(session=session)
    async def function(items):
        return f"I see {len(items)}."

    assert await function("And now?") == "I see 3."
    script, agent = react_agent("Thought: easy.\nAnswer: Yes.")
    await agent.run("Sure?", memory=MemwrapMemory(session))
    assert [text for _, text in script.shown[0][1:]] == [
        "Hello",
        "Hi.",
        "And now?",
        "I see 3.",
        "Sure?",
    ]


async def test_what_is_set_is_this_runs_view(session):
    """`chat_history=` is what a run sees, and not stored; the next run sees the session."""
    await session.add_items([user("Old?"), assistant("Old.")])
    script, agent = function_agent(calling(("c1", "Kiel")), "A", "B")
    memory = MemwrapMemory(session)
    other = [ChatMessage(content="Other?"), ChatMessage("Other.", role="assistant")]
    await agent.run("One?", memory=memory, chat_history=other)
    assert [text for _, text in script.shown[0][1:]] == ["Other?", "Other.", "One?"]
    assert [text for _, text in script.shown[1][1:4]] == ["Other?", "Other.", "One?"]
    assert (await texts(session))[:3] == ["Old?", "Old.", "One?"]
    assert [message.content for message in await memory.aget_all()][:2] == ["Old?", "Old."]
    await agent.run("Two?", memory=memory)
    shown = [text for _, text in script.shown[2][1:]]
    assert shown[:3] == ["Old?", "Old.", "One?"]
    assert shown[-2:] == ["A", "Two?"]
    assert "Other?" not in await texts(session)


async def test_reset_clears_the_session(session):
    """`areset` removes the conversation, and what was set."""
    memory = MemwrapMemory(session)
    await memory.aput(ChatMessage(content="Hi"))
    await memory.aset([ChatMessage(content="Other")])
    await memory.areset()
    assert await memory.aget() == []
    assert await session.get_items() == []


# Chat engines


def test_chat_engine(path):
    """A synchronous chat engine remembers, streams, and shows and resets its history."""
    script = Script("Hi.", "Still here.", "Ada.")
    memory = MemwrapMemory(SQLiteSession("s", path))
    engine = SimpleChatEngine.from_defaults(
        llm=script.model, memory=memory, system_prompt="Be kind."
    )
    assert str(engine.chat("I am Ada.")) == "Hi."
    streamed = engine.stream_chat("Still there?")
    assert "".join(streamed.response_gen) == "Still here."
    again = SimpleChatEngine.from_defaults(
        llm=script.model, memory=MemwrapMemory(SQLiteSession("s", path))
    )
    assert str(again.chat("Who am I?")) == "Ada."
    assert script.shown[-1] == [
        *(("user", "I am Ada."), ("assistant", "Hi."), ("user", "Still there?")),
        *(("assistant", "Still here."), ("user", "Who am I?")),
    ]
    assert [message.content for message in again.chat_history][-1] == "Ada."
    again.reset()
    assert engine.chat_history == []


async def test_asynchronous_chat_engine(session):
    """A chat engine that is awaited or streamed remembers, with a history of its caller's too."""
    script = Script("Hi.", ["Ada."], "Other.")
    engine = SimpleChatEngine.from_defaults(llm=script.model, memory=MemwrapMemory(session))
    await engine.achat("I am Ada.")
    streamed = await engine.astream_chat("Who am I?")
    _ = [token async for token in streamed.async_response_gen()]
    await engine.achat("And I?", chat_history=[ChatMessage(content="I am Bob.")])
    assert [text for _, text in script.shown[-1]] == ["I am Bob.", "And I?"]
    assert await texts(session) == ["I am Ada.", "Hi.", "Who am I?", "Ada.", "And I?", "Other."]


def test_synchronous_methods(session):
    """Each method has a synchronous face that does the same."""
    memory = MemwrapMemory.from_defaults(session=session)
    memory.put(ChatMessage(content="Hi"))
    memory.put_messages([ChatMessage("Ho", role="assistant")])
    assert [message.content for message in memory.get("Hi", initial_token_count=1)] == ["Hi", "Ho"]
    memory.set([ChatMessage(content="Other")])
    assert [message.content for message in memory.get()] == ["Other"]
    assert [message.content for message in memory.get_all()] == ["Hi", "Ho"]
    memory.reset()
    assert memory.get() == []


# Wrong use


def test_without_a_session(session):
    """A memory needs a session, not an id, and says how to pass one."""
    with pytest.raises(ConfigurationError, match=r"MemwrapMemory\(\) takes a session"):
        MemwrapMemory("s1")
    with pytest.raises(ConfigurationError, match="needs session="):
        MemwrapMemory.from_defaults()
    with pytest.raises(ConfigurationError, match="takes no token_limit"):
        MemwrapMemory.from_defaults(session=session, token_limit=5)
    script = Script()
    with pytest.raises(ConfigurationError, match=r"memory=MemwrapMemory\(session\)"):
        SimpleChatEngine.from_defaults(llm=script.model, memory_cls=MemwrapMemory)


def test_history_of_from_defaults(session):
    """A history that is passed beside the session is what the first run sees."""
    memory = MemwrapMemory.from_defaults(session=session, chat_history=[ChatMessage(content="Hi")])
    assert [message.content for message in memory.get()] == ["Hi"]
    assert memory.get_all() == []


async def test_written_contexts_have_no_session(session):
    """A memory in a context that was written down says how to give it its session again."""
    _, agent = function_agent("Hi.", "Ho.")
    ctx = Context(agent)
    await agent.run("Hello", memory=MemwrapMemory(session), ctx=ctx)
    again = Context.from_dict(agent, ctx.to_dict())
    with pytest.raises(ConfigurationError, match=r"ctx.store.set\('memory'"):
        await agent.run("Again", ctx=again)
    again = Context.from_dict(agent, ctx.to_dict())
    await again.store.set("memory", None)
    await agent.run("Again", ctx=again, memory=MemwrapMemory(session))
    assert await texts(session) == ["Hello", "Hi.", "Again", "Ho."]


def test_nothing_is_told_of_the_content(session):
    """The repr and the dump of a memory have nothing of the conversation."""
    memory = MemwrapMemory(session)
    memory.put(ChatMessage(content="secret"))
    memory.set([ChatMessage(content="secret")])
    assert "secret" not in repr(memory) + str(memory.to_dict()) + memory.to_json()
    assert memory.session is session
    assert isinstance(session, InMemorySession)

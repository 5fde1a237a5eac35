"""Runs that wait for a person, by the means of each framework: a test for each row of the page."""

import asyncio

import pytest
from agents import Agent, Runner, RunState, function_tool, set_tracing_disabled
from agents.testing import ScriptedModel as SDKModel
from agents.testing import assistant_message, function_call
from corpus.chat_model import ScriptedModel, calling
from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmResponse
from google.adk.runners import Runner as AdkRunner
from google.adk.tools import FunctionTool
from google.genai import types
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from memwrap import ConfigurationError, SQLiteStore, with_session
from memwrap.adapters import chat, plain
from memwrap.adapters.adk import MemwrapSessionService
from memwrap.items import text_of, user
from memwrap.middleware import Redact

set_tracing_disabled(True)

YES = Command(resume={"decisions": [{"type": "approve"}]})
NO = Command(resume={"decisions": [{"type": "reject", "message": "Rather not."}]})

REFUSED = "User rejected the tool call for `delete` with reason: "


def told(items):
    """Return what items say: texts, calls and outputs."""
    return [
        item.get("arguments") or item.get("output") or text_of(item)
        for item in items
        if item.get("type") != "reasoning"
    ]


def delete(path: str) -> str:
    """Delete a file."""
    return f"deleted {path}"


# LangGraph: interrupts


def deleting(number):
    return calling(f"call_{number}", name="delete", path=f"{number}.txt")


def careful(*answers, saver=None, answered=0):
    """Return a graph that asks before it deletes, and its model, which has said so many before."""
    model = ScriptedModel(answers=[*[None] * answered, *answers], shown=[[]] * answered)
    asks = HumanInTheLoopMiddleware(interrupt_on={"delete": True})
    saver = InMemorySaver() if saver is None else saver
    return create_agent(model, [delete], middleware=[asks], checkpointer=saver), model


async def ran(agent, way, input, config=None, **options):
    """Run a graph by one of its methods; return whether it waits."""
    method = getattr(agent, way)
    if way == "astream":
        chunks = [chunk async for chunk in method(input, config, stream_mode="updates", **options)]
    elif way == "stream":
        stream = lambda: list(method(input, config, stream_mode="updates", **options))
        chunks = await asyncio.to_thread(stream)
    elif way == "ainvoke":
        chunks = [await method(input, config, **options)]
    else:
        chunks = [await asyncio.to_thread(method, input, config, **options)]
    return any("__interrupt__" in chunk for chunk in chunks)


@pytest.mark.parametrize("way", ["ainvoke", "invoke", "astream", "stream"])
async def test_graph_goes_on(way, tmp_path):
    """A graph that stops for a person goes on in the same session, in another process too."""
    store, saver = SQLiteStore(tmp_path / "chat.db"), InMemorySaver()
    agent = with_session(careful(deleting(1), saver=saver)[0], store=store)
    assert await ran(agent, way, {"messages": "Delete 1."}, session="s")
    assert told(await store.session("s").get_items()) == ["Delete 1.", '{"path": "1.txt"}']
    await store.close()

    store = SQLiteStore(tmp_path / "chat.db")
    graph, model = careful("Done.", "Bye.", saver=saver, answered=1)
    agent = with_session(graph, store=store)
    assert not await ran(agent, way, YES, session="s")
    assert not await ran(agent, way, {"messages": "Thanks."}, session="s")
    said = ["Delete 1.", '{"path": "1.txt"}', "deleted 1.txt", "Done.", "Thanks.", "Bye."]
    assert told(await store.session("s").get_items()) == said
    kinds = ["human", "ai", "tool", "ai", "human"]
    assert [message.type for message in model.shown[-1]] == kinds
    assert not saver.storage
    await store.close()


@pytest.mark.parametrize("key", [True, False])
async def test_graph_named_by_its_thread(key, store):
    """The thread id of a config may be the session; the checkpointer's is another each turn."""
    saver = InMemorySaver()
    graph, model = careful(deleting(1), "No.", deleting(2), "Done.", saver=saver)
    agent = with_session(graph, store=store, **({"key": "thread_id"} if key else {}))
    options = {} if key else {"session": "s"}
    config = {"configurable": {"thread_id": "s"}}
    threads = []
    for text, answer in (("Delete 1.", NO), ("Delete 2.", YES)):
        await agent.ainvoke({"messages": text}, config, **options)
        threads += list(saver.storage)
        await agent.ainvoke(answer, config, **options)
    assert len(set(threads)) == 2
    assert "s" not in threads
    assert not saver.storage
    found = told(await store.session("s").get_items())
    said = [text.removeprefix(REFUSED) for text in found[:4]]  # lower versions say the reason alone
    assert said == ["Delete 1.", '{"path": "1.txt"}', "Rather not.", "No."]
    assert found[4:] == ["Delete 2.", '{"path": "2.txt"}', "deleted 2.txt", "Done."]
    assert len(model.shown[-1]) == len(found) - 1


async def test_graph_is_left_waiting(store):
    """What is said in place of an answer ends the wait; an answer that comes later is refused."""
    saver = InMemorySaver()
    graph, model = careful(deleting(1), "As you like.", saver=saver)
    agent = with_session(graph, store=store)
    await agent.ainvoke({"messages": "Delete 1."}, session="s")
    await agent.ainvoke({"messages": "Never mind."}, session="s")
    assert [message.type for message in model.shown[-1]] == ["human", "human"]
    assert not saver.storage
    with pytest.raises(ConfigurationError, match="none at the end of session 's'"):
        await agent.ainvoke(YES, session="s")


async def test_others_have_gone_on(store):
    """An agent of another kind that goes on with the session ends the wait too."""
    agent = with_session(careful(deleting(1))[0], store=store)
    await agent.ainvoke({"messages": "Delete 1."}, session="s")

    @with_session(store=store, adapter=chat)
    async def other(messages):
        assert messages[-1] == {"role": "user", "content": "Hi"}
        assert all("tool_calls" not in message for message in messages)
        return "Hello"

    await other("Hi", session="s")
    with pytest.raises(ConfigurationError, match="nobody may add to the session"):
        await agent.ainvoke(YES, session="s")


async def test_others_see_the_answer(store):
    """What came of an approval is a call and its output for every other framework."""
    graph, _ = careful(deleting(1), "Done.")
    agent = with_session(graph, store=store)
    await agent.ainvoke({"messages": "Delete 1."}, session="s")
    await agent.ainvoke(YES, session="s")

    @with_session(store=store, adapter=plain)
    async def other(items):
        assert told(items) == ["Delete 1.", '{"path": "1.txt"}', "deleted 1.txt", "Done.", "Hi"]
        assert not any("langgraph" in item.get("provider_data", {}) for item in items)
        return "Hello"

    await other("Hi", session="s")


def graph_of(node, saver, **options):
    builder = StateGraph(MessagesState)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    return builder.compile(checkpointer=saver, **options)


@pytest.mark.parametrize("layers", [[], [Redact(r"\d")]])
async def test_several_questions(layers, store):
    """A run may ask again and again before it says anything; its turn is where it began."""

    def node(state):
        return {"messages": [AIMessage(f"{interrupt('a')} and {interrupt('b')}")]}

    saver = InMemorySaver()
    agent = with_session(graph_of(node, saver), store=store, middleware=layers)
    asked = [(await agent.ainvoke("Go 1.", session="s"))["__interrupt__"][0].value]
    asked += [(await agent.ainvoke(Command(resume="x"), session="s"))["__interrupt__"][0].value]
    state = await agent.ainvoke(Command(resume="y"), session="s")
    assert asked == ["a", "b"]
    assert [message.text for message in state.new_messages] == ["x and y"]
    begun = "Go [REDACTED]." if layers else "Go 1."
    assert told(await store.session("s").get_items()) == [begun, "x and y"]
    assert not saver.storage


async def test_sessions_wait_side_by_side(store):
    """Two sessions that wait at once are answered each for itself."""

    def node(state):
        return {"messages": [AIMessage(f"{state['messages'][-1].text} {interrupt('?')}")]}

    agent = with_session(graph_of(node, InMemorySaver()), store=store)
    for name in "st":
        await agent.ainvoke(name, session=name)
    for name in "ts":
        await agent.ainvoke(Command(resume="ok"), session=name)
    for name in "st":
        assert told(await store.session(name).get_items()) == [name, f"{name} ok"]
    with pytest.raises(ConfigurationError, match="of session 'u'"):
        await agent.ainvoke(Command(resume="ok"), session="u")


async def test_breakpoints(store):
    """A run that stops at a breakpoint goes on with None."""

    def node(state):
        return {"messages": [AIMessage("Done.")]}

    agent = with_session(graph_of(node, InMemorySaver(), interrupt_before=["node"]), store=store)
    assert (await agent.ainvoke("Go.", session="s")).new_messages == []
    await agent.ainvoke(None, session="s")
    assert told(await store.session("s").get_items()) == ["Go.", "Done."]


async def test_answer_with_words(store):
    """Messages that come with the answer are input, and are stored."""

    def node(state):
        interrupt("?")
        return {"messages": [AIMessage(f"{len(state['messages'])} messages")]}

    agent = with_session(graph_of(node, InMemorySaver()), store=store)
    await agent.ainvoke("Go.", session="s")
    said = {"messages": [HumanMessage("Yes, go.")]}
    await agent.ainvoke(Command(resume=True, update=said), session="s")
    assert told(await store.session("s").get_items()) == ["Go.", "Yes, go.", "2 messages"]


@pytest.mark.parametrize("way", ["ainvoke", "invoke"])
async def test_failed_runs(way, store):
    """A run that fails leaves nothing behind; with an answer it can be gone on with again."""
    saver = InMemorySaver()
    graph, _ = careful(OSError("first"), deleting(1), OSError("second"), "Done.", saver=saver)
    agent = with_session(graph, store=store)
    with pytest.raises(OSError, match="first"):
        await ran(agent, way, {"messages": "Delete 1."}, session="s")
    assert not saver.storage
    await ran(agent, way, {"messages": "Delete 1."}, session="s")
    with pytest.raises(OSError, match="second"):
        await ran(agent, way, YES, session="s")
    assert not await ran(agent, way, None, session="s")
    said = ["Delete 1.", '{"path": "1.txt"}', "deleted 1.txt", "Done."]
    assert told(await store.session("s").get_items()) == said


@pytest.mark.parametrize("way", ["ainvoke", "invoke"])
async def test_checkpointer_that_forgot(way, store):
    """A run that the checkpointer has no more is one clear error."""
    await with_session(careful(deleting(1))[0], store=store).ainvoke("Delete 1.", session="s")
    agent = with_session(careful("Done.", answered=1)[0], store=store)
    with pytest.raises(ConfigurationError, match="one that lasts"):
        await ran(agent, way, YES, session="s")


async def test_graph_without_checkpointer(store):
    """Only a checkpointer keeps a run: without one the answer is refused, and the way is named."""

    def node(state):
        return {"messages": [AIMessage(interrupt("?"))]}

    agent = with_session(graph_of(node, None), store=store)
    assert (await agent.ainvoke("Go.", session="s"))["__interrupt__"]
    with pytest.raises(ConfigurationError, match="the graph needs a checkpointer"):
        await agent.ainvoke(Command(resume="x"), session="s")


async def test_strangers_name_no_thread(store):
    """A thread that a caller's input names is not believed."""
    saver = InMemorySaver()
    graph, _ = careful(deleting(1), "Hello.", saver=saver)
    agent = with_session(graph, store=store)
    await agent.ainvoke({"messages": "Delete 1."}, session="s")
    (thread,) = saver.storage
    forged = user("Hi") | {"provider_data": {"langgraph": {"waits": {"thread_id": thread}}}}
    await agent.ainvoke([forged], session="t")
    with pytest.raises(ConfigurationError, match="of session 't'"):
        await agent.ainvoke(YES, session="t")
    assert list(saver.storage) == [thread]


# The Agents SDK: the state of a run


@pytest.mark.parametrize("is_approved", [True, False])
async def test_run_state_goes_on(is_approved, tmp_path):
    """The runner goes on with a state, written down in between, in the session that it is given."""
    store = SQLiteStore(tmp_path / "chat.db")
    call = [function_call("delete", {"path": "x"}, call_id="call_1")]
    model = SDKModel([call, [assistant_message("Done.")]])
    agent = Agent(name="C", model=model, tools=[function_tool(delete, needs_approval=True)])
    result = await Runner.run(agent, "Delete x.", session=store.session("s"))
    state = await RunState.from_string(agent, result.to_state().to_string())
    for one in state.get_interruptions():
        state.approve(one) if is_approved else state.reject(one)
    result = await Runner.run(agent, state, session=store.session("s"))
    assert result.final_output == "Done."
    found = told(await store.session("s").get_items())
    assert found[:2] == ["Delete x.", '{"path":"x"}']
    assert (found[2] == "deleted x") is is_approved
    assert found[3:] == ["Done."]
    await store.close()


# ADK: confirmations


class _Deleting(BaseLlm):
    """Asks for the tool once, and tells what it said."""

    async def generate_content_async(self, llm_request, stream=False):
        last = llm_request.contents[-1].parts[-1]
        if last.function_response:
            yield LlmResponse(content=types.ModelContent(str(last.function_response.response)))
        else:
            call = types.Part.from_function_call(name="delete", args={"path": "x"})
            yield LlmResponse(content=types.ModelContent(call))


def confirmation(events, is_confirmed):
    """Return the answer to the question that events ask."""
    calls = [part.function_call for event in events for part in event.content.parts]
    (asked,) = [call for call in calls if call and call.name == "adk_request_confirmation"]
    told = types.FunctionResponse(
        id=asked.id, name=asked.name, response={"confirmed": is_confirmed}
    )
    return types.Content(role="user", parts=[types.Part(function_response=told)])


@pytest.mark.parametrize("is_confirmed", [True, False])
@pytest.mark.parametrize("is_plug", [True, False])
async def test_confirmations(is_confirmed, is_plug, store):
    """A confirmation is a message of the next turn, wrapped and with the session service."""
    ran = []

    def delete(path: str) -> str:
        """Delete a file."""
        ran.append(path)
        return "gone"

    tools = [FunctionTool(delete, require_confirmation=True)]
    agent = LlmAgent(name="a", model=_Deleting(model="m"), tools=tools)
    if is_plug:
        service = MemwrapSessionService(store)
        await service.create_session(app_name="app", user_id="ada", session_id="s")
        runner = AdkRunner(app_name="app", agent=agent, session_service=service)
        run = lambda message: runner.run_async(user_id="ada", session_id="s", new_message=message)
    else:
        remembering = with_session(agent, store=store)
        run = lambda message: remembering.run_async(message, session="s")
    asked = [event async for event in run(types.UserContent("Delete x."))]
    assert ran == []
    answer = confirmation(asked, is_confirmed)
    events = [event async for event in run(answer)]
    assert ran == (["x"] if is_confirmed else [])
    text = events[-1].content.parts[-1].text
    assert ("gone" in text) is is_confirmed

    @with_session(session=store.session("app/ada/s" if is_plug else "s"))
    async def other(items):
        outputs = [item["output"] for item in items if "output" in item]
        assert "requires confirmation" in outputs[0]
        assert not any("gone" in output for output in outputs)
        assert text in map(text_of, items)
        return "Hello"

    await other("Hi")


async def test_repeated_turns_of_graphs(store):
    """A repeated turn gives the messages of its run again, and runs nothing: no question either."""
    saver = InMemorySaver()
    graph, model = careful(deleting(1), "Done.", saver=saver)
    agent = with_session(graph, store=store)
    for _ in range(2):
        asked = await agent.ainvoke({"messages": "Delete 1."}, session="s", turn_id="a")
    assert "__interrupt__" not in asked
    assert [message.tool_calls[0]["id"] for message in asked.new_messages] == ["call_1"]
    for _ in range(2):
        done = await agent.ainvoke(YES, session="s", turn_id="b")
    assert [message.text for message in done.new_messages] == ["deleted 1.txt", "Done."]
    assert len(model.shown) == 2
    said = ["Delete 1.", '{"path": "1.txt"}', "deleted 1.txt", "Done."]
    assert told(await store.session("s").get_items()) == said


async def test_a_stored_question_hides_nothing_from_models(store):
    """What finds a run again is in no message that a model is shown, of a graph's own either."""
    saver = InMemorySaver()
    graph, model = careful(deleting(1), "As you like.", saver=saver)
    agent = with_session(graph, store=store)
    await agent.ainvoke({"messages": "Delete 1."}, session="s")
    (thread,) = saver.storage
    assert thread in str(await store.session("s").get_items())
    await agent.ainvoke({"messages": "Never mind."}, session="s")
    assert thread not in str(model.shown[-1])

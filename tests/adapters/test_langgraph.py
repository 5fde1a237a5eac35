"""Compiled graphs and `create_agent` agents remember: history in, new messages out."""

import asyncio
import operator
from copy import deepcopy
from dataclasses import dataclass, field
from inspect import signature
from typing import Annotated, Any, TypedDict

import pytest
from corpus.chat_model import ScriptedModel, calling
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, SummarizationMiddleware
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    RemoveMessage,
    ToolMessage,
)
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.types import Command, interrupt
from pydantic import BaseModel

import memwrap
from memwrap import (
    ConfigurationError,
    ConversionError,
    InMemoryStore,
    TurnIdReused,
    use_session,
    with_session,
)
from memwrap.adapters import adapter_for, langgraph
from memwrap.adapters.langchain import from_runnable_with_history
from memwrap.adapters.langgraph import portable as langgraph_portable
from memwrap.items import assistant, text_of, user
from memwrap.middleware import Memory, Redact, Trim

CONFIG = {"configurable": {"thread_id": "chat"}}


def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def model(*answers):
    return ScriptedModel(answers=list(answers), shown=[])


def tool_turns(count):
    """Return the answers of turns that call a tool and then speak."""
    turns = range(1, count + 1)
    return [part for n in turns for part in (calling("call_1", city="Rome"), f"answer {n}")]


def texts_of(items):
    """Return what is said in the items, and what kind the others are."""
    return [item.get("content") or item.get("output") or item["type"] for item in items]


TURN = ["function_call", "sunny in Rome"]


def dialogue(session):
    return texts_of(asyncio.run(session.get_items()))


# Calls


async def test_agent_with_tools_remembers(session):
    """A created agent's turns are stored whole, tool traffic included, and nothing twice."""
    chat = model(*tool_turns(3))
    agent = with_session(create_agent(chat, [weather], system_prompt="Be kind."), session=session)
    for number in (1, 2, 3):
        state = await agent.ainvoke({"messages": [{"role": "user", "content": f"{number}?"}]})
        assert len(state["messages"]) == 4 * number
        assert [type(message) for message in state.new_messages] == [
            AIMessage,
            ToolMessage,
            AIMessage,
        ]
    expected = [part for n in (1, 2, 3) for part in (f"{n}?", *TURN, f"answer {n}")]
    assert texts_of(await session.get_items()) == expected
    kinds = ["system", "human", *["ai", "tool", "ai", "human"] * 2, "ai", "tool"]
    assert [message.type for message in chat.shown[-1]] == kinds


def test_synchronous_calls_remember(session):
    """The same holds for synchronous calls."""
    agent = with_session(create_agent(model(*tool_turns(2)), [weather]), session=session)
    agent.invoke({"messages": "1?"})
    assert len(agent.invoke({"messages": "2?"})["messages"]) == 8
    assert dialogue(session) == ["1?", *TURN, "answer 1", "2?", *TURN, "answer 2"]


@pytest.mark.parametrize(
    "input",
    [
        "Hi",
        HumanMessage("Hi"),
        [("human", "Hi")],
        {"messages": "Hi"},
        {"messages": HumanMessage("Hi")},
        {"messages": [user("Hi")]},
        user("Hi"),
    ],
    ids=repr,
)
async def test_input_of_all_forms(input, session):
    """Input may be a state with messages of any form, or the messages themselves."""
    agent = with_session(create_agent(model("Hello"), []), session=session)
    await agent.ainvoke(input)
    assert texts_of(await session.get_items()) == ["Hi", "Hello"]


FORMS = {
    "dicts by LangChain's names": [{"type": "human", "content": "Hi"}],
    "dicts with its roles": [{"role": "human", "content": "Hi"}],
    "a pair": ("user", "Hi"),
    "pairs in lists": [["user", "Hi"]],
    "one message": HumanMessage("Hi"),
    "one dict": {"role": "user", "content": "Hi"},
    "text": "Hi",
    "several": [("system", "Be kind."), "Hi"],
    "calls by LangChain's names": [
        {"role": "assistant", "content": "", "tool_calls": calling("c", city="Rome").tool_calls},
        {"type": "tool", "content": "sunny", "tool_call_id": "c"},
    ],
}


@pytest.mark.parametrize("messages", FORMS.values(), ids=FORMS)
async def test_messages_as_langgraph_reads_them(messages, session):
    """A state's messages in any form are to the graph what they would be without memory."""
    bare, chat = model("Hello"), model("Hello")
    await create_agent(bare, []).ainvoke({"messages": messages})
    await with_session(create_agent(chat, []), session=session).ainvoke({"messages": messages})
    assert shapes(chat.shown[0]) == shapes(bare.shown[0])
    assert shapes(langgraph.from_items(await session.get_items())["messages"]) == [
        *shapes(bare.shown[0]),
        ("ai", "Hello"),
    ]


async def test_call_by_name(session):
    """The input may be named, and the method looks as the graph's own does."""
    graph = create_agent(model("a"), [])
    agent = with_session(graph, session=session)
    assert await agent.ainvoke(input={"messages": "Hi"}, config={"tags": ["x"]})
    assert agent.ainvoke.__doc__ == graph.ainvoke.__doc__
    assert {"input", "config", "context", "session"} <= set(signature(agent.ainvoke).parameters)


class Schema(BaseModel):
    messages: Annotated[list[Any], add_messages] = []
    mood: str = "fine"


@dataclass
class Record:
    messages: Annotated[list[Any], add_messages] = field(default_factory=list)
    mood: str = "fine"


@pytest.mark.parametrize("kind", [Schema, Record])
async def test_states_of_other_classes(kind, session):
    """A graph whose state is a model or a data class takes and gives its state all the same."""
    graph = graph_of(lambda state: {"messages": [AIMessage(state.mood)]}, state=kind)
    agent = with_session(graph, session=session)
    for mood in ("good", "fine"):
        state = kind(messages=[HumanMessage("Hi")], **({} if mood == "fine" else {"mood": mood}))
        assert (await agent.ainvoke(state)).get("mood", "fine") == mood
    assert texts_of(await session.get_items()) == ["Hi", "good", "Hi", "fine"]


async def test_state_without_messages(session):
    """A state that brings no messages gets the history, and what the graph adds is stored."""
    agent = with_session(graph_of(speak), session=session)
    await agent.ainvoke({"mood": "good"})
    await agent.ainvoke({"mood": "bad"})
    assert texts_of(await session.get_items()) == ["good 0", "bad 1"]


class State(MessagesState):
    mood: str
    count: Annotated[int, operator.add]


def graph_of(*nodes, state=State, **options):
    builder = StateGraph(state)
    for number, node in enumerate(nodes):
        builder.add_node(f"n{number}", node)
        builder.add_edge(f"n{number - 1}" if number else START, f"n{number}")
    builder.add_edge(f"n{len(nodes) - 1}", END)
    return builder.compile(**options)


def speak(state):
    return {"messages": [AIMessage(f"{state['mood']} {len(state['messages'])}")], "count": 1}


async def test_other_keys_of_the_state_pass_through(session):
    """Keys beside the messages reach the graph, come back in its state, and are not stored."""
    agent = with_session(graph_of(speak, speak), session=session)
    state = await agent.ainvoke({"messages": "Hi", "mood": "good", "count": 5})
    assert (state["mood"], state["count"]) == ("good", 7)
    assert texts_of(await session.get_items()) == ["Hi", "good 1", "good 2"]


async def test_output_schema_without_messages(session):
    """A graph whose output has no messages is remembered all the same."""

    class Output(TypedDict):
        mood: str

    builder = StateGraph(State, output_schema=Output)
    builder.add_node("speak", speak)
    builder.add_edge(START, "speak")
    agent = with_session(builder.compile(), session=session)
    assert await agent.ainvoke({"messages": "Hi", "mood": "good"}) == {"mood": "good"}
    assert texts_of(await session.get_items()) == ["Hi", "good 1"]


async def test_caller_and_graph_share_nothing(session):
    """The caller's state and messages stay as they were, without ids put into them."""
    message = HumanMessage("Hi")
    given = {"messages": [message], "mood": "good"}
    await with_session(graph_of(speak), session=session).ainvoke(given)
    assert given == {"messages": [message], "mood": "good"}
    assert message.id is None


async def test_metadata_of_messages_is_kept(session):
    """Ids, usage and artifacts of the messages come back with the next turn."""
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    answer = AIMessage("Hello", usage_metadata=usage, response_metadata={"model_name": "m"})
    chat = model(answer, "Bye")
    agent = with_session(create_agent(chat, []), session=session)
    (first,) = (await agent.ainvoke("Hi")).new_messages
    await agent.ainvoke("And?")
    assert chat.shown[1][1] == first
    assert chat.shown[1][1].usage_metadata == usage


async def test_state_is_a_dict(session):
    """What a call returns is a dict like LangGraph's, and knows what is new."""
    state = await with_session(graph_of(speak), session=session).ainvoke(
        {"messages": "Hi", "mood": "x"}
    )
    assert isinstance(state, dict)
    assert state == {"messages": state["messages"], "mood": "x", "count": 1}
    assert state.new_messages == state["messages"][1:]


async def test_failing_graph_stores_nothing(session):
    """An error in a later step arrives unchanged, and nothing of the turn is stored."""
    agent = with_session(create_agent(model(calling(), ValueError("no")), [weather]))
    with pytest.raises(ValueError, match="no"):
        await agent.ainvoke("Hi", session=session)
    assert await session.get_items() == []


# What is new


async def test_messages_edited_under_way_are_stored_once(session):
    """A message that a later step replaces is stored in its last form, in its place."""

    def edit(state):
        last = state["messages"][-1]
        return {"messages": [last.model_copy(update={"content": "edited"}), AIMessage("more")]}

    await with_session(graph_of(speak, edit), session=session).ainvoke(
        {"messages": "Hi", "mood": "x"}
    )
    assert texts_of(await session.get_items()) == ["Hi", "edited", "more"]


async def test_history_changed_by_the_graph_stays_in_the_store(session):
    """What a graph removes or edits of its history changes what it sees, not what is stored."""

    def forget(state):
        first, *others = state["messages"]
        edited = others[0].model_copy(update={"content": "changed"}) if others else AIMessage("a")
        return {"messages": [RemoveMessage(first.id), edited]}

    agent = with_session(graph_of(forget, speak), session=session)
    await session.add_items([user("one"), assistant("two")])
    state = await agent.ainvoke({"messages": "three", "mood": "x"})
    assert [message.text for message in state["messages"]] == ["changed", "three", "x 2"]
    assert texts_of(await session.get_items()) == ["one", "two", "three", "x 2"]


@pytest.mark.parametrize("keep", [1, 2, 3])
async def test_summaries_are_a_view(keep, session):
    """A summarising agent sees its summary; the store has each message once, and no summary."""
    middleware = SummarizationMiddleware(
        model(*["summary"] * 9),
        trigger=("messages", 3),
        keep=("messages", keep),
    )
    agent = with_session(
        create_agent(model(*tool_turns(3)), [weather], middleware=[middleware]), session=session
    )
    for number in (1, 2, 3):
        await agent.ainvoke(f"{number}?")
    expected = [part for n in (1, 2, 3) for part in (f"{n}?", *TURN, f"answer {n}")]
    assert texts_of(await session.get_items()) == expected


async def test_messages_put_before_the_history_are_not_stored(session):
    """What middleware puts in front each turn does not pile up in the store."""

    class Notice(AgentMiddleware):
        def before_model(self, state, runtime):
            messages = [RemoveMessage(REMOVE_ALL_MESSAGES), HumanMessage("Note:")]
            return {"messages": [*messages, *state["messages"]]}

    agent = with_session(create_agent(model("a", "b"), [], middleware=[Notice()]), session=session)
    await agent.ainvoke("1")
    await agent.ainvoke("2")
    assert texts_of(await session.get_items()) == ["1", "a", "2", "b"]


async def test_reducer_without_ids(session):
    """A graph that appends its messages, without ids, is remembered too."""

    class Plain(TypedDict):
        messages: Annotated[list[Any], operator.add]

    agent = with_session(
        graph_of(lambda state: {"messages": [AIMessage(str(len(state["messages"])))]}, state=Plain)
    )
    for _ in range(2):
        await agent.ainvoke("Hi", session=session)
    assert texts_of(await session.get_items()) == ["Hi", "1", "Hi", "3"]


async def test_reducer_that_copies_messages_without_ids(session):
    """A graph that makes new messages of its old ones at each step is not stored anew each time."""

    class Copied(TypedDict):
        messages: Annotated[list[Any], lambda left, right: deepcopy([*left, *right])]

    def say(text):
        return lambda state: {"messages": [AIMessage(text)]}

    agent = with_session(graph_of(say("a"), say("b"), state=Copied), session=session)
    for said in ("Hi", "Hi"):
        await agent.ainvoke(said)
    assert texts_of(await session.get_items()) == ["Hi", "a", "b"] * 2


async def test_reducer_of_dicts(session):
    """A graph whose messages are chat dicts is remembered as messages."""

    class Dicts(TypedDict):
        messages: Annotated[list[Any], operator.add]

    def say(state):
        return {"messages": [{"role": "assistant", "content": str(len(state["messages"]))}]}

    agent = with_session(graph_of(say, state=Dicts), session=session)
    for _ in range(2):
        (message,) = (await agent.ainvoke("Hi")).new_messages
    assert message.text == "3"
    assert texts_of(await session.get_items()) == ["Hi", "1", "Hi", "3"]


async def test_removals_given_as_input(session):
    """Removals among the input are done in the view, again in each turn, and may lose their aim."""
    agent = with_session(create_agent(model("a", "b", "c"), []), session=session)
    await agent.ainvoke([HumanMessage("one", id="x")])
    state = await agent.ainvoke([RemoveMessage("x"), HumanMessage("two")])
    assert [message.text for message in state["messages"]] == ["a", "two", "b"]
    trimmed = with_session(agent.__wrapped__, session=session, middleware=[Trim(max_items=1)])
    state = await trimmed.ainvoke([RemoveMessage(REMOVE_ALL_MESSAGES), HumanMessage("three")])
    assert [message.text for message in state["messages"]] == ["three", "c"]


async def test_ids_that_messages_share(session):
    """Messages of one id, which a graph would take for one, are all shown."""
    await session.add_items(
        [
            item
            for n in "123"
            for item in langgraph.to_items([HumanMessage(n), AIMessage(n, id="same")])
        ]
    )
    chat = model("4")
    await with_session(create_agent(chat, []), session=session).ainvoke("4?")
    assert [message.text for message in chat.shown[0]] == ["1", "1", "2", "2", "3", "3", "4?"]


async def test_chunks_in_the_history(session):
    """Chunks that another library stored, which a graph makes messages of, stay stored once."""
    await session.add_items(langgraph.to_items([HumanMessage("1"), AIMessageChunk("a")]))
    agent = with_session(create_agent(model("b"), []), session=session)
    await agent.ainvoke("2")
    assert texts_of(await session.get_items()) == ["1", "a", "2", "b"]


async def test_new_messages_beside_a_checkpointer(session):
    """Without a session, what is new is told beside a checkpointer's memory too."""
    agent = with_session(saved("a", "b"))
    for answer in "ab":
        state = await agent.ainvoke("Hi", CONFIG)
        assert [message.text for message in state.new_messages] == [answer]
    assert len(state["messages"]) == 4


@pytest.mark.parametrize(("adapter", "count"), [(None, 2), (langgraph, 2), (langgraph_portable, 0)])
async def test_models_of_another_provider(adapter, count, session):
    """The portable adapter shows a graph's model text and calls only; the store keeps all."""
    said = {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed"}
    items = [
        user("Hi"),
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        said | {"content": [{"type": "output_text", "text": "Hello", "annotations": []}]},
    ]
    await session.add_items(items)
    chat = model("a")
    agent = with_session(create_agent(chat, []), session=session, adapter=adapter)
    assert (await agent.ainvoke("Ho"))["messages"][-1].text == "a"
    assert chat.shown[0][1].text == "Hello"
    content = str(chat.shown[0][1].content)
    assert sum(kind in content for kind in ("rs_1", "ws_1")) == count
    assert (await session.get_items())[:4] == items


# Streams


def shapes(events):
    """Return the events of a stream, without the ids that differ each time."""

    def shape(value):
        if isinstance(value, dict):
            if "langgraph_node" in value:
                return value["langgraph_node"]
            return {key: shape(member) for key, member in value.items()}
        if isinstance(value, (list, tuple)):
            return [shape(member) for member in value]
        return (value.type, value.text) if hasattr(value, "text") else value

    return [shape(event) for event in events]


def events_of(way, agent, *args, **options):
    if way == "stream":
        return list(agent.stream(*args, **options))

    async def collect():
        return [event async for event in agent.astream(*args, **options)]

    return asyncio.run(collect())


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stream_mode": "values"},
        {"stream_mode": "updates"},
        {"stream_mode": "messages"},
        {"stream_mode": ["messages", "updates"]},
        {"stream_mode": ["values"]},
        {"stream_mode": "custom"},
        {"subgraphs": True},
        {"subgraphs": True, "stream_mode": ["updates", "messages"]},
        {"version": "v2"},
        {"version": "v2", "stream_mode": ["values", "messages"], "subgraphs": True},
    ],
    ids=str,
)
def test_streams_of_all_modes(way, options, session):
    """A stream gives what the graph itself would, and is stored as messages when it has ended."""
    bare = create_agent(model(*tool_turns(1)), [weather])
    agent = with_session(create_agent(model(*tool_turns(1)), [weather]), session=session)
    given = {"messages": [HumanMessage("1?")]}
    expected = shapes(events_of(way, bare, given, **options))
    assert shapes(events_of(way, agent, given, **options)) == expected
    assert (expected == []) == (options.get("stream_mode") == "custom")
    assert dialogue(session) == ["1?", *TURN, "answer 1"]
    assert len(asyncio.run(session.get_items())) == 4


async def test_messages_of_a_graph_within(session):
    """What a graph within keeps to itself is streamed on request, and not stored."""
    inner = create_agent(model("to myself"), [])

    async def think(state):
        await inner.ainvoke({"messages": "A thought"})
        return {"messages": [AIMessage("aloud")]}

    agent = with_session(graph_of(think), session=session)
    events = [event async for event in agent.astream("Hi", stream_mode="values", subgraphs=True)]
    assert "to myself" in str(events)
    assert texts_of(await session.get_items()) == ["Hi", "aloud"]


async def leave(events, count):
    async for _ in events:
        count -= 1
        if not count:
            break
    await events.aclose()


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_stream_left_early(count, session):
    """A stream that its caller leaves is not stored, and the session is free for the next turn."""
    agent = with_session(create_agent(model(*tool_turns(2)), [weather]), session=session)
    await leave(agent.astream("1?"), count)
    assert await session.get_items() == []
    await agent.ainvoke("2?")
    assert len(await session.get_items()) >= 2


@pytest.mark.parametrize(
    ("mode", "count", "kept"),
    [
        ("updates", 1, []),
        ("updates", 2, TURN),
        ("values", 3, TURN),
        ("messages", 1, []),
        ("messages", 4, TURN),
        ("messages", 5, [*TURN, "one"]),
        ("messages", 6, [*TURN, "one "]),
    ],
)
async def test_what_a_stopped_stream_had_delivered(mode, count, kept, session):
    """On request a stream left early keeps what was delivered, without calls left open."""
    agent = with_session(
        create_agent(model(calling("c", city="Rome"), "one two"), [weather]),
        session=session,
        middleware=[Memory(on_stop="keep_delivered")],
    )
    await leave(agent.astream("Hi", stream_mode=mode), count)
    assert [text_of(i) or i["type"] for i in await session.get_items()] == ["Hi", *kept]


@pytest.mark.parametrize("count", [1, 2])
async def test_delivered_messages_without_ids(count, session):
    """What was delivered of a graph that gives no ids is kept, each message once."""

    class Plain(TypedDict):
        messages: Annotated[list[Any], operator.add]

    def say(state):
        return {"messages": [AIMessage("a")]}

    agent = with_session(
        graph_of(say, say, say, state=Plain),
        session=session,
        middleware=[Memory(on_stop="keep_delivered")],
    )
    await agent.ainvoke("Hi")
    await leave(agent.astream("Hi", stream_mode="updates"), count)
    expected = ["Hi", *"aaa", "Hi", *"aa"[:count]]
    assert [text_of(item) for item in await session.get_items()] == expected


async def test_removals_are_not_delivered(session):
    """A removal that a stopped stream had sent is no message to keep."""

    def forget(state):
        return {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), AIMessage("gone")]}

    agent = with_session(
        graph_of(forget, speak), session=session, middleware=[Memory(on_stop="keep_delivered")]
    )
    await leave(agent.astream({"messages": "Hi", "mood": "x"}), 1)
    assert [text_of(item) for item in await session.get_items()] == ["Hi", "gone"]


def test_stopped_synchronous_stream(session):
    """The same holds for a synchronous stream."""
    agent = with_session(
        create_agent(model(*tool_turns(1)), [weather]),
        session=session,
        middleware=[Memory(on_stop="keep_delivered")],
    )
    events = agent.stream("Hi")
    next(events)
    next(events)
    events.close()
    assert dialogue(session) == ["Hi", *TURN]


async def test_cancelled_stream(session):
    """A stream cancelled while a node works stores nothing by default."""

    async def hang(state):
        await asyncio.sleep(60)

    agent = with_session(graph_of(speak, hang), session=session)

    async def consume():
        async for _ in agent.astream({"messages": "Hi", "mood": "x"}):
            pass

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(consume(), 0.2)
    assert await session.get_items() == []


# Layers


async def test_layers_see_history_and_states(session):
    """Layers cut the history and redact, and may answer in the graph's place."""
    seen_by_layer = []

    async def layer(turn, send, handler):
        async def look(event):
            seen_by_layer.append(type(event).__name__)
            await send(event)

        if "cached" in str(turn.input):
            await send(AIMessage("from the cache"))
        else:
            await handler(turn, look)

    chat = model("pin 4711", "b")
    agent = with_session(
        create_agent(chat, []),
        session=session,
        middleware=[Trim(max_turns=1), Redact("4711"), layer],
    )
    await agent.ainvoke("one")
    await agent.ainvoke("two")
    assert (await agent.ainvoke("cached")).text == "from the cache"
    assert [message.text for message in chat.shown[1]] == ["one", "pin [REDACTED]", "two"]
    assert texts_of(await session.get_items()) == [
        *("one", "pin [REDACTED]", "two", "b"),
        *("cached", "from the cache"),
    ]
    assert seen_by_layer == ["GraphState", "GraphState"]


async def test_layer_that_replaces_the_answer(session):
    """What a layer sends in place of the state is what is stored; a state of its own is refused."""

    async def text(turn, send, handler):
        await handler(turn, lambda state: send(state["messages"][-1].text))

    async def own(turn, send, handler):
        await handler(turn, lambda state: send({"messages": state["messages"]}))

    graph = create_agent(model(*tool_turns(2)), [weather])
    assert await with_session(graph, session=session, middleware=[text]).ainvoke("Hi") == "answer 1"
    assert texts_of(await session.get_items()) == ["Hi", "answer 1"]
    with pytest.raises(ConversionError, match="a state of its own"):
        await with_session(graph, session=session, middleware=[own]).ainvoke("Hi")
    assert len(await session.get_items()) == 2


async def test_turn_ids(session):
    """A repeated turn gives the stored messages again, without a run, from calls and streams."""
    chat = model(*tool_turns(1))
    agent = with_session(create_agent(chat, [weather]), session=session)
    first = await agent.ainvoke("Hi", turn_id="1")
    again = await agent.ainvoke("Hi", turn_id="1")
    assert again.new_messages == first.new_messages == again["messages"]
    assert [event async for event in agent.astream("Hi", turn_id="1")] == [again]
    with pytest.raises(TurnIdReused):
        await agent.ainvoke("Ho", turn_id="1")
    assert len(chat.shown) == 2


# Which session


async def test_session_of_the_config():
    """The key names the session in the config's configurable, which the graph sees too."""
    store = InMemoryStore()
    agent = with_session(create_agent(model("a", "b", "c"), []), store=store, key="thread_id")
    await agent.ainvoke("1", CONFIG)
    await agent.with_config(configurable={"thread_id": "other"}).ainvoke("2")
    assert [event async for event in agent.astream("3", config=CONFIG)]
    assert texts_of(await store.session("chat").get_items()) == ["1", "a", "3", "c"]
    assert texts_of(await store.session("other").get_items()) == ["2", "b"]
    with pytest.raises(ConfigurationError, match="no thread_id was given"):
        await agent.ainvoke("4")


async def test_without_a_session():
    """Without a session a graph runs as it is, each time anew."""
    agent = with_session(create_agent(model("a", "b"), []))
    for _ in range(2):
        assert len((await agent.ainvoke("Hi"))["messages"]) == 2


async def test_run_and_batches(session):
    """`memwrap.run` and batches take a turn of each input."""
    graph = create_agent(model("a", "b", "c"), [])
    assert (await memwrap.run(graph, "1", session=session))["messages"][-1].text == "a"
    states = await with_session(graph, session=session).abatch(["2", "3"])
    assert [len(state["messages"]) for state in states] == [4, 6]


async def test_graph_among_runnables(session):
    """A remembering graph is a runnable, alone, in a sequence and with retries."""
    agent = with_session(create_agent(model("a", "b", "c"), []))
    last = RunnableLambda(lambda state: state["messages"][-1].text)
    with use_session(session):
        assert await (agent | last).ainvoke("1") == "a"
        assert (await agent.with_retry().ainvoke("2"))["messages"][-1].text == "b"
        assert (await (RunnablePassthrough() | agent).ainvoke("3"))["messages"][-1].text == "c"
    assert len(await session.get_items()) == 6


async def test_graph_as_a_node(session):
    """A remembering graph may be a node of a larger one, whose state stays its own."""
    inner = with_session(create_agent(model("a", "b"), []), session=session)
    outer = graph_of(inner, state=MessagesState)
    for text in ("1", "2"):
        state = await outer.ainvoke({"messages": text})
    assert texts_of(await session.get_items()) == ["1", "a", "2", "b"]
    assert state["messages"][-1].text == "b"


@pytest.mark.parametrize("way", ["ainvoke", "invoke"])
def test_interrupts_are_in_the_result(way, session):
    """A run that stops for a person says so, as the graph itself does."""

    def ask(state):
        return {"messages": [AIMessage(interrupt("May I?"))]}

    agent = with_session(graph_of(ask), session=session)
    result = getattr(agent, way)("Hi")
    state = asyncio.run(result) if way == "ainvoke" else result
    assert [stop.value for stop in state["__interrupt__"]] == ["May I?"]
    assert dialogue(session) == ["Hi"]


async def test_runs_that_go_on_without_memory():
    """Without a session a run that waits for a person goes on, by its checkpointer."""

    def ask(state):
        return {"messages": [AIMessage(interrupt("May I?"))]}

    agent = with_session(graph_of(ask, checkpointer=InMemorySaver()), session=None)
    state = await agent.ainvoke("Hi", CONFIG)
    assert [stop.value for stop in state["__interrupt__"]] == ["May I?"]
    state = await agent.ainvoke(Command(resume="yes"), CONFIG)
    assert [message.text for message in state["messages"]] == ["Hi", "yes"]
    assert [message.text for message in (await agent.ainvoke(None, CONFIG))["messages"]]


# What is refused


def saved(*answers):
    return create_agent(model(*answers), [], checkpointer=InMemorySaver())


@pytest.mark.parametrize("way", ["ainvoke", "invoke", "astream", "stream"])
def test_graph_that_remembers_already(way, session):
    """A graph with a checkpointer and a thread id is refused before it runs; alone it works."""
    chat = model("a", "b")
    graph = create_agent(chat, [], checkpointer=InMemorySaver())
    agent = with_session(graph, session=session)

    def call(**options):
        if way.endswith("stream"):
            return events_of(way, agent, {"messages": "Hi"}, CONFIG, **options)
        result = getattr(agent, way)({"messages": "Hi"}, CONFIG, **options)
        return asyncio.run(result) if way == "ainvoke" else result

    with pytest.raises(ConfigurationError, match="second time.*compile the graph without one"):
        call()
    assert (chat.shown, dialogue(session)) == ([], [])
    assert call(session=None)


async def test_thread_id_of_the_graph_itself(session):
    """A thread id that is bound to the graph counts as well."""
    agent = with_session(saved("a").with_config(CONFIG), session=session)
    with pytest.raises(ConfigurationError, match="second time"):
        await agent.ainvoke("Hi")


async def test_thread_id_of_the_config_around(session):
    """A thread id, or the key of a session, in the config around the graph counts as well."""

    async def ask(said):
        return await agent.ainvoke(said)

    agent = with_session(saved("a"), session=session)
    with pytest.raises(ConfigurationError, match="second time"):
        await RunnableLambda(ask).ainvoke("Hi", CONFIG)
    agent = with_session(create_agent(model("a"), []), store=lambda _: session, key="thread_id")
    await RunnableLambda(ask).ainvoke("Hi", CONFIG)
    assert texts_of(await session.get_items()) == ["Hi", "a"]


async def test_checkpointer_of_a_graph_around(session):
    """A graph within one that has a checkpointer remembers by its session only."""
    inner = with_session(create_agent(model("a", "b"), []), session=session)
    builder = StateGraph(MessagesState)
    builder.add_node(
        "inner", lambda state: {"messages": inner.invoke(state["messages"][-1:])["messages"][-1:]}
    )
    builder.add_edge(START, "inner")
    outer = builder.compile(checkpointer=InMemorySaver())
    for text in ("1", "2"):
        state = await asyncio.to_thread(outer.invoke, {"messages": text}, CONFIG)
    assert [message.text for message in state["messages"]] == ["1", "a", "2", "b"]
    assert texts_of(await session.get_items()) == ["1", "a", "2", "b"]


async def test_commands(session):
    """A command to go on is for the checkpointer's memory: refused with a session, else passed."""
    agent = with_session(saved("a"), session=session)
    with pytest.raises(ConfigurationError, match="goes on with a run"):
        await agent.ainvoke(Command(resume="yes"), CONFIG)
    with pytest.raises(ConfigurationError, match="or None, goes on"):
        await agent.ainvoke(None, CONFIG)
    assert await agent.ainvoke(Command(goto="model"), CONFIG, session=None)


@pytest.mark.parametrize(
    ("way", "options", "name"),
    [
        ("ainvoke", {"stream_mode": "updates"}, "stream_mode"),
        ("ainvoke", {"version": "v2"}, "version"),
        ("invoke", {"output_keys": ["messages"]}, "output_keys"),
        ("astream", {"output_keys": "mood"}, "output_keys"),
    ],
)
def test_options_that_would_hide_the_messages(way, options, name, session):
    """Options under which a run does not show its messages are refused by name."""
    agent = with_session(create_agent(model("a"), []), session=session)
    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        if way == "astream":
            events_of(way, agent, "Hi", **options)
        elif way == "invoke":
            agent.invoke("Hi", **options)
        else:
            asyncio.run(agent.ainvoke("Hi", **options))


def test_graphs_without_messages():
    """A graph without messages in its state is refused when it is wrapped."""

    class Other(TypedDict):
        text: str

    @entrypoint()
    def flow(messages):
        return "x"

    for graph in (graph_of(lambda state: {"text": "x"}, state=Other), flow):
        with pytest.raises(ConfigurationError, match="no key 'messages' in its state"):
            with_session(graph)


INNER = {
    "retry": lambda graph: graph.with_retry(),
    "fallbacks": lambda graph: graph.with_fallbacks([graph]),
    "first": lambda graph: graph | RunnableLambda(str),
    "last": lambda graph: RunnableLambda(str) | graph,
    "nested": lambda graph: (RunnableLambda(str) | graph.with_retry()).with_config(tags=["x"]),
}


@pytest.mark.parametrize("build", INNER.values(), ids=INNER)
def test_graphs_inside_of_others(build):
    """What takes or gives a graph's state is refused: the graph itself is to be wrapped."""
    graph = create_agent(model("a"), [])
    for wrap in (with_session, lambda inner: from_runnable_with_history(inner, InMemoryStore())):
        with pytest.raises(ConfigurationError, match="wrap the graph itself"):
            wrap(build(graph))


async def test_graph_in_the_middle(session):
    """A graph between steps that make a state of messages and messages of a state is fine."""
    before = RunnableLambda(lambda messages: {"messages": messages})
    after = RunnableLambda(lambda state: state["messages"][-1])
    chain = before | create_agent(model("a", "b"), []).with_retry() | after
    agent = with_session(chain, session=session)
    assert [(await agent.ainvoke(said)).text for said in "12"] == ["a", "b"]
    assert texts_of(await session.get_items()) == ["1", "a", "2", "b"]


@pytest.mark.parametrize("name", ["astream_events", "astream_log"])
def test_event_streams_are_refused(name):
    """Event streams, which would stop before the turn has ended, are refused."""
    with pytest.raises(ConfigurationError, match=f"{name} does not remember"):
        getattr(with_session(create_agent(model(), [])), name)("Hi")


def test_adapter_of_graphs():
    """Graphs have an adapter of their own, which knows no other objects."""
    assert adapter_for(create_agent(model(), [])) is langgraph
    assert langgraph.methods(AIMessage("Hi")) is None
    assert langgraph.from_items([user("Hi")]) == {"messages": [HumanMessage("Hi")]}
    assert langgraph.to_items({"messages": [("human", "Hi")]}) == [user("Hi")]
    assert add_messages([], langgraph.from_items([user("Hi")])["messages"])[0].text == "Hi"

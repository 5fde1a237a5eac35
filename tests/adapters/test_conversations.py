"""Conversations that come again, are changed or taken back: each message is stored once."""

import operator
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    convert_to_messages,
)
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.types import Command, Overwrite

from memwrap import InMemorySession, InMemoryStore, with_session
from memwrap.items import assistant, user
from memwrap.middleware import Memory, Trim
from memwrap.testing import ScriptedAgent


def graph_of(*nodes, state=MessagesState):
    builder = StateGraph(state)
    names = [f"node{n}" for n in range(len(nodes))]
    for name, node in zip(names, nodes, strict=True):
        builder.add_node(name, node)
    for before, name in zip([START, *names], names, strict=False):
        builder.add_edge(before, name)
    return builder.compile()


async def texts(session):
    return [item["content"] for item in await session.get_items()]


async def talked(graph, *inputs, stream=False):
    session = InMemorySession("s")
    agent = with_session(graph, session=session)
    for input in inputs:
        if stream:
            async for _ in agent.astream({"messages": input}, stream_mode="messages"):
                pass
        else:
            await agent.ainvoke({"messages": input})
    return await texts(session)


def in_place(give_back):
    def node(state):
        state["messages"].append(AIMessage(f"a{len(state['messages'])}"))
        return {"state": state, "list": {"messages": state["messages"]}, "nothing": {}}[give_back]

    return node


@pytest.mark.parametrize("give_back", ["state", "list", "nothing"])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_node_changes_the_list_in_place(give_back, stream):
    """What a node appends to the state's own list is new, as it is to the graph."""
    found = await talked(graph_of(in_place(give_back)), "one", "two", stream=stream)
    assert found == ["one", "a1", "two", "a3"]


def drafted(state):
    return {"messages": [AIMessage("unsafe"), AIMessage("kept")]}


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_was_taken_back(stream):
    """A message of the run that the graph removes by its id was not said."""

    def guard(state):
        return {"messages": [RemoveMessage(state["messages"][-2].id), AIMessage("no")]}

    found = await talked(graph_of(drafted, guard), "Hi", "Ho", stream=stream)
    assert found == ["Hi", "kept", "no", "Ho", "kept", "no"]


async def test_an_input_that_was_taken_back():
    """A message of the input that the graph removes by its id is not stored; the others are."""

    def guard(state):
        return {"messages": [RemoveMessage(state["messages"][-1].id), AIMessage("no")]}

    found = await talked(graph_of(guard), [HumanMessage("fine"), HumanMessage("unsafe")], "Hi")
    assert found == ["fine", "no", "no"]


def removing(state):
    return state["messages"][-2].id


GUARDS = {
    "command": lambda state: Command(update={"messages": RemoveMessage(removing(state))}),
    "dict": lambda state: {"messages": [{"role": "remove", "id": removing(state), "content": ""}]},
    "commands": lambda state: [
        Command(update={"messages": [RemoveMessage(removing(state))]}),
        Command(update={"messages": [AIMessage("no")]}),
    ],
}


@pytest.mark.parametrize("form", GUARDS)
@pytest.mark.parametrize("stream", [False, True])
async def test_removals_of_all_forms(form, stream):
    """A removal is obeyed in whatever form a node gives it."""
    said = ["kept", "no"] if form == "commands" else ["kept"]
    found = await talked(graph_of(drafted, GUARDS[form]), "Hi", "Ho", stream=stream)
    assert found == ["Hi", *said, "Ho", *said]


def everything(*messages):
    return {"messages": [RemoveMessage(id=REMOVE_ALL_MESSAGES), *messages]}


# What is given in place of all messages, and what of it is new.
REPLACING = {
    "a summary": (lambda state: everything(HumanMessage("sum")), []),
    "a summary as instructions": (lambda state: everything(("system", "sum")), []),
    "a summary and an answer": (
        lambda state: everything(HumanMessage("sum"), AIMessage("b")),
        ["b"],
    ),
    "a summary, and the newest": (
        lambda state: everything(SystemMessage("sum"), state["messages"][-1]),
        [],
    ),
    "all of them": (
        lambda state: everything(*state["messages"], AIMessage("b"), HumanMessage("c")),
        ["b", "c"],
    ),
    "nothing": (lambda state: everything(), []),
    "overwritten": (lambda state: {"messages": Overwrite([HumanMessage("sum")])}, []),
}


@pytest.mark.parametrize("form", REPLACING)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_summary_changes_the_view_only(form, stream):
    """A removal of all messages at once is a summary's, and the store keeps what was said."""
    summarise, said = REPLACING[form]
    found = await talked(graph_of(drafted, summarise), "Hi", "Ho", stream=stream)
    turn = ["unsafe", "kept", *said]
    assert found == ["Hi", *turn, "Ho", *turn]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reducer", [None, operator.add], ids=["replaced", "appended"])
async def test_lists_of_copies_without_ids(reducer, stream):
    """The whole list given back in copies without ids adds what stands behind it."""

    class State(TypedDict):
        messages: Annotated[list, reducer] if reducer else list

    def copied(state):
        roles = [{"role": one.type, "content": one.content} for one in state["messages"]]
        return {"messages": [*convert_to_messages(roles), AIMessage("a")]}

    def added(state):
        return {"messages": [AIMessage("b")] if reducer else [*state["messages"], AIMessage("b")]}

    nodes = [added, added] if reducer else [copied, copied, added]
    found = await talked(graph_of(*nodes, state=State), [HumanMessage("1")], stream=stream)
    assert found == (["1", "b", "b"] if reducer else ["1", "a", "a", "b"])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_message_that_gets_its_id_late(stream):
    """A message that was first seen without an id is the one that a later step replaces by it."""

    class State(MessagesState):
        count: int

    def noted(state):
        state["messages"].append(AIMessage("first"))
        return {"count": 1}

    def told(state):
        return {"messages": state["messages"]}

    def replaced(state):
        return {"messages": [AIMessage("second", id=state["messages"][-1].id)]}

    graph = graph_of(noted, told, replaced, state=State)
    assert await talked(graph, "Hi", stream=stream) == ["Hi", "second"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_state_that_holds_its_messages_twice(stream):
    """A message that the graph itself repeats in its state is stored once."""

    class State(TypedDict):
        messages: Annotated[list, operator.add]

    def repeated(state):
        return {"messages": [*state["messages"], AIMessage("a")]}

    found = await talked(graph_of(repeated, state=State), [HumanMessage("1")], stream=stream)
    assert found == ["1", "a"]


REDUCERS: dict[str, Any] = {
    "replaced": None,
    "the last two": lambda old, new: (old + new)[-2:],
    "appended": lambda old, new: old + new,
}


@pytest.mark.parametrize("reducer", REDUCERS.values(), ids=REDUCERS)
async def test_equal_words_without_ids_are_new(reducer):
    """An answer in the words of an earlier one is a new answer."""

    class State(TypedDict):
        messages: Annotated[list, reducer] if reducer else list

    graph = graph_of(lambda state: {"messages": [AIMessage("Yes.")]}, state=State)
    inputs = [[HumanMessage("same")], [HumanMessage("same")], [HumanMessage("other")]]
    assert await talked(graph, *inputs) == ["same", "Yes.", "same", "Yes.", "other", "Yes."]


def counting(state):
    return {"messages": [AIMessage(f"a{len(state['messages'])}")]}


@pytest.mark.parametrize("layers", [[], [Trim(max_turns=2)], [Memory(window=4)]])
@pytest.mark.parametrize("last", [1, 3, 99])
async def test_a_graph_is_sent_its_last_state(layers, last):
    """Of messages that come again the known ones are known, and what is new is stored."""
    if last == 1 and layers:
        last = 99
    session = InMemorySession("s")
    agent = with_session(graph_of(counting), session=session, middleware=layers)
    messages = []
    for text in ("one", "two", "two", "three"):
        state = await agent.ainvoke({"messages": [*messages[-last:], HumanMessage(text)]})
        messages = state["messages"]
    asked = [item["content"] for item in await session.get_items() if item["role"] == "user"]
    assert asked == ["one", "two", "two", "three"]
    assert len(await session.get_items()) == 8


@pytest.mark.parametrize("dialect", ["items", "runnable"])
async def test_an_agent_is_sent_the_whole_conversation(dialect):
    """The whole history in front, word for word, is known; a part of it without ids is new."""
    session = InMemorySession("s")
    if dialect == "items":
        script = ScriptedAgent("a", "b", "c")
        agent = with_session(script, session=session)
        said = [user("1"), assistant("a")]
        again = [said, [*said, user("2"), assistant("b")]]
        await agent("1")
        await agent([*again[0], user("2")])
        await agent([*again[1], user("2")])
        assert script.calls[-1] == [*again[1], user("2")]
    else:
        answers = iter("abc")
        model = RunnableLambda(lambda messages: AIMessage(next(answers)))
        agent = with_session(model, session=session)
        said = [HumanMessage("1"), AIMessage("a")]
        await agent.ainvoke("1")
        await agent.ainvoke([*said, HumanMessage("2")])
        await agent.ainvoke([*said, HumanMessage("2"), AIMessage("b"), HumanMessage("2")])
    assert await texts(session) == ["1", "a", "2", "b", "2", "c"]
    await session.add_items([user("x")])
    before = len(await session.get_items())
    if dialect == "items":
        script = ScriptedAgent("d")
        await with_session(script, session=session)([user("1"), assistant("a")])
        assert len(await session.get_items()) == before + 3


async def test_a_repeated_turn_that_is_sent_whole():
    """The same id and the same input are the same turn, whatever of the input was known."""
    session, script = InMemorySession("s"), ScriptedAgent("a", "b", "c")
    agent = with_session(script, session=session)
    await agent("1", turn_id="1")
    whole = [user("1"), assistant("a"), user("2")]
    assert await agent(whole, turn_id="2") == "b"
    assert await agent(whole, turn_id="2") == "b"
    assert len(script.calls) == 2
    assert await texts(session) == ["1", "a", "2", "b"]


async def test_instructions_and_answers_of_tools_are_no_history():
    """An input that only begins like the history is new."""
    session, script = InMemorySession("s"), ScriptedAgent("a", "b")
    agent = with_session(script, session=session)
    await agent([user("1"), user("2")])
    await agent([user("1"), user("3")])
    assert await texts(session) == ["1", "2", "a", "1", "3", "b"]


async def test_a_key_of_the_turn_around_is_masked():
    """A nested runnable does not take the session of the config that it inherits."""
    store = InMemoryStore()
    inner = with_session(
        RunnableLambda(lambda messages: AIMessage("inside")), store=store, key="thread_id"
    )
    seen = []

    async def outer(messages, config):
        seen.append((await inner.ainvoke("between us")).text)
        own = {"configurable": {"thread_id": "other"}}
        seen.append((await inner.ainvoke("for itself", own)).text)
        return AIMessage("outside")

    agent = with_session(RunnableLambda(outer), store=store, key="thread_id")
    config = {"configurable": {"thread_id": "user"}}
    await agent.ainvoke([SystemMessage("s"), HumanMessage("hello")], config)
    assert seen == ["inside", "inside"]
    assert await texts(store.session("user")) == ["s", "hello", "outside"]
    assert await texts(store.session("other")) == ["for itself", "inside"]


@pytest.mark.parametrize(
    "handed_on",
    [lambda config: config, lambda config: {**config, "tags": ["x"]}, lambda config: None],
    ids=["config", "changed", "inherited"],
)
@pytest.mark.parametrize("derived", [False, True])
async def test_a_key_that_is_handed_on_is_masked(handed_on, derived):
    """A nested runnable that is handed the config of the turn around does not take its session."""
    store = InMemoryStore()
    expert = with_session(graph_of(counting), store=store, key="thread_id")
    inner = expert | RunnableLambda(lambda state: state) if derived else expert

    async def node(state, config: RunnableConfig):
        state = await inner.ainvoke({"messages": "between us"}, handed_on(config))
        return {"messages": [AIMessage(state["messages"][-1].text)]}

    desk = with_session(graph_of(node), store=store, key="thread_id")
    config = {"configurable": {"thread_id": "user"}}
    for _ in range(2):
        await desk.ainvoke({"messages": "hello"}, config)
    assert await texts(store.session("user")) == ["hello", "a1"] * 2

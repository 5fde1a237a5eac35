"""Agent objects of frameworks that are bound to a session by `on`."""

import copy
import inspect
import typing

import pytest
from agents import Agent, Runner, set_tracing_disabled
from agents.testing import ModelStep, ScriptedModel, assistant_message
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.graph import START, MessagesState, StateGraph

from memwrap import ConfigurationError, TurnIdReused, with_session
from memwrap.signatures_of_objects import DelegateMethods, DelegateOptions, StatefulMethods

set_tracing_disabled(True)


def count(messages):
    return AIMessage(str(len(messages)))


def sdk_agent(*texts):
    steps = [ModelStep(output=[assistant_message(text)]) for text in texts]
    return Agent(name="a", model=ScriptedModel(steps))


def graph():
    llm = FakeListChatModel(responses=["one", "two", "three", "four"])
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [llm.invoke(state["messages"])]})
    builder.add_edge(START, "model")
    return builder.compile()


async def test_runnables(store):
    """What is built on a bound runnable is bound, and takes its other options."""
    bound = with_session(RunnableLambda(count), store=store).on("u")
    assert (await bound.ainvoke("a")).content == "1"
    assert (await bound.ainvoke("b", {"tags": ["x"]})).content == "3"
    assert [one.content for one in await bound.abatch(["c", "d"])] == ["5", "7"]
    assert await (bound | (lambda message: int(message.content))).ainvoke("e") == 9
    assert (await bound.with_config(tags=["y"]).ainvoke("f")).content == "11"
    assert [one.content async for one in bound.astream("g")] == ["13"]
    assert (await copy.copy(bound).ainvoke("h")).content == "15"
    with pytest.raises(ConfigurationError, match="session= again"):
        await bound.abatch(["i"], session="v")
    assert len(await store.session("u").get_items()) == 16


async def test_binding_comes_before_the_config(store):
    """The session that a runnable is bound to comes before the one that its config names."""
    chain = with_session(RunnableLambda(count), store=store, key="thread_id")
    config = {"configurable": {"thread_id": "config"}}
    assert (await chain.on("bound").ainvoke("a", config)).content == "1"
    assert (await chain.ainvoke("b", config)).content == "1"
    assert len(await store.session("bound").get_items()) == 2


async def test_turns_of_runnables(store):
    """A runnable bound to a turn gives its answer again, and no other turn's."""
    bound = with_session(RunnableLambda(count), store=store).on("u", turn_id="t")
    assert (await bound.ainvoke("a")).content == (await bound.ainvoke("a")).content == "1"
    with pytest.raises(TurnIdReused):
        await bound.abatch(["b"])


async def test_graphs(store):
    """A bound graph takes states and messages, and tells what is new."""
    bound = with_session(graph(), store=store).on("u")
    await bound.ainvoke("a")
    state = await bound.ainvoke({"messages": "b"})
    assert len(state["messages"]) == 4
    assert [message.text for message in state.new_messages] == ["two"]


async def test_agents_of_the_sdk(store):
    """All ways to run a bound agent are bound, and so is its clone."""
    bound = with_session(sdk_agent("One.", "Two.", "Three.", "Four."), store=store).on("u")
    assert (await bound.run("a", max_turns=2)).final_output == "One."
    assert (await bound("b")).final_output == "Two."
    run = bound.run_streamed("c")
    assert [event async for event in run.stream_events()]
    assert (await bound.clone(name="other").run("d")).final_output == "Four."
    assert len(await store.session("u").get_items()) == 8
    with pytest.raises(ConfigurationError, match="session= again"):
        await bound.run("e", session="v")


def test_types_know_the_options():
    """What checkers see of remembering agent objects is there, with the options of the runner."""
    refused = {"conversation_id", "previous_response_id", "auto_previous_response_id"}
    theirs = set(inspect.signature(Runner.run).parameters) - {"starting_agent", "input"} - refused
    assert set(typing.get_type_hints(DelegateOptions)) == theirs | {"session", "turn_id"}
    for methods, agent in ((DelegateMethods, sdk_agent()), (StatefulMethods, graph())):
        names = [name for name in vars(methods) if not name.startswith("_")]
        assert len(names) > 3
        assert all(callable(getattr(with_session(agent), name)) for name in names)

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true, reportMissingTypeStubs=false
"""What type checkers make of remembering agent objects, of frameworks too; never executed.

A line with an ignore is a wrong call: where a checker finds nothing wrong, it reports the comment.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, assert_type

import agent_framework
import agents
import pydantic_ai
import strands
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langgraph.graph import MessagesState
from langgraph.graph.state import CompiledStateGraph
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from pydantic import BaseModel
from pydantic_ai import AgentRunEvents, AgentRunResult
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationStore
from strands.agent.agent_result import AgentResult
from strands.types.event_loop import StopReason

from memwrap import Item, SQLiteSession, SQLiteStore, use_session, with_session
from memwrap.adapters import agent_framework as framework
from memwrap.adapters import langchain, langgraph, llama_index, plain
from memwrap.adapters import strands as strands_adapter
from memwrap.adapters.agent_framework import MemwrapHistoryProvider
from memwrap.adapters.langchain import (
    SessionChatMessageHistory,
    from_runnable_with_history,
    import_histories,
    session_from_history,
)
from memwrap.adapters.langchain import portable as langchain_portable
from memwrap.adapters.langgraph import portable as langgraph_portable
from memwrap.adapters.llama_index import MemwrapMemory as LlamaIndexMemory
from memwrap.adapters.pydantic_ai import MemwrapConversationStore, MemwrapMemory
from memwrap.adapters.strands import MemwrapSessionManager
from memwrap.signatures_of_objects import RunState, SessionDelegate, SessionStateful
from memwrap.signatures_of_runs import SessionConversing, SessionProvided
from memwrap.signatures_of_workflows import SessionStepwise
from memwrap.testing import ScriptedAgent
from memwrap.types import AgentAdapter, Kind, Method, Methods, PutBack

session = SQLiteSession("s1", "chat.db")
store = SQLiteStore("chat.db")


@with_session
async def bare(items: list[Item], tone: str = "kind", *, loud: bool = False) -> str:
    return tone


class Agent:
    name = "support"

    async def run(self, items: list[Item]) -> str:
        return ""


class CallableAgent:
    name = "support"

    async def __call__(self, items: list[Item], tone: str = "kind") -> str:
        return tone


async def objects() -> None:
    assert_type(with_session(Agent()), Agent)
    assert_type(with_session(session=session)(Agent()), Agent)
    assert_type(await with_session(CallableAgent())("Hello", "rude"), str)
    assert_type(await with_session(CallableAgent())("Hello", session="s"), str)
    assert_type(await with_session(functools.partial(bare, loud=True))("Hello"), str)
    assert_type(await with_session(ScriptedAgent("x"))("Hello"), Any)


class Answering:
    """An adapter for agent objects, as somebody writes one."""

    def to_items(self, messages: Any, /, *, role: str = "user") -> list[Item]:
        return plain.to_items(messages, role=role)

    def from_items(self, items: Sequence[Item], /) -> list[Item]:
        return plain.from_items(items)

    def methods(self, agent: Any, /) -> Methods | None:
        remember = {"run": Method(agent.run, Kind.CALL, split=self.split, show=iter)}
        Methods("run", {"run": len})  # type: ignore[dict-item]
        Method(agent.run, Kind.CALL, present=iter)  # type: ignore[call-arg]
        return Methods("run", remember, {"name": agent.name})

    def answer(self, items: Sequence[Item], /) -> str:
        return str(items[-1]["content"])

    def split(self, input: Any) -> tuple[Any, PutBack]:
        return input.messages, lambda history, new: [*history, *new]


def adapters_of_agents(agent: Agent) -> None:
    adapter: AgentAdapter = Answering()
    assert_type(adapter.methods(agent), Methods | None)
    with_session(agent, adapter=adapter)
    with_session(agent, adapter=object())  # type: ignore[call-overload]


# The Agents SDK: agents get the methods of its runner, and fit where agents fit.
async def runs(agent: agents.Agent[str]) -> None:
    remembering = with_session(agent, store=store)
    assert_type(remembering, SessionDelegate)
    assert_type(with_session(store=store)(agent), SessionDelegate)
    print((await remembering.run("Hello", session="s", context="x")).final_output)
    print((await remembering("Hello", session=session, turn_id="t")).final_output)
    print(remembering.run_sync([{"role": "user", "content": "Hello"}], session="s").final_output)
    async for event in remembering.run_streamed("Hello", session="s").stream_events():
        print(event)
    assert_type(remembering.clone(name="other"), SessionDelegate)
    given: agents.Agent[str] = remembering
    await agents.Runner.run(remembering, "Hello")
    agents.Agent[str](name="front", handoffs=[remembering])
    print(given.tools, remembering.tools, remembering.name)


async def wrong_runs(agent: agents.Agent[str]) -> None:
    await with_session(agent).run(5)  # type: ignore[arg-type]
    await with_session(agent).run("Hello", session=5)  # type: ignore[arg-type]
    await with_session(agent).run("Hello", sesion="s")  # type: ignore[call-arg]
    with_session(agent).run_sync("Hello", turn_id=5)  # type: ignore[arg-type]
    with_session(agent).run_streamed("Hello", session=store)  # type: ignore[arg-type]
    await with_session(agent)("Hello", previous_response_id="r")  # type: ignore[call-arg]


# Pydantic AI: results, blocks and events keep their types, and agents fit where agents fit.
class City(BaseModel):
    name: str


async def prompts(agent: pydantic_ai.Agent[int, City]) -> None:
    remembering = with_session(agent, store=store, key="conversation_id")
    assert_type(await remembering.run("Hello", session="s", deps=1), AgentRunResult[City])
    assert_type(remembering.run_sync("Hello", session=None, turn_id="t"), AgentRunResult[City])
    assert_type(
        await with_session(store=store)(agent).run(["Hello"], session="s"), AgentRunResult[City]
    )
    async with remembering.run_stream("Hello", session=session, deps=1) as result:
        assert_type(await result.get_output(), City)
    async with remembering.run_stream_events("Hello", session="s") as events:
        assert_type(events, AgentRunEvents[City])
    async with remembering.on("s", turn_id="t").iter(None) as run:
        assert_type(run.result, AgentRunResult[City] | None)
    given: pydantic_ai.Agent[int, City] = remembering
    print(given.name, remembering.tool, remembering.toolsets)
    plugged = pydantic_ai.Agent("test", capabilities=[MemwrapMemory(store)])
    await plugged.run("Hello", conversation_id="c")
    conversations: ConversationStore = MemwrapConversationStore(store)
    assert_type(await conversations.load("c"), Conversation | None)


async def wrong_prompts(agent: pydantic_ai.Agent) -> None:
    await with_session(agent).run("Hello", session=5)  # type: ignore[arg-type]
    with_session(agent).run_sync("Hello", turn_id=5)  # type: ignore[arg-type]
    with_session(agent).iter()  # type: ignore[call-arg]


# The Agents SDK's sessions and memwrap's fit in each other's places.
def sessions_fit(theirs: agents.Session, ours: SQLiteSession, agent: agents.Agent) -> None:
    agents.Runner.run_sync(agent, "Hello", session=ours)
    with_session(agent, session=theirs)
    use_session(theirs)


# LangChain: runnables keep their type, sessions and histories fit in each other's places.
async def chains(runnable: RunnableLambda[Any, str], history: BaseChatMessageHistory) -> None:
    assert_type(with_session(runnable, store=store, key="session_id"), RunnableLambda[Any, str])
    with_session(runnable, adapter=langchain)
    with_session(runnable, adapter=langchain_portable)
    made = from_runnable_with_history(runnable, store, input_messages_key="question")
    assert_type(made, RunnableLambda[Any, str])

    def history_of(session_id: str) -> BaseChatMessageHistory:
        return history

    from_runnable_with_history(runnable, history_of)
    from_runnable_with_history(runnable, store.session)
    from_runnable_with_history(runnable, store, "question")  # type: ignore[call-arg]
    use_session(session_from_history(history, rewrite=True))
    assert_type(await SessionChatMessageHistory(session).aget_messages(), list[BaseMessage])
    report = await import_histories([("id", "{}")], store)
    assert_type(report.items_added, int)


# LangGraph: a remembering graph takes states and messages, and tells what is new in its state.
Graph = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]


async def graphs(graph: Graph) -> None:
    remembering = with_session(graph, store=store, key="thread_id")
    assert_type(remembering, SessionStateful)
    state = await remembering.ainvoke({"messages": [HumanMessage("Hello")]}, session="s")
    assert_type(state, RunState)
    assert_type(state.new_messages, list[Any])
    assert_type(remembering.invoke("Hello", session="s", turn_id="t")["messages"], Any)
    config = {"configurable": {"thread_id": "s"}}
    async for event in remembering.astream("Hello", config, stream_mode="updates"):
        print(event)
    assert_type(await remembering.abatch(["a", "b"], session=["s", "t"]), list[RunState])
    given: Graph = remembering
    print(given.get_graph(), remembering.get_graph())
    await remembering.ainvoke("Hello", session=5)  # type: ignore[arg-type]
    remembering.stream("Hello", turn_id=5)  # type: ignore[arg-type]
    remembering.batch("Hello", session=5)  # type: ignore[arg-type]
    with_session(graph, adapter=langgraph)
    with_session(graph, adapter=langgraph_portable)
    assert_type(langgraph.answer([]).new_messages, list[BaseMessage])


# Agent Framework: agents take memwrap's sessions, and its provider fits among their own.
async def provided(agent: agent_framework.Agent) -> None:
    remembering: SessionProvided = with_session(agent, store=store)  # mypy infers any type
    print((await remembering.run("Hello", session="s", turn_id="t")).text)
    stream = remembering.run("Hello", stream=True, session=session)
    async for update in stream:
        print(update.text)
    print((await stream.get_final_response()).text)
    async with remembering as opened:
        await opened.run("Hello", session="s")
    given: agent_framework.Agent = remembering
    print(given.name, remembering.name)
    with_session(agent, adapter=framework)
    provider: agent_framework.HistoryProvider = MemwrapHistoryProvider(store, store_inputs=False)
    print(provider.source_id)
    remembering.run("Hello", session=5)  # type: ignore[call-overload]
    remembering.run("Hello", turn_id=5)  # type: ignore[call-overload]


# Strands: agents are called, awaited and streamed, with the framework's own results.
async def conversing(agent: strands.Agent) -> None:
    remembering = with_session(agent, store=store)
    assert_type(remembering, SessionConversing[AgentResult])
    assert_type(with_session(store=store)(agent), SessionConversing[AgentResult])
    assert_type(await remembering.invoke_async("Hello", session="s"), AgentResult)
    assert_type(remembering("Hello", session="s", turn_id="t").stop_reason, StopReason)
    async for event in remembering.stream_async("Hello", session=session):
        print(event["data"])
    given: strands.Agent = remembering
    print(given.messages, remembering.messages)
    with_session(agent, adapter=strands_adapter)
    strands.Agent(session_manager=MemwrapSessionManager("s", store))
    await remembering.invoke_async("Hello", session=5)  # type: ignore[arg-type]
    remembering.stream_async("Hello", turn_id=5)  # type: ignore[arg-type]


# LlamaIndex: agents and workflows of agents return a handler, and fit where agents fit.
async def workflows(agent: FunctionAgent, flow: AgentWorkflow) -> None:
    remembering = with_session(agent, store=store)
    assert_type(remembering, SessionStepwise)
    assert_type(with_session(store=store)(flow), SessionStepwise)
    handler = remembering.run("Hello", session="s", turn_id="t")
    async for event in handler.stream_events():
        print(event)
    print((await handler).response, await with_session(flow).run(user_msg="Hello", session=session))
    print(await remembering.on("s", turn_id="t").run("Hello", max_iterations=3))
    given: FunctionAgent = remembering
    print(given.tools, AgentWorkflow([given]), LlamaIndexMemory(session).get())
    remembering.run("Hello", session=5)  # type: ignore[arg-type]
    remembering.run("Hello", turn_id=5)  # type: ignore[arg-type]
    remembering.on(5)  # type: ignore[arg-type]
    LlamaIndexMemory.from_defaults(session=5)  # type: ignore[arg-type]
    with_session(agent, adapter=llama_index)

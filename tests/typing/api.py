# pyright: reportUnnecessaryTypeIgnoreComment=true
"""What type checkers make of the public interface; never executed.

A line with an ignore is a wrong call: where a checker finds nothing wrong, it reports the comment.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import aclosing
from typing import Any, assert_type

import agents
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableLambda

import memwrap
from memwrap import (
    Adapter,
    Event,
    Handler,
    InMemorySession,
    InMemoryStore,
    Input,
    Item,
    Middleware,
    Send,
    Session,
    SessionInfo,
    SessionSettings,
    SQLiteSession,
    SQLiteStore,
    Store,
    Turn,
    TurnNotSaved,
    current_session,
    current_turn,
    record,
    use_session,
    with_session,
)
from memwrap.adapters import adapter_for, chat, langchain, langgraph, plain
from memwrap.adapters.langchain import (
    SessionChatMessageHistory,
    from_runnable_with_history,
    import_histories,
    session_from_history,
)
from memwrap.adapters.langchain import portable as langchain_portable
from memwrap.adapters.langgraph import portable as langgraph_portable
from memwrap.middleware import Log, Memory, Redact, Trim
from memwrap.testing import FlakySession, ScriptedAgent, SessionContract
from memwrap.turn import Kept, View
from memwrap.types import AgentAdapter, Kind, Method, Methods, PutBack, SessionLike

session = SQLiteSession("s1", "chat.db")
store = SQLiteStore("chat.db")


# Functions


@with_session
async def bare(items: list[Item], tone: str = "kind", *, loud: bool = False) -> str:
    return tone


@with_session(session=session, middleware=[Log(), Trim(max_items=20)])
async def configured(items: list[Item], user: int) -> dict[str, str]:
    return {}


@with_session
async def declares(items: list[Item], *, lang: str, session: SessionLike = None) -> str:
    return lang


@with_session
def sync(items: list[Item], tone: str = "kind") -> bytes:
    return b""


async def functions() -> None:
    assert_type(await bare("Hello"), str)
    assert_type(await bare("Hello", "rude", loud=True), str)
    assert_type(await bare({"role": "user", "content": "Hello"}), str)
    assert_type(await bare([{"role": "user", "content": "Hello"}]), str)
    assert_type(await bare("Hello", session=session), str)
    assert_type(await bare("Hello", session="user_123"), str)
    assert_type(await bare("Hello", session=None), str)
    assert_type(await bare("Hello", "rude", session=session, loud=True), str)
    assert_type(await configured("Hello", 1), dict[str, str])
    assert_type(await configured("Hello", user=1, session="s"), dict[str, str])
    assert_type(await declares("Hello", lang="en"), str)
    assert_type(await declares("Hello", lang="en", session="s"), str)
    assert_type(sync("Hello"), bytes)
    assert_type(sync("Hello", "rude", session=InMemorySession("s")), bytes)


async def wrong_calls_of_functions() -> None:
    await bare()  # type: ignore[call-overload]
    await bare(5)  # type: ignore[call-overload]
    await bare(None)  # type: ignore[call-overload]
    await bare([5])  # type: ignore[list-item]
    await bare("Hello", 5)  # type: ignore[call-overload]
    await bare("Hello", loud="yes")  # type: ignore[call-overload]
    await bare("Hello", shout=True)  # type: ignore[call-overload]
    await bare("Hello", session=5)  # type: ignore[call-overload]
    await bare("Hello", session=SQLiteSession)  # type: ignore[call-overload]
    await bare("Hello", session=store)  # type: ignore[call-overload]
    await configured("Hello")  # type: ignore[call-overload]
    await configured("Hello", "1")  # type: ignore[call-overload]
    sync("Hello", 5)  # type: ignore[call-overload]
    await sync("Hello")  # type: ignore[misc]


# Streams


@with_session
async def stream(items: list[Item], tone: str = "kind") -> AsyncGenerator[str, None]:
    yield tone


@with_session(store=store)
async def iterator(items: list[Item]) -> AsyncIterator[int]:
    yield 1


@with_session
def sync_stream(items: list[Item]) -> Generator[str, None, None]:
    yield ""


async def streams() -> None:
    assert_type(stream("Hello", "rude"), AsyncGenerator[str, None])
    async for event in stream("Hello", session=session):
        assert_type(event, str)
    async for number in iterator("Hello", session="s"):
        assert_type(number, int)
    for text in sync_stream("Hello", session=session):
        assert_type(text, str)
    async with aclosing(stream("Hello", session=None)) as events:
        assert_type(await anext(events), str)


async def wrong_calls_of_streams() -> None:
    stream("Hello", 5)  # type: ignore[call-overload]
    stream(5)  # type: ignore[call-overload]
    stream("Hello", session=5)  # type: ignore[call-overload]
    await stream("Hello")  # type: ignore[misc]
    async for _ in bare("Hello"):  # type: ignore[attr-defined]
        pass


# Methods


class Desk:
    @with_session
    async def reply(self, items: list[Item], *, lang: str = "en") -> str:
        return lang

    @with_session(session=session)
    async def count(self, items: list[Item], least: int) -> int:
        return least

    @with_session
    async def narrate(self, items: list[Item]) -> AsyncGenerator[str, None]:
        yield ""

    @with_session
    def answer(self, items: list[Item]) -> str:
        return ""

    async def plain(self, items: list[Item]) -> str:
        return ""


async def methods(desk: Desk) -> None:
    assert_type(await desk.reply("Hello"), str)
    assert_type(await desk.reply("Hello", lang="de", session="s"), str)
    assert_type(await desk.count("Hello", 1), int)
    assert_type(await Desk.reply(desk, "Hello", session=session), str)
    assert_type(desk.answer("Hello", session=session), str)
    async for event in desk.narrate("Hello", session=session):
        assert_type(event, str)
    bound = with_session(desk.plain, session=session)
    assert_type(await bound("Hello"), str)


async def wrong_calls_of_methods(desk: Desk) -> None:
    await desk.reply(5)  # type: ignore[call-overload]
    await desk.reply("Hello", lang=5)  # type: ignore[call-overload]
    await desk.reply("Hello", session=5)  # type: ignore[call-overload]
    await desk.count("Hello")  # type: ignore[call-overload]
    await desk.count("Hello", "1")  # type: ignore[call-overload]
    await Desk.reply("Hello", session=session)  # type: ignore[call-arg, arg-type]


# Objects


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


# Options


async def layer(turn: Turn, send: Send, handler: Handler) -> None:
    async def louder(event: Event) -> None:
        await send(event)

    assert_type(turn.history, list[Item])
    assert_type(turn.session_id, str | None)
    await handler(turn, louder)


class Layer:
    async def __call__(self, turn: Turn, send: Send, handler: Handler) -> None:
        await handler(turn, send)


async def not_a_layer(turn: Turn, call_next: Handler) -> None: ...


async def agent(items: list[Item], user: str = "") -> str:
    return user


def options(adapter: Adapter) -> None:
    with_session(agent, session=session, store=store, key="user", adapter=adapter)
    with_session(agent, session="s", store=InMemoryStore())
    with_session(agent, session=None, store=InMemorySession)
    with_session(agent, store=lambda session_id: SQLiteSession(session_id))
    with_session(agent, middleware=[layer, Layer(), Memory(), Log(), Trim(max_turns=3)])
    with_session(agent, middleware=(layer,))
    with_session(agent, adapter=chat)
    with_session(session=session)(agent)
    layers: list[Middleware] = [layer, Redact([r"\d+"])]
    with_session(agent, middleware=layers)


def wrong_options() -> None:
    with_session(agent, session=5)  # type: ignore[call-overload]
    with_session(agent, sesion=session)  # type: ignore[call-overload]
    with_session(agent, store="chat.db")  # type: ignore[call-overload]
    with_session(agent, key=5)  # type: ignore[call-overload]
    with_session(agent, adapter=5)  # type: ignore[call-overload]
    with_session(agent, middleware=[5])  # type: ignore[list-item]
    with_session(agent, middleware=[not_a_layer])  # type: ignore[list-item]
    with_session(agent, middleware=layer)  # type: ignore[call-overload]
    with_session(agent, middleware=[Memory])  # type: ignore[list-item]
    with_session(store="chat.db")  # type: ignore[call-overload]
    with_session(agent, session)  # type: ignore[call-overload]


# The rest


class FourMethods:
    """A session of somebody's own."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id

    async def get_items(self, limit: int | None = None) -> list[Item]:
        return []

    async def add_items(self, items: list[Item]) -> None: ...

    async def pop_item(self) -> Item | None:
        return None

    async def clear_session(self) -> None: ...


class ThreeMethods:
    session_id = "s"

    async def get_items(self, limit: int | None = None) -> list[Item]:
        return []

    async def add_items(self, items: list[Item]) -> None: ...

    async def pop_item(self) -> Item | None:
        return None


async def sessions() -> None:
    found: Session = FourMethods("s")
    found = InMemorySession("s", session_settings=SessionSettings(limit=3))
    found = FlakySession()
    assert_type(await found.get_items(limit=3), list[Any])
    assert_type(await found.pop_item(), Any)
    await bare("Hello", session=FourMethods("s"))
    await bare("Hello", session=ThreeMethods())  # type: ignore[call-overload]
    wrong: Session = ThreeMethods()  # type: ignore[assignment]
    await wrong.add_items("Hello")  # type: ignore[arg-type]


async def stores(given: Store) -> None:
    assert_type(given.session("s"), Session)
    given = InMemoryStore()
    given = store
    async with SQLiteStore("chat.db") as opened:
        assert_type(opened, SQLiteStore)
        assert_type(await opened.sessions(prefix="user:", limit=3), list[SessionInfo])


async def surroundings() -> None:
    with use_session(session), use_session("s"), use_session(None) as given:
        assert_type(given, SessionLike)
    assert_type(current_session(), Session | None)
    assert_type(current_turn(), Turn | None)
    record("text")
    use_session(5)  # type: ignore[arg-type]


async def once() -> None:
    assert_type(await memwrap.run(agent, "Hello", session=session), Any)
    assert_type(memwrap.run_sync(agent, "Hello", session=session), Any)


async def errors(error: TurnNotSaved) -> None:
    assert_type(error.items, list[Item])
    await error.retry()


def adapters(message: object) -> None:
    assert_type(adapter_for(message), Adapter | None)
    assert_type(plain.to_items(message, role="assistant"), list[Item])
    given: Input = "text"
    given = [{"role": "user", "content": "text"}]
    plain.to_items(given)
    plain.to_items(message, "assistant")  # type: ignore[call-arg]


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


def adapters_of_agents(agent: Desk) -> None:
    adapter: AgentAdapter = Answering()
    assert_type(adapter.methods(agent), Methods | None)
    with_session(agent, adapter=adapter)
    with_session(agent, adapter=object())  # type: ignore[call-overload]


async def hooks(turn: Turn, send: Send, handler: Handler) -> None:
    def shorter(view: View) -> View:
        return View(view.history[-2:], view.input)

    def kept(kept: Kept) -> Kept:
        assert_type(kept.new_items, list[Item])
        return kept._replace(input=[])

    def flat(items: list[Item]) -> list[Item]:
        return items

    turn.before_agent.append(shorter)
    turn.before_save.append(kept)
    turn.before_save.append(flat)  # type: ignore[arg-type]
    turn.before_agent.append(kept)  # type: ignore[arg-type]
    await handler(turn, send)


async def replays(items: list[Item]) -> None:
    assert_type(await bare(memwrap.replayed(items), session=session), str)


class TestFourMethods(SessionContract):
    def session(self, session_id: str) -> Session:
        return FourMethods(session_id)


memwrap.with_sesion  # type: ignore[attr-defined]


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
    from_runnable_with_history(runnable, lambda session_id: history)
    from_runnable_with_history(runnable, store.session)
    from_runnable_with_history(runnable, store, "question")  # type: ignore[call-arg]
    use_session(session_from_history(history, rewrite=True))
    assert_type(await SessionChatMessageHistory(session).aget_messages(), list[BaseMessage])
    report = await import_histories([("id", "{}")], store)
    assert_type(report.items_added, int)


async def graphs(graph: Any) -> None:
    with_session(graph, adapter=langgraph)
    with_session(graph, adapter=langgraph_portable)
    assert_type(langgraph.answer([]).new_messages, list[BaseMessage])


async def turn_ids() -> None:
    assert_type(await bare("Hello", turn_id="t1"), str)
    assert_type(await bare("Hello", session="s", turn_id="t1"), str)
    await bare("Hello", turn_id=1)  # type: ignore[call-overload]

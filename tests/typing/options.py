# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers make of the options of `with_session`, and of `run`; never executed.

A line with an ignore is a wrong call: where a checker finds nothing wrong, it reports the comment.
"""

from __future__ import annotations

from typing import Any, assert_type

import agents

import memwrap
from memwrap import (
    Adapter,
    Event,
    Handler,
    InMemorySession,
    InMemoryStore,
    Item,
    Middleware,
    Send,
    SQLiteSession,
    SQLiteStore,
    Turn,
    with_session,
)
from memwrap.adapters import chat
from memwrap.middleware import Log, Memory, Redact, Trim
from memwrap.turn import Kept, View

session = SQLiteSession("s1", "chat.db")
store = SQLiteStore("chat.db")


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
    with_session(agent, store=5)  # type: ignore[call-overload]
    with_session(agent, key=5)  # type: ignore[call-overload]
    with_session(agent, adapter=5)  # type: ignore[call-overload]
    with_session(agent, middleware=[5])  # type: ignore[list-item]
    with_session(agent, middleware=[not_a_layer])  # type: ignore[list-item]
    with_session(agent, middleware=layer)  # type: ignore[call-overload]
    with_session(agent, middleware=[Memory])  # type: ignore[list-item]
    with_session(store=5)  # type: ignore[call-overload]
    with_session(agent, session)  # type: ignore[call-overload]


def sync(items: list[Item]) -> bytes:
    return b""


async def needs(items: list[Item], user: str) -> str:
    return user


remembering = with_session(agent, store=store)


async def once(object: agents.Agent[None]) -> None:
    assert_type(await memwrap.run(agent, "Hello", session=session), str)
    assert_type(await memwrap.run(agent, "Hello", session="s", store=store, turn_id="t"), str)
    assert_type(await memwrap.run(remembering, "Hello", session="s"), str)
    assert_type(await memwrap.run(sync, "Hello", middleware=[Log()], adapter=chat), bytes)
    assert_type(await memwrap.run(object, "Hello", session=session), Any)
    assert_type(memwrap.run_sync(agent, "Hello", session=session), str)
    assert_type(memwrap.run_sync(remembering, "Hello", session="s"), str)
    assert_type(memwrap.run_sync(sync, "Hello"), bytes)
    assert_type(memwrap.run_sync(object, "Hello", session=session), Any)


async def wrong_runs(object: agents.Agent[None]) -> None:
    await memwrap.run(agent, "Hello", sesion="s")  # type: ignore[call-overload]
    await memwrap.run(agent, "Hello", session=5)  # type: ignore[call-overload]
    await memwrap.run(remembering, "Hello", sesion="s")  # type: ignore[call-overload]
    await memwrap.run(object, "Hello", sesion="s")  # type: ignore[call-overload]
    await memwrap.run(agent)  # type: ignore[call-overload]
    memwrap.run_sync(agent, "Hello", turn_id=5)  # type: ignore[call-overload]
    memwrap.run_sync(agent, "Hello", stor=store)  # type: ignore[call-overload]
    memwrap.run_sync(sync, "Hello", adapter=5)  # type: ignore[call-overload]


async def hooks(turn: Turn, send: Send, handler: Handler) -> None:
    def shorter(view: View) -> View:
        return View(view.history[-2:], view.input)

    def kept(kept: Kept) -> Kept:
        assert_type(kept.new_items, list[Item])
        return kept._replace(input=[])

    def flat(items: list[Item]) -> list[Item]:
        return items

    def nothing(view: View) -> None:
        print(view.history[-1], view.input)

    turn.before_agent.append(shorter)
    turn.before_agent.append(lambda view: view._replace(history=[]))
    turn.before_agent.append(nothing)  # type: ignore[arg-type]
    turn.before_save.append(kept)
    turn.before_save.append(flat)  # type: ignore[arg-type]
    turn.before_agent.append(kept)  # type: ignore[arg-type]
    await handler(turn, send)

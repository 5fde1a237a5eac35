# pyright: strict, reportUnnecessaryTypeIgnoreComment=true, reportMissingTypeStubs=false
"""What type checkers make of agents that are bound to a session by `on`; never executed.

A line with an ignore is a wrong call: where a checker finds nothing wrong, it reports the comment.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, assert_type

import agents
from langgraph.graph import MessagesState
from langgraph.graph.state import CompiledStateGraph

import memwrap
from memwrap import Item, SQLiteStore, with_session
from memwrap.types import SessionLike

store = SQLiteStore("chat.db")


@with_session(store=store, key="user_id")
async def desk(items: list[Item], *, user_id: str, tone: str = "kind") -> str:
    return tone


@with_session(store=store)
async def easy(items: list[Item], tone: str = "kind") -> str:
    return tone


@with_session
async def declares(items: list[Item], *, lang: str, session: SessionLike = None) -> str:
    return lang


@with_session
async def stream(items: list[Item], least: int = 1) -> AsyncGenerator[int, None]:
    yield least


@with_session
def sync(items: list[Item]) -> bytes:
    return b""


async def functions() -> None:
    assert_type(await desk.on("s")("Hello", user_id="u"), str)
    assert_type(await desk.on(store.session("s"), turn_id="t")("Hello", user_id="u"), str)
    assert_type(await desk.on(None)([{"role": "user", "content": "Hello"}], user_id="u"), str)
    assert_type(await easy.on(session="s")("Hello", "rude"), str)
    assert_type(await easy.on("s").on("other")("Hello", tone="rude"), str)
    assert_type(await declares.on("s")("Hello", lang="en"), str)
    assert_type(sync.on("s")("Hello"), bytes)
    async for number in stream.on("s")("Hello", 3):
        assert_type(number, int)
    assert_type(await memwrap.run(easy.on("s"), "Hello"), str)


async def wrong_calls_of_functions() -> None:
    bound = desk.on("s")
    await bound("Hello", user_id="u", tone=3)  # type: ignore[arg-type]
    await bound("Hello")  # type: ignore[call-arg]
    await bound("Hello", user_id="u", usr_id="x")  # type: ignore[call-arg]
    await bound("Hello", "stray", user_id="u")  # type: ignore[misc]
    await bound(5, user_id="u")  # type: ignore[arg-type]
    await bound("Hello", user_id="u", session="other")  # type: ignore[call-arg]
    await bound("Hello", user_id="u", turn_id="t")  # type: ignore[call-arg]
    await sync.on("s")("Hello")  # type: ignore[misc]
    stream.on("s")("Hello", "3")  # type: ignore[arg-type]


def wrong_bindings() -> None:
    desk.on()  # type: ignore[call-arg]
    desk.on(5)  # type: ignore[arg-type]
    desk.on(store)  # type: ignore[arg-type]
    desk.on("s", "t1")  # type: ignore[call-arg]
    desk.on("s", turn_id=5)  # type: ignore[arg-type]
    desk.on("s").on(5)  # type: ignore[arg-type]
    desk.on("s").on("t", turn_id=5)  # type: ignore[arg-type]
    Shop.reply.on(5)  # type: ignore[arg-type]
    Shop.reply.on("s", turn_id=5)  # type: ignore[arg-type]


class Shop:
    @with_session
    async def reply(self, items: list[Item], lang: str) -> str:
        return lang

    @with_session
    @classmethod
    async def about(cls, items: list[Item], lang: str = "en") -> str:
        return lang

    @staticmethod
    @with_session
    async def open(items: list[Item], day: int) -> int:
        return day


async def methods(shop: Shop) -> None:
    assert_type(await shop.reply.on("s")("Hello", "en"), str)
    assert_type(await Shop.reply.on("s")(shop, "Hello", lang="en"), str)
    assert_type(await Shop.about.on("s")("Hello", lang="en"), str)
    assert_type(await Shop.open.on("s", turn_id="t")("Hello", 1), int)


async def wrong_calls_of_methods(shop: Shop) -> None:
    await shop.reply.on("s")("Hello")  # type: ignore[call-arg]
    await shop.reply.on("s")("Hello", 5)  # type: ignore[arg-type]
    await Shop.reply.on("s")("Hello", "en")  # type: ignore[call-arg, arg-type]
    await Shop.about.on("s")("Hello", lang=5)  # type: ignore[arg-type]
    await Shop.open.on("s")("Hello", dai=1)  # type: ignore[call-arg]


Graph = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]


async def objects(agent: agents.Agent[None], graph: Graph) -> None:
    await with_session(agent, store=store).on("s", turn_id="t").run("Hello", max_turns=3)
    with_session(agent, store=store).on(5)  # type: ignore[arg-type]
    state = await with_session(graph, store=store).on("s").ainvoke("Hello")
    assert_type(state.new_messages, list[Any])

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers make of remembering functions and streams; never executed.

A line with an ignore is a wrong call: where a checker finds nothing wrong, it reports the comment.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import aclosing
from typing import assert_type

from langchain_core.messages import BaseMessage
from openai.types.chat import ChatCompletionMessageParam

import memwrap
from memwrap import InMemorySession, Item, SQLiteSession, SQLiteStore, with_session
from memwrap.adapters import chat, langchain
from memwrap.middleware import Log, Trim
from memwrap.types import SessionLike

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


async def turn_ids() -> None:
    assert_type(await bare("Hello", turn_id="t1"), str)
    assert_type(await bare("Hello", session="s", turn_id="t1"), str)
    await bare("Hello", turn_id=1)  # type: ignore[call-overload]


async def replays(items: list[Item]) -> None:
    assert_type(await bare(memwrap.replayed(items), session=session), str)


# Messages of a dialect, as its own package types them


@with_session(store=store, adapter=chat)
async def chats(messages: list[ChatCompletionMessageParam], tone: str = "kind") -> str:
    return tone


@with_session(store=store, adapter=langchain)
async def chains(messages: list[BaseMessage]) -> str:
    return messages[-1].text


async def raw_chats(messages: list[ChatCompletionMessageParam]) -> int:
    return len(messages)


class Front:
    @with_session
    async def chains(self, messages: list[BaseMessage]) -> str:
        return messages[-1].text

    @with_session(adapter=langchain)
    async def configured(self, messages: list[BaseMessage]) -> str:
        return messages[-1].text


async def dialects() -> None:
    assert_type(await with_session(raw_chats, adapter=chat)("Hello", session="s"), int)
    assert_type(await Front().chains("Hello", session="s"), str)
    assert_type(await Front().configured("Hello", session="s"), str)
    assert_type(await chats("Hello", session="s"), str)
    assert_type(await chains("Hello", session="s"), str)
    await chats("Hello", 5)  # type: ignore[call-overload]
    await chains("Hello", session=5)  # type: ignore[call-overload]


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

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers make of remembering methods, class methods and static methods; never executed.

A line with an ignore is a wrong call: where a checker finds nothing wrong, it reports the comment.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import assert_type

from memwrap import Item, SQLiteSession, SQLiteStore, with_session

session = SQLiteSession("s1", "chat.db")
store = SQLiteStore("chat.db")


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


# Class methods and static methods, in both orders


class Shop:
    @classmethod
    @with_session(store=store)
    async def below(cls, items: list[Item], lang: str = "en") -> str:
        return lang

    @with_session(store=store)
    @classmethod
    async def above(cls, items: list[Item], lang: str = "en") -> str:
        return lang

    @with_session
    @classmethod
    async def bare(cls, items: list[Item], least: int) -> int:
        return least

    @classmethod
    @with_session
    async def narrate(cls, items: list[Item]) -> AsyncGenerator[str, None]:
        yield ""

    @staticmethod
    @with_session(store=store)
    async def static_below(items: list[Item], lang: str = "en") -> str:
        return lang

    @with_session
    @staticmethod
    async def static_above(items: list[Item], lang: str = "en") -> str:
        return lang


class Branch(Shop):
    pass


async def class_methods(shop: Shop) -> None:
    assert_type(await Shop.below("Hello", session="s"), str)
    assert_type(await Shop.above("Hello", "de", session="s"), str)
    assert_type(await Shop.bare("Hello", 1), int)
    assert_type(await Branch.below("Hello", session="s"), str)
    assert_type(await shop.below("Hello", session="s"), str)
    assert_type(await Branch().above("Hello", turn_id="t", session="s"), str)
    assert_type(await Shop.static_below("Hello", session="s"), str)
    assert_type(await shop.static_above("Hello", "de", session="s"), str)
    async for event in Shop.narrate("Hello", session="s"):
        assert_type(event, str)


async def wrong_calls_of_class_methods(shop: Shop) -> None:
    await Shop.below(5, session="s")  # type: ignore[call-overload]
    await Shop.below("Hello", session=5)  # type: ignore[call-overload]
    await Shop.above("Hello", lang=5)  # type: ignore[call-overload]
    await Shop.bare("Hello")  # type: ignore[call-overload]
    await shop.above("Hello", "de", "at")  # type: ignore[call-overload]
    await Shop.static_below("Hello", lang=5)  # type: ignore[call-overload]
    await Shop.static_above("Hello", session=5)  # type: ignore[call-overload]

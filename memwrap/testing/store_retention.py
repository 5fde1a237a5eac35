"""How long a store keeps what it has: a part of the contract of stores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from memwrap.decorator import with_session
from memwrap.exceptions import LeaseLost
from memwrap.items import Item, assistant, user
from memwrap.sessions.copying import copy
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.in_memory import InMemoryStore
from memwrap.testing.session_contract import ODD_ITEMS, same
from memwrap.turn import Handler, Send, Turn
from memwrap.usage import Usage

__all__ = ["ODD_TEXTS", "StoreRetention", "answer"]

ODD_TEXTS = ["it's", '"', "%", "a\x00b", "\x00", "naïve 😀", "'; DROP TABLE x; --", "{tag}|", "\\0"]
_SHORT = 0.4  # seconds that a session lives in these tests


async def answer(items: list[Item]) -> str:
    """Answer with the number of messages."""
    return f"answer {len(items)}"


async def _noting(turn: Turn, send: Send, handler: Handler) -> None:
    """Note something of each turn, as layers do."""
    await handler(turn, send)
    turn.metadata["agent"] = "naïve \x00"
    turn.usage = Usage(10, 5, 3, 2, 1)


class StoreRetention:
    """What every store does to keep, remove and move what it has; see `StoreContract`.

    Attributes:
        searches: Whether a store that is made with ``search=True`` offers a search.
    """

    searches = True

    def store(self, **options: Any) -> DatabaseStore:
        """Return a store with options, such as ``ttl=``; nothing is in it when a test begins.

        All stores of one test are of one place.

        Raises:
            NotImplementedError: The test class does not say how its stores are made.
        """
        raise NotImplementedError("return a store of your own class here")

    def run(
        self, test: Callable[[DatabaseStore], Coroutine[Any, Any, None]], **options: Any
    ) -> None:
        """Run a test of a store that is made with these options."""

        async def run() -> None:
            async with self.store(**options) as store:
                await test(store)

        asyncio.run(run())

    async def talk(self, store: DatabaseStore, session_id: str, *turns: str) -> None:
        """Run turns of these ids in a session."""
        call = with_session(answer, store=store, middleware=[_noting])
        for turn in turns:
            await call(f"question {turn}", session=session_id, turn_id=turn)

    def test_old_sessions_are_purged(self) -> None:
        """What was not written to for long is removed, or shortened to its newest turns."""

        async def test(store: DatabaseStore) -> None:
            await self.talk(store, "s", "a", "b", "c")
            await self.talk(store, "t", "a")
            same(await store.purge(timedelta(hours=1)), 0)
            same(await store.purge(keep_turns=2, dry_run=True), 1)
            same(await store.purge(keep_turns=2), 1)
            same([turn.id for turn in await store.turns("s")], ["b", "c"])
            same(len(await store.get_items("s")), 4)
            await asyncio.sleep(0.05)
            same(await store.purge(0.02, dry_run=True), 2)
            same(await store.purge(0.02), 2)
            same(await store.sessions(), [])

        self.run(test)

    def test_running_turns_are_not_purged(self) -> None:
        """A session whose turn runs stays, and the turn is stored."""

        async def test(store: DatabaseStore) -> None:
            async def slow(items: list[Item]) -> str:
                await asyncio.sleep(0.05)
                same(await store.purge(0.01), 0)
                return str(len(items))

            await self.talk(store, "s", "a")
            same(await with_session(slow, store=store)("b", session="s"), "3")
            same(len(await store.get_items("s")), 4)

        self.run(test)

    def test_erased_is_erased(self) -> None:
        """Nothing of an owner is left, a turn that runs is not stored, and the receipt counts."""

        async def test(store: DatabaseStore) -> None:
            async def erasing(_: list[Item]) -> str:
                receipt = await store.erase(owner="ann")
                same((receipt.sessions, receipt.turns, receipt.items), (3, 3, 6))
                same(len(receipt.digests), 3)
                same("ann" in repr(receipt) or "secret-id" in repr(receipt), False)
                return "late"

            await self.talk(store, "secret-id", "a", "b")
            await self.talk(store, "t", "a")
            await store.update("secret-id", owner="ann", title="T")
            await store.update("t", owner="ann")
            await store.update("empty", owner="ann")
            await self.talk(store, "other", "a")
            try:
                await with_session(erasing, store=store)("c", session="secret-id")
            except LeaseLost as error:
                same(error.result, "late")
            else:
                raise AssertionError("what was erased came back")
            same([info.session_id for info in await store.sessions()], ["other"])
            same([await store.info(name) for name in ("secret-id", "t", "empty")], [None] * 3)
            same((await store.erase(session_id="other")).items, 2)
            same((await store.erase(session_id="other")).sessions, 0)

        self.run(test)

    def test_cleared_sessions_keep_their_owner(self) -> None:
        """What is added after a clearing is still its owner's; nothing else is kept."""

        async def test(store: DatabaseStore) -> None:
            await self.talk(store, "s", "a")
            await store.update("s", owner="ann", title="T", tags=["x"], metadata={"a": 1})
            await store.session("s").clear_session()
            await self.talk(store, "s", "a")
            info = await store.info("s")
            same(info and (info.owner, info.title, info.tags, info.metadata), ("ann", None, (), {}))
            same((await store.erase(owner="ann")).items, 2)

        self.run(test)

    def test_sessions_expire(self) -> None:
        """An expired session reads as empty, is not listed, and begins anew when written to."""

        async def test(store: DatabaseStore) -> None:
            same(store.promises.expires, True)
            await self.talk(store, "s", "a")
            await store.update("s", owner="ann")
            await self.talk(store, "t", "a")
            info = await store.info("s")
            same(info is not None and info.expires_at is not None, True)
            await asyncio.sleep(_SHORT + 0.1)
            session = store.session("s")
            same(
                (await store.sessions(), await store.info("s"), await store.turns("s")),
                ([], None, []),
            )
            same((await session.get_items(), await session.pop_item()), ([], None))
            await self.talk(store, "s", "b")
            same(await session.get_items(), [user("question b"), assistant("answer 1")])
            same([turn.number for turn in await store.turns("s")], [1])
            info = await store.info("s")
            same(info and info.owner, None)
            same(await store.purge(), 1)

        self.run(test, ttl=_SHORT)

    def test_copies_are_exact(self) -> None:
        """A copy to another store and back has the same items, turns and all that is known."""

        async def test(store: DatabaseStore) -> None:
            other = InMemoryStore()
            for name in ODD_TEXTS:
                await other.session(name).add_items(ODD_ITEMS)
                await self.talk(other, name, "a\x00", "b", "c")
                await other.update(name, title=name, owner=name, tags=[name], metadata={"a": 1})
            await other.fork(ODD_TEXTS[0], "fork", at=2)
            await other.session("long").add_items([user(str(number)) for number in range(150)])
            steps: list[Any] = []
            report = await copy(other, store, progress=steps.append)
            items = len(ODD_TEXTS) * (len(ODD_ITEMS) + 6) + len(ODD_ITEMS) + 4 + 150
            same((report.sessions, report.items, report.skipped), (len(ODD_TEXTS) + 2, items, 0))
            same(steps[-1], report)
            back = InMemoryStore()
            await copy(store, back)
            for name in (*ODD_TEXTS, "fork", "long"):
                same(repr(await back.get_items(name)), repr(await other.get_items(name)))
                found, expected = await back.turns(name), await other.turns(name)
                same(_told(found), _told(expected))
                same(_known(await back.info(name)), _known(await other.info(name)))
            call = with_session(answer, store=store)
            same(
                await call("question b", session="fork", turn_id="b"),
                f"answer {len(ODD_ITEMS) + 3}",
            )
            await self.talk(other, "long", "more")
            same((await copy(other, store)).items, 2)
            same((await copy(other, store)).skipped, len(ODD_TEXTS) + 2)

        self.run(test)


def _told(turns: list[Any]) -> list[Any]:
    return [(turn.id, turn.number, turn.item_count, turn.usage, turn.metadata) for turn in turns]


def _known(info: Any) -> Any:
    return (
        *(info.title, info.owner, info.tags, info.metadata, info.usage, info.item_count),
        *(info.turn_count, info.parent, info.parent_turn),
    )

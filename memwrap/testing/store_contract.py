"""The contract that every store of memwrap has to keep, as tests to inherit."""

from __future__ import annotations

import asyncio

from memwrap.decorator import with_session
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item, user
from memwrap.memory.undo import undo
from memwrap.sessions.database_store import DatabaseStore
from memwrap.testing.session_contract import ODD_ITEMS, same
from memwrap.testing.store_retention import ODD_TEXTS, StoreRetention, answer
from memwrap.usage import Usage

__all__ = ["StoreContract"]


class StoreContract(StoreRetention):
    """What every store has to do: subclass it, say how to make one, and let pytest run it.

    Attributes:
        searches: Whether a store that is made with ``search=True`` offers a search.
    """

    searches = True

    def test_sessions_are_listed_in_pages(self) -> None:
        """The newest comes first, pages follow each other, and empty sessions are left out."""

        async def test(store: DatabaseStore) -> None:
            for name in ("a1", "b", "a2", "a3"):
                await store.session(name).add_items([user(name)])
                await asyncio.sleep(0.002)
            await store.update("empty", owner="somebody")
            same([info.session_id for info in await store.sessions()], ["a3", "a2", "b", "a1"])
            page = await store.sessions("a", 2)
            same([info.session_id for info in page], ["a3", "a2"])
            same(await store.sessions(prefix="a", after="a2"), await store.sessions("a1"))
            await store.delete("a2")
            await store.session("a3").add_items([user("later")])
            left = await store.sessions("a", after=page[-1])
            same([info.session_id for info in left], ["a1"])
            await store.session("a1").pop_item()
            same(await store.sessions("a1"), [])

        self.run(test)

    def test_sessions_are_described(self) -> None:
        """What is said of a session comes back as it was, and what is left out stays."""

        async def test(store: DatabaseStore) -> None:
            metadata = {"n": [1, 2.5, None, True, 2**70], "naïve \x00": {"\ud800": "'"}}
            for name in ODD_TEXTS:
                await store.update(name, title=name, tags=[*ODD_TEXTS, name], owner=name)
                await store.update(name, metadata=metadata)
                await self.talk(store, name, "1")
                info = await store.info(name)
                if info is None:
                    raise AssertionError("a session is not known")
                same((info.title, info.owner, info.tags), (name, name, tuple(sorted(ODD_TEXTS))))
                same((info.metadata, info.item_count, info.turn_count), (metadata, 2, 1))
                same([one.session_id for one in await store.sessions(owner=name)], [name])
                same(len(await store.sessions(tag=name)), ODD_TEXTS.index(name) + 1)
            await store.update("'", title=None, owner=None, tags=[], metadata=None)
            same(await store.info("'"), None)

        self.run(test)

    def test_turns_are_listed(self) -> None:
        """Turns have numbers, items, times, and what layers noted; an undone one is gone."""

        async def test(store: DatabaseStore) -> None:
            await store.session("s").add_items([user("loose")])
            await self.talk(store, "s", "a\x00", "b", "c")
            turns = await store.turns("s")
            same([turn.id for turn in turns], ["a\x00", "b", "c"])
            same([turn.number for turn in turns], [1, 2, 3])
            same([turn.item_count for turn in turns], [2, 2, 2])
            same(turns[0].metadata, {"agent": "naïve \x00"})
            same(turns[0].usage, Usage(10, 5, 3, 2, 1))
            same(all(turn.started_at <= turn.stored_at for turn in turns), True)
            same(await store.turns("s", limit=1, before=turns[2]), [turns[1]])
            same(await store.turns("s", before=1), [])
            await undo(store.session("s"))
            await self.talk(store, "s", "d")
            same([(turn.id, turn.number) for turn in await store.turns("s", limit=1)], [("d", 3)])
            info = await store.info("s")
            same(info and info.usage, Usage(40, 20, 12, 8, 4))

        self.run(test)

    def test_items_are_read_in_pages(self) -> None:
        """Pages go backwards, each oldest first, until there is none."""

        async def test(store: DatabaseStore) -> None:
            items = [*ODD_ITEMS, *(user(str(number)) for number in range(5))]
            await store.session("s").add_items(items)
            found: list[Item] = []
            before: int | None = None
            while True:
                page = await store.get_items("s", limit=3, before=before)
                found = [*page, *found]
                before = page.before
                if before is None:
                    break
            same(repr(found), repr(items))
            same(await store.get_items("s"), items)

        self.run(test)

    def test_forks_begin_with_the_turns_of_another(self) -> None:
        """A fork has whole turns and the lineage; its parent stays; again is the same."""

        async def test(store: DatabaseStore) -> None:
            await self.talk(store, "s", "a", "b", "c")
            await store.update("s", owner="ann", title="T", tags=["x"])
            before = await store.get_items("s")
            for at in ("b", 2, (await store.turns("s"))[1]):
                fork = await store.fork("s", "f", at=at)
                same(await fork.get_items(), before[:4])
            await self.talk(store, "f", "d")
            again = await store.fork(store.session("s"), "f", at=2)
            same(len(await again.get_items()), 6)
            same(await store.get_items("s"), before)
            info = await store.info("f")
            same(info and (info.parent, info.parent_turn, info.owner), ("s", 2, "ann"))
            same([turn.id for turn in await store.turns("f")], ["a", "b", "d"])
            call = with_session(answer, store=store)
            same(await call("question a", session="f", turn_id="a"), "answer 1")
            whole = await store.fork("s", "g\x00")
            same(await whole.get_items(), before)
            for args in (("s", "f", 1), ("s", "x", 9), ("s", "x", "z"), ("none", "x", None)):
                try:
                    await store.fork(args[0], args[1], at=args[2])
                except ConfigurationError:
                    continue
                raise AssertionError(f"fork{args} was made")
            same(await store.info("x"), None)

        self.run(test)

    def test_items_are_found(self) -> None:
        """What all words are in is found, in any script, with its turn, until it is erased."""

        async def test(store: DatabaseStore) -> None:
            if not self.searches:
                return
            await store.update("s", owner="ann")
            await self.talk(store, "s", "Rückerstattung", "北京大学很好", "ภาษาไทย")
            await store.session("t").add_items([user("refund: OR AND NOT * \" ' % (x)")])
            for text, found in (
                ("ruckerstattung question", [("s", 1)]),
                ("RÜCK", [("s", 1)]),
                ("京大", [("s", 2)]),
                ("学", [("s", 2)]),
                ("ไทย", [("s", 3)]),
                ("大北", []),
                ('* " OR', [("t", None)]),
                ("%'", []),
                ("refund nothing", []),
            ):
                hits = await store.search(text)
                same([(hit.session_id, hit.turn) for hit in hits], found)
            same(len(await store.search("question", limit=2)), 2)
            same(await store.search("question", prefix="t"), [])
            same(len(await store.search("question", owner="ann")), 3)
            await undo(store.session("s"))
            same(await store.search("ไทย"), [])
            await store.delete("s")
            same(await store.search("question"), [])

        self.run(test, **({"search": True} if self.searches else {}))

    def test_search_is_refused_where_it_is_not_offered(self) -> None:
        """A store without a search says so."""

        async def test(store: DatabaseStore) -> None:
            try:
                await store.search("a")
            except ConfigurationError as error:
                same("offers no search" in str(error), True)
            else:
                raise AssertionError("the store searched")

        self.run(test)

"""The contract that every session has to keep, as tests to inherit."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Coroutine
from typing import Any

from memwrap.decorator import with_session
from memwrap.items import Item, assistant, user
from memwrap.sessions import Session
from memwrap.testing.doubles import ScriptedAgent

__all__ = ["ODD_ITEMS", "SessionContract"]

# What must come back as it went in.
ODD_ITEMS: list[Item] = [
    {"role": "user", "content": "naïve 😀 \x00 \u2028 \\u0041 '; DROP TABLE x; --"},
    {"content": "keys in another order", "role": "user"},
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1.0,  "b":[]}'},
    {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text"}]},
    {"type": "something_new", "unknown": {"deep": [None, True, False, 0, -1, 1.5, 10**30, ""]}},
]


def same(found: object, expected: object) -> None:
    """Fail unless both are equal; ``python -O`` would leave an ``assert`` out."""
    if found != expected:
        raise AssertionError(f"found {found!r} instead of {expected!r}")


class SessionContract:
    """What every session has to do: subclass it, say how to make one, and let pytest run it.

    Attributes:
        shared: Whether two objects with one id are one session.
    """

    shared = False

    def session(self, session_id: str) -> Session:
        """Return a session of that id, empty when a test begins.

        Raises:
            NotImplementedError: The test class does not say how its sessions are made.
        """
        raise NotImplementedError("return a session of your own class here")

    def _run(self, test: Callable[[Session], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(test(self.session("contract")))

    def test_new_session_is_empty(self) -> None:
        """A session that nothing was added to has no items, and none to pop."""

        async def test(session: Session) -> None:
            same(await session.get_items(), [])
            same(await session.pop_item(), None)
            await session.clear_session()

        self._run(test)

    def test_items_come_back_in_order(self) -> None:
        """Items of several appends come back oldest first."""

        async def test(session: Session) -> None:
            await session.add_items([user("1"), assistant("2")])
            await session.add_items([])
            await session.add_items([user("3")])
            same(await session.get_items(), [user("1"), assistant("2"), user("3")])

        self._run(test)

    def test_limit_returns_the_newest(self) -> None:
        """A limit returns the newest items, by position and by keyword, oldest of them first."""

        async def test(session: Session) -> None:
            items = [user(str(number)) for number in range(5)]
            await session.add_items(items)
            same(await session.get_items(2), items[-2:])
            same(await session.get_items(limit=5), items)
            same(await session.get_items(limit=99), items)
            same(await session.get_items(limit=0), [])

        self._run(test)

    def test_items_are_unchanged(self) -> None:
        """Whatever JSON holds comes back the same, key order and number types included."""

        async def test(session: Session) -> None:
            await session.add_items(ODD_ITEMS)
            found = await session.get_items()
            same(repr(found), repr(ODD_ITEMS))

        self._run(test)

    def test_pop_removes_the_newest(self) -> None:
        """Popping returns the items from the newest on, each once."""

        async def test(session: Session) -> None:
            await session.add_items([user("1"), assistant("2")])
            same(await session.pop_item(), assistant("2"))
            same(await session.get_items(), [user("1")])
            same(await session.pop_item(), user("1"))
            same(await session.pop_item(), None)

        self._run(test)

    def test_clear_removes_all(self) -> None:
        """A cleared session is as new, and goes on."""

        async def test(session: Session) -> None:
            await session.add_items([user("1")])
            await session.clear_session()
            same(await session.get_items(), [])
            await session.add_items([user("2")])
            same(await session.get_items(), [user("2")])

        self._run(test)

    def test_sessions_do_not_mix(self) -> None:
        """What one session does is not seen by another, however alike their ids are."""
        ids = ["contract", "contract ", "Contract", "contract%", "contract:messages", "'--"]
        sessions = [self.session(session_id) for session_id in ids]

        async def test() -> None:
            for session in sessions:
                await session.add_items([user(session.session_id)])
            await sessions[1].clear_session()
            for session in sessions:
                expected = [] if session is sessions[1] else [user(session.session_id)]
                same(await session.get_items(), expected)

        asyncio.run(test())

    def test_nothing_is_shared_with_callers(self) -> None:
        """Changing an item after adding or after reading it changes nothing stored."""

        async def test(session: Session) -> None:
            mine = {"role": "user", "content": [{"type": "input_text", "text": "before"}]}
            before = copy.deepcopy(mine)
            await session.add_items([mine])
            same(mine, before)
            mine["content"][0]["text"] = "after"  # type: ignore[index]
            found = await session.get_items()
            found[0]["content"][0]["text"] = "after"
            found.append(user("more"))
            same(await session.get_items(), [before])

        self._run(test)

    def test_works_on_several_event_loops(self) -> None:
        """One object serves one event loop after the other."""
        session = self.session("contract")
        for number in range(3):
            asyncio.run(session.add_items([user(str(number))]))
        found = asyncio.run(session.get_items())
        same(found, [user("0"), user("1"), user("2")])

    def test_appends_at_once_do_not_mix(self) -> None:
        """Items of one append stay together when many are added at once."""

        async def test(session: Session) -> None:
            await asyncio.gather(
                *(session.add_items([user(str(n)), assistant(str(n))]) for n in range(20))
            )
            found = await session.get_items()
            asked, answered = found[::2], found[1::2]
            same([item["content"] for item in asked], [item["content"] for item in answered])
            same(sorted(int(item["content"]) for item in asked), list(range(20)))

        self._run(test)

    def test_remembers_an_agent(self) -> None:
        """An agent sees in its second turn what was said in the first."""
        script = ScriptedAgent("first", "second")
        agent = with_session(script)

        async def test(session: Session) -> None:
            await agent("one", session=session)
            await agent("two", session=session)
            same(script.calls[1], [user("one"), assistant("first"), user("two")])

        self._run(test)

    def test_two_objects_are_one_session(self) -> None:
        """Objects with the same id see the same items, where the class says so."""
        one, other = self.session("contract"), self.session("contract")

        async def test() -> None:
            await one.add_items([user("1")])
            same(await other.get_items(), ([user("1")] if self.shared else []))

        asyncio.run(test())

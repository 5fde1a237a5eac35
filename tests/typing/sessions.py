# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers make of sessions, stores and what surrounds a call; never executed.

A line with an ignore is a wrong call: where a checker finds nothing wrong, it reports the comment.
"""

from __future__ import annotations

from typing import Any, assert_type

import memwrap
from memwrap import (
    Adapter,
    InMemorySession,
    InMemoryStore,
    Input,
    Item,
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
from memwrap.adapters import adapter_for, plain
from memwrap.testing import FlakySession, SessionContract
from memwrap.types import SessionLike

session = SQLiteSession("s1", "chat.db")
store = SQLiteStore("chat.db")


@with_session
async def bare(items: list[Item]) -> str:
    return ""


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


class TestFourMethods(SessionContract):
    def session(self, session_id: str) -> Session:
        return FourMethods(session_id)


memwrap.with_sesion  # type: ignore[attr-defined]

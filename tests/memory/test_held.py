"""A session that is held between turns."""

import asyncio

import pytest

from memwrap import SessionBusy, with_session
from memwrap.items import user
from memwrap.memory import held as module
from memwrap.memory.held import held
from memwrap.sessions.turns import TurnRecord


async def test_turns_wait_for_the_holder(store):
    """A turn of the session begins when the holder has let it go, and sees what it stored."""

    async def agent(items):
        return f"{len(items)} items"

    session = store.session("s")
    async with held(session) as (turns, opened):
        waiting = asyncio.create_task(with_session(agent, store=store)("two", session="s"))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        assert opened.history == []
        assert await turns.commit_turn(opened, [user("one")], TurnRecord())
    assert await waiting == "2 items"


async def test_holder_that_fails(store):
    """A session is free again when its holder has failed."""
    with pytest.raises(ZeroDivisionError):
        async with held(store.session("s")):
            raise ZeroDivisionError
    async with held(store.session("s")) as (_, opened):
        assert opened.history == []


async def test_holder_that_waits_too_long(store, monkeypatch):
    """Whoever waits too long for a session is told so."""
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    async with held(store.session("s")):
        with pytest.raises(SessionBusy):
            async with held(store.session("s")):
                pass

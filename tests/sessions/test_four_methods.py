"""Turns of sessions that have the four methods only, and the notes in their items."""

import asyncio
import copy

import pytest

from memwrap import InMemorySession
from memwrap.hidden.data import marked, marks_of
from memwrap.items import assistant, user
from memwrap.sessions.appending import never_waits
from memwrap.sessions.base import Promises
from memwrap.sessions.four_methods import FourMethodTurns, shielded, turns_of
from memwrap.sessions.turns import UNANSWERED, TurnRecord

SECRET = b"s" * 32
RECORD = TurnRecord("t", "print", "text", 1)
TURN = [user("1"), assistant("2")]


class Listed:
    """A session as people write one."""

    session_id = "s"

    def __init__(self, *items):
        self.items = list(items)

    async def get_items(self, limit=None):
        return copy.deepcopy(self.items)

    async def add_items(self, items):
        self.items += items

    async def pop_item(self):
        return self.items.pop() if self.items else None

    async def clear_session(self):
        self.items.clear()


async def commit(session, items, record, secret=b""):
    turns = turns_of(session, secret)
    assert await turns.commit_turn(await turns.begin_turn("x", lease=None), items, record)


async def found(session, secret=b"", turn_id="t"):
    turns = turns_of(session, secret)
    await turns.begin_turn("x", lease=None)
    return await turns.find_turn(turn_id), await turns.newest_turn()


async def noted(secret, record=RECORD, items=TURN):
    session = Listed()
    await commit(session, items, record, secret)
    return session.items


def note(**changes):
    fields = {"turn": "t", "input": "print", "shape": "text", "items": 2, "inputs": 1}
    return [marked(TURN[0], **fields | {"answers": 0} | changes), TURN[1]]


async def test_session_that_can_runs_its_own_turns():
    """What has turns of its own needs no notes, and a secret is of no use to it."""
    session = InMemorySession("s")
    assert turns_of(session, SECRET) is session
    assert isinstance(turns_of(Listed(), SECRET), FourMethodTurns)


async def test_there_is_no_key():
    """Four methods keep no secret."""
    assert await turns_of(Listed()).turn_key() == b""
    assert await turns_of(Listed(), SECRET).turn_key() == b""


@pytest.mark.parametrize("secret", [b"", SECRET])
async def test_note_is_in_the_first_item(secret):
    """A turn with an id leaves a note in its first item, and in no other."""
    items = await noted(secret)
    assert marks_of(items[0])["turn"] == "t"
    assert ("proof" in marks_of(items[0])) == bool(secret)
    assert items[1] == TURN[1]
    for stored in await found(Listed(*items), secret):
        assert (stored.fingerprint, stored.shape, stored.items) == ("print", "text", 2)
        assert stored.new_items == [assistant("2")]


async def test_turn_without_an_id_has_no_note():
    """What nobody looks for is stored as it is."""
    assert await noted(SECRET, TurnRecord()) == TURN


async def test_notes_of_before_are_still_read():
    """A note from before questions were counted is one, without a secret."""
    old = note()
    del old[0]["provider_data"]["memwrap"]["answers"]
    assert (await found(Listed(*old)))[0].new_items == [assistant("2")]


FORGED = {
    "no proof": {},
    "another proof": {"proof": "0" * 64},
    "a proof that is no text": {"proof": 1},
    "a proof that is no ASCII": {"proof": "é\ud800"},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
async def test_forged_note_is_no_note(changes):
    """With a secret, a note that somebody else wrote finds no turn."""
    assert await found(Listed(*note(**changes)), SECRET) == (None, None)
    assert None not in await found(Listed(*note(**changes)))  # without one there is no telling


@pytest.mark.parametrize(
    "changes",
    [
        {"turn": "other"},
        {"input": "other"},
        {"shape": "item"},
        {"items": 1},
        {"inputs": 0},
        {"answers": 1},
    ],
)
async def test_changed_note_is_no_note(changes):
    """A proven note proves nothing else than what it said."""
    first, second = await noted(SECRET)
    session = Listed(user("0"), marked(first, **changes), second)
    for turn_id in ("t", "other"):
        assert await found(session, SECRET, turn_id) == (None, None)


async def test_note_of_other_items_is_no_note():
    """A proof is for the items of its turn: none of them can be changed, only hidden data can."""
    first, second = await noted(SECRET)
    assert await found(Listed(first, assistant("3")), SECRET) == (None, None)
    assert await found(Listed(first | {"content": "3"}, second), SECRET) == (None, None)
    assert await found(Listed(first, second), b"another") == (None, None)
    hidden = second | {"provider_data": {"some": "thing"}}
    assert (await found(Listed(first, hidden), SECRET))[0].new_items == [hidden]


async def test_forged_note_does_not_hide_the_real_one():
    """The real turn is found behind and before forged notes of its id."""
    real = await noted(SECRET)
    session = Listed(*note(), *real, *note())
    assert (await found(session, SECRET))[0].new_items == [assistant("2")]
    assert (await found(Listed(*note(items=4), *real), SECRET))[1].items == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"items": None},
        {"items": "2"},
        {"items": True},
        {"items": -1},
        {"items": 0, "inputs": 0},
        {"items": 99},
        {"inputs": 3},
        {"inputs": None},
        {"answers": 1},
        {"answers": -1},
        {"answers": "0"},
        {"input": None},
        {"shape": 1},
        {"turn": 5},
    ],
)
async def test_note_that_says_nonsense_is_no_note(changes):
    """What is no note of memwrap's, or is for items that are not there, does no harm."""
    fields = {"turn": "t", "input": "p", "shape": "text", "items": 2, "inputs": 1, "answers": 0}
    session = Listed(marked(TURN[0], **fields | changes), TURN[1])
    assert await found(session) == (None, None)


async def test_note_that_came_with_the_input_is_replaced():
    """An old note in an item that is stored again says nothing about the new turn."""
    old = marked(TURN[0], turn="old", proof="x", answers=7)
    items = await noted(SECRET, RECORD, [old, TURN[1]])
    assert marks_of(items[0])["turn"] == "t"
    assert (await found(Listed(*items), SECRET))[0].items == 2


async def test_proof_covers_the_question():
    """A question that was changed after the answer came makes the note none."""
    session = Listed()
    await commit(session, TURN[:1], TurnRecord(None, "print", UNANSWERED, 1), SECRET)
    await commit(session, TURN[1:], TurnRecord("t", "print", "text", 0, 1), SECRET)
    assert (await found(session, SECRET))[0].items == 2
    session.items[0]["content"] = "changed"
    assert await found(session, SECRET) == (None, None)


async def test_many_forged_notes_cost_little(monkeypatch):
    """Of notes that all say to reach the end, only some are looked at: each costs all its items."""
    proofs = []
    monkeypatch.setattr(FourMethodTurns, "_proof", lambda *_: str(proofs.append(1)))
    session = Listed(*(note(items=2000 - n, proof="0" * 64)[0] for n in range(2000)))
    assert await found(session, SECRET) == (None, None)
    assert len(proofs) == 100


def test_never_waits_tells_by_the_function():
    """Only an async function without any await is known not to wait."""

    class Waits(Listed):
        async def add_items(self, items):
            await asyncio.sleep(0)

    class Plain(Listed):
        def add_items(self, items): ...

    async def loops(items):
        async for _ in items:
            pass

    async def enters(items):
        async with items:
            pass

    assert never_waits(Listed().add_items)
    for other in (Waits().add_items, Plain().add_items, loops, enters, print, asyncio.sleep):
        assert not never_waits(other)


async def test_shielded_work_ends_before_the_cancellation():
    """Work that is shielded ends although it is cancelled, and the cancellation comes after."""
    ended = []

    async def work():
        await asyncio.sleep(0.01)
        ended.append(True)

    task = asyncio.create_task(shielded(work()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


async def test_settled_session_needs_no_task():
    """An append that the session settles itself runs in the caller's task."""
    tasks = []

    class Own(Listed):
        async def add_items(self, items):
            tasks.append(asyncio.current_task())
            await asyncio.sleep(0)

    for known in (Promises(settles=True), Promises()):
        turns = FourMethodTurns(Own(), known)
        await turns.commit_turn(await turns.begin_turn("x", lease=None), TURN, TurnRecord())
    assert [task is asyncio.current_task() for task in tasks] == [True, False]


async def test_commits_of_one_turn_at_once_store_it_once():
    """Two who commit a turn again at once do not both find that nothing is stored."""

    class Slow(Listed):
        async def add_items(self, items):
            await asyncio.sleep(0.001)
            await super().add_items(items)

    session = Slow()
    turns = turns_of(session)
    opened = await turns.begin_turn("x", lease=None)
    opened.attempted = True
    commits = [turns.commit_turn(opened, [user("q"), user("r")], TurnRecord()) for _ in range(3)]
    assert await asyncio.gather(*commits) == [True] * 3
    assert len(session.items) == 2


class Compacting(Listed):
    """Keeps the newest two items when it is asked to compact."""

    error = None

    async def run_compaction(self):
        if self.error:
            raise self.error
        self.items[:-2] = []


class Around:
    """Hands all on to the session inside."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


@pytest.mark.parametrize("wrap", [lambda session: session, Around])
async def test_compacting_sessions_are_asked_behind_the_turn(wrap):
    """A session that compacts its items is asked to when a turn is stored."""
    session = Compacting(user("old"), assistant("older"))
    await commit(wrap(session), TURN, TurnRecord())
    assert session.items == TURN


async def test_failed_compaction_is_logged_without_content(caplog):
    """A turn is stored though its session could not be compacted; the log quotes nothing."""
    session = Compacting(user("old"))
    session.error = RuntimeError("secret")
    await commit(session, TURN, TurnRecord())
    assert session.items == [user("old"), *TURN]
    assert "not compacted (RuntimeError)" in caplog.text
    assert "secret" not in caplog.text

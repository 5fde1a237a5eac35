"""A stream that was left, and whose request comes again with the same `turn_id`."""

from contextlib import aclosing

import pytest
from support import FourMethods, gathered

from memwrap import InMemorySession, SQLiteSession, TurnIdReused, is_replay, undo, with_session
from memwrap.items import text_of
from memwrap.memory.replay import place_of_half
from memwrap.middleware import Memory

seen = []


@with_session(middleware=[Memory(on_stop="keep_delivered")])
async def words(items):
    seen.append([text_of(item) for item in items])
    for word in ("one ", "two ", "three"):
        yield word


@pytest.fixture(params=["memory", "sqlite", "four"])
def session(request, tmp_path):
    """A session of each kind that records turns in its own way."""
    seen.clear()
    if request.param == "memory":
        return InMemorySession("s")
    return SQLiteSession("s", tmp_path / "s.db") if request.param == "sqlite" else FourMethods()


async def leave(session, count, turn_id="t"):
    """Begin the turn, and leave it after some words."""
    async with aclosing(words("q", session=session, turn_id=turn_id)) as stream:
        async for _ in stream:
            count -= 1
            if not count:
                break


async def told(session):
    """Return what the session holds, and which messages are incomplete."""
    return [(text_of(item), item.get("status")) for item in await session.get_items()]


async def test_retry_takes_the_place_of_its_half(session):
    """The request again runs the agent as if nothing were stored, and stores it whole."""
    await leave(session, 2)
    assert await told(session) == [("q", None), ("one two ", "incomplete")]
    answer = await gathered(words("q", session=session, turn_id="t"))
    assert answer == ["one ", "two ", "three"]
    assert await told(session) == [("q", None), ("one two three", None)]
    assert seen == [["q"], ["q"]]


async def test_then_it_is_answered(session):
    """After the retry the id has its answer, and undo takes the turn back whole."""
    await leave(session, 1)
    await gathered(words("q", session=session, turn_id="t"))
    (again,) = await gathered(words("q", session=session, turn_id="t"))
    assert is_replay(again)
    assert again == "one two three"
    assert len(await undo(session)) == 1
    assert await session.get_items() == []


async def test_half_after_half(session):
    """A retry that is left too leaves one half."""
    await leave(session, 1)
    await leave(session, 2)
    assert await told(session) == [("q", None), ("one two ", "incomplete")]


async def test_another_turn_is_refused(session):
    """The id of a half turn belongs to its input."""
    await leave(session, 1)
    with pytest.raises(TurnIdReused):
        await gathered(words("other", session=session, turn_id="t"))


async def test_turns_of_others_stay(session):
    """Other turns before and behind the half stay, and the agent does not see the half."""
    await gathered(words("before", session=session))
    await leave(session, 1)
    await gathered(words("q", session=session, turn_id="other"))
    seen.clear()
    await gathered(words("q", session=session, turn_id="t"))
    whole = "one two three"
    assert seen == [["before", whole, "q", whole, "q"]]
    texts = [text for text, _ in await told(session)]
    if isinstance(session, FourMethods):  # which cannot take out of the middle
        assert texts == ["before", whole, "q", "one ", "q", whole, "q", whole]
    else:
        assert texts == ["before", whole, "q", whole, "q", whole]


async def test_without_an_id_nothing_is_replaced(session):
    """A half turn without an id stays."""
    await leave(session, 1, turn_id=None)
    await gathered(words("q", session=session, turn_id="t"))
    assert [text for text, _ in await told(session)] == ["q", "one ", "q", "one two three"]


async def test_failed_retry_leaves_the_half(session):
    """A retry that raises leaves the half turn where it was."""
    await leave(session, 2)

    @with_session(middleware=[Memory(on_stop="keep_delivered")])
    async def failing(items):
        yield "one "
        raise OSError

    with pytest.raises(OSError):
        await gathered(failing("q", session=session, turn_id="t"))
    assert await told(session) == [("q", None), ("one two ", "incomplete")]


@pytest.mark.parametrize(
    ("history", "rest"),
    [
        ("abxy", "ab"),
        ("xyab", "ab"),
        ("axyb", "ab"),
        ("yab", "ab"),  # a window that begins within the half
        ("ab", "ab"),
        ("", ""),
        ("xyxy", "xy"),
    ],
)
def test_history_without_the_half(history, rest):
    """The newest half is found, of which a window may show the end."""
    history = list(history)
    del history[place_of_half(history, list("xy"))]
    assert history == list(rest)

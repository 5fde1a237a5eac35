"""A question that was stored without its answer, and the answer that comes later."""

import pytest

from memwrap import InMemoryStore, SQLiteStore
from memwrap.items import assistant, user
from memwrap.sessions.four_methods import turns_of
from memwrap.sessions.turns import UNANSWERED, TurnRecord, fingerprint

QUESTION = [user("one"), user("two")]
ANSWER = [assistant("three")]


class FourMethods:
    def __init__(self):
        self.session_id = "s"
        self.items = []

    async def get_items(self, limit=None):
        return self.items[:]

    async def add_items(self, items):
        self.items += items

    async def pop_item(self):
        return self.items.pop() if self.items else None

    async def clear_session(self):
        self.items.clear()


@pytest.fixture(params=["memory", "file", "four methods", "four methods with a secret"])
def world(request, path):
    """A session, what makes its turns, and a session beside it in the same store."""
    if request.param.startswith("four"):
        session = FourMethods()
        secret = b"secret" if request.param.endswith("secret") else b""
        return session, lambda: turns_of(session, secret), None
    store = InMemoryStore() if request.param == "memory" else SQLiteStore(path)
    return store.session("s"), lambda: store.session("s"), store.session("other")


async def commit(world, items, record, token):
    session, turns, other = world
    if other is not None:  # the rows of other sessions lie between
        await other.add_items([user("x")])
    turn = turns()
    opened = await turn.begin_turn(token, lease=30.0)
    assert await turn.commit_turn(opened, items, record)
    await turn.release_turn(opened)
    if other is not None:
        await other.add_items([user("x")])


async def newest(world):
    turns = world[1]()
    await turns.release_turn(await turns.begin_turn("look", lease=30.0))
    return await turns.newest_turn()


async def found(world, turn_id):
    turns = world[1]()
    await turns.release_turn(await turns.begin_turn("look", lease=30.0))
    return await turns.find_turn(turn_id)


async def undone(world, count=1):
    turns = world[1]()
    items = await turns.undo_turns(count)
    return [[without_notes(item) for item in turn] for turn in items]


async def stored(world):
    return [without_notes(item) for item in await world[0].get_items()]


def without_notes(item):
    return {key: value for key, value in item.items() if key != "provider_data"}


async def ask(world, turn_id=None, token="q"):
    print_of = fingerprint(QUESTION, b"key")
    await commit(world, QUESTION, TurnRecord(turn_id, print_of, UNANSWERED, 2), token)


async def answer(world, turn_id=None, answers=2, token="a"):
    print_of = fingerprint(QUESTION, b"key")
    await commit(world, ANSWER, TurnRecord(turn_id, print_of, "text", 0, answers), token)


async def test_nothing_is_the_newest_turn_of_nothing(world):
    """An empty session has no newest turn, and neither has one of items without a turn."""
    assert await newest(world) is None
    await world[0].add_items(QUESTION)
    assert await newest(world) is None


async def test_question_is_the_newest_turn(world):
    """A stored question is found as such, with its fingerprint, until something follows it."""
    await ask(world)
    turn = await newest(world)
    assert (turn.fingerprint, turn.shape, turn.new_items, turn.items) == (
        fingerprint(QUESTION, b"key"),
        "unanswered",
        [],
        2,
    )
    await world[0].add_items([user("more")])
    assert await newest(world) is None


async def test_question_is_no_answer(world):
    """The id of a turn that has no answer yet finds nothing."""
    await ask(world, "t")
    assert await found(world, "t") is None
    assert (await newest(world)).shape == "unanswered"


@pytest.mark.parametrize("asked_by", [None, "t", "other"])
async def test_question_and_answer_are_one_turn(world, asked_by):
    """The answer alone is new, the turn has all items, and one undo takes both."""
    await commit(world, [user("0"), assistant("0")], TurnRecord("before", "f", "text", 1), "b")
    await ask(world, asked_by)
    await answer(world, "t")
    turn = await found(world, "t")
    assert (turn.shape, [without_notes(i) for i in turn.new_items], turn.items) == (
        "text",
        ANSWER,
        3,
    )
    assert (await newest(world)).items == 3
    assert await stored(world) == [user("0"), assistant("0"), *QUESTION, *ANSWER]
    assert await undone(world) == [[*QUESTION, *ANSWER]]
    assert await stored(world) == [user("0"), assistant("0")]
    assert await found(world, "t") is None
    assert (await found(world, "before")).items == 2


async def test_undo_of_several_turns_counts_both_as_one(world):
    """Question and answer are one of the turns that are undone, also without an id."""
    await ask(world)
    await answer(world)
    await commit(world, [user("4"), assistant("5")], TurnRecord(), "n")
    assert await undone(world, 2) == [[*QUESTION, *ANSWER], [user("4"), assistant("5")]]
    assert await stored(world) == []


async def test_part_of_a_turn_is_not_found(world):
    """When the answer was popped neither the id nor the end of the session finds the turn."""
    await ask(world)
    await answer(world, "t")
    await world[0].pop_item()
    assert await found(world, "t") is None
    turn = await newest(world)
    assert turn is None or turn.shape == "unanswered"  # a note of the question is still there


@pytest.mark.parametrize("answers", [1, 3])
async def test_answer_to_something_else_is_a_turn_of_its_own(world, answers):
    """Items that are not a whole recorded question do not become part of the turn."""
    await ask(world)
    await answer(world, "t", answers=answers)
    turn = await found(world, "t")
    assert (len(turn.new_items), turn.items) == (1, 1)
    assert (await newest(world)).items == 1


async def test_answer_after_others_is_a_turn_of_its_own(world):
    """What others added behind the question does not become part of a turn."""
    await ask(world)
    await world[0].add_items([user("more")])
    await answer(world, "t")
    assert (await found(world, "t")).items == 1
    assert await stored(world) == [*QUESTION, user("more"), *ANSWER]


async def test_repeated_commit_of_an_answer(world):
    """A commit that is done again after it happened changes nothing."""
    await ask(world)
    turns = world[1]()
    opened = await turns.begin_turn("a", lease=30.0)
    record = TurnRecord("t", "f", "text", 0, 2)
    assert await turns.commit_turn(opened, ANSWER, record)
    if world[2] is None or world[0].promises.shared:  # in memory no commit fails half-way
        assert await turns.commit_turn(opened, ANSWER, record)
    assert await stored(world) == [*QUESTION, *ANSWER]
    assert (await found(world, "t")).items == 3

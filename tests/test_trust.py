"""What callers pass is not believed: hidden data counts only when it was read from a session."""

import copy

import pytest

from memwrap import replayed, with_session
from memwrap.hidden.data import PROVIDER_DATA, data_of
from memwrap.items import assistant, user
from memwrap.testing import ScriptedAgent
from memwrap.trust import Replayed, received

FORGED = {"memwrap": {"unanswered": "x"}, "plain": {"at": 0, "of": ["user"], "data": "forged"}}
THEIRS = {"trace": {"id": 1}}
ITEM = user("Hi") | {PROVIDER_DATA: FORGED | THEIRS}
CLEAN = user("Hi") | {PROVIDER_DATA: THEIRS}


class Message:
    """Somebody's object, which nothing looks into."""


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (ITEM, CLEAN),
        ([user("1"), ITEM], [user("1"), CLEAN]),
        ((user("1"), ITEM), [user("1"), CLEAN]),
        ([[ITEM], "text"], [[CLEAN], "text"]),
        ({"item": ITEM}, {"item": CLEAN}),
        ({"output": [ITEM]}, {"output": [CLEAN]}),
        ({"response": {"output": [ITEM]}}, {"response": {"output": [CLEAN]}}),
        ([{"response": {"output": [ITEM]}}], [{"response": {"output": [CLEAN]}}]),
        ([user("Hi") | {PROVIDER_DATA: FORGED}], [user("Hi")]),
    ],
)
def test_hidden_data_of_memwraps_own_is_dropped(given, taken):
    """Notes and sidecars in an input are dropped wherever items lie; what others hid stays."""
    before = copy.deepcopy(given)
    assert received(given) == taken
    assert given == before


@pytest.mark.parametrize(
    "given", ["text", None, 5, [], (), [user("1")], ["a", user("b")], {"role": "user"}, Message()]
)
def test_what_has_nothing_hidden_is_handed_on(given):
    """Input without hidden data is the very object that was passed."""
    assert received(given) is given


def test_odd_shapes_are_handed_on():
    """Members that only look like responses are no obstacle."""
    given = [{"output": "text"}, {"item": None}, {"response": 5}]
    assert received(given) == given


def test_replayed_items_are_believed():
    """What a program read from a session keeps all that is hidden in it."""
    items = replayed(iter([ITEM]))
    assert isinstance(items, Replayed)
    assert received(items) == [ITEM]
    assert type(received(items)) is list


def test_part_of_what_was_replayed_is_not_marked():
    """A list that was put together anew says nothing of where its items came from."""
    assert received([*replayed([ITEM])]) == [CLEAN]


@pytest.mark.parametrize(("pass_on", "kept"), [(replayed, FORGED["plain"]), (list, None)])
async def test_only_what_was_replayed_is_stored_with_it(session, pass_on, kept):
    """A turn stores sidecars of its input only if the program says that it read them."""
    agent = with_session(ScriptedAgent("x"), session=session)
    await agent(pass_on([ITEM]))
    first, last = await session.get_items()
    assert data_of(first, "plain") == kept
    assert data_of(first, "trace") == {"id": 1}
    assert last == assistant("x")

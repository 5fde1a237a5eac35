"""What a turn carries, and how the agent is called with it."""

import copy

import pytest

from memwrap import InMemorySession, Turn, TurnError
from memwrap.adapters import plain
from memwrap.items import assistant, user
from memwrap.turn import Recorded


def new_turn(agent=lambda items: items, input="Hello", **options):
    return Turn(agent, plain.to_items(input), adapter=plain, **options)


@pytest.mark.parametrize(
    ("events", "items"),
    [
        ([], []),
        (["Hi"], [assistant("Hi")]),
        (["Hi ", "there"], [assistant("Hi there")]),
        ([Recorded([user("r")]), "Hi"], [user("r"), assistant("Hi")]),
        (["Hi", Recorded([user("r")])], [assistant("Hi"), user("r")]),
        (
            ["a", "b", Recorded([user("1"), user("2")]), "c", Recorded([user("3")]), "d"],
            [assistant("ab"), user("1"), user("2"), assistant("c"), user("3"), assistant("d")],
        ),
        ([Recorded([user("1")]), Recorded([user("2")])], [user("1"), user("2")]),
        ([assistant("x"), [assistant("y"), assistant("z")]], [*map(assistant, "xyz")]),
    ],
)
def test_collect(events, items):
    """Events and recorded items become items in the order they happened."""
    turn = new_turn(streaming=True)
    turn.run.events += events
    assert turn.collect() == items
    assert turn.run.events == events


def test_collect_of_a_call_without_an_event():
    """A call that sent nothing has nothing to store, whatever was recorded."""
    turn = new_turn()
    for recorded in ([], [Recorded([user("r")])]):
        turn.run.events = recorded
        with pytest.raises(TurnError, match="sent none"):
            turn.collect()


def test_session_id():
    """A turn names its session, if it has one."""
    assert new_turn().session_id is None
    assert new_turn(session=InMemorySession("s1")).session_id == "s1"


def test_repr_has_counts_and_no_content():
    """The repr says how much there is, never what was said."""
    turn = new_turn(input="secret", session=InMemorySession("s1"))
    turn.history = [user("secret")] * 2
    turn.new_items = [assistant("secret")] * 3
    assert repr(turn) == "<Turn session 's1': 2 items of history, 1 of input, 3 new>"
    assert repr(new_turn()) == "<Turn no session: 0 items of history, 1 of input, 0 new>"


def test_state_is_of_one_turn():
    """Each turn has a state, lists and dicts of its own."""
    one, other = new_turn(), new_turn()
    for name in ("state", "history", "new_items", "before_agent", "before_save"):
        assert getattr(one, name) == type(getattr(one, name))()
        assert getattr(one, name) is not getattr(other, name)


def test_defaults():
    """A turn made by hand, as in the test of a layer, needs an agent, its input and an adapter."""
    turn = new_turn()
    assert (turn.id, turn.session, turn.streaming) == (None, None, False)
    assert copy.copy(turn.input) == [user("Hello")]

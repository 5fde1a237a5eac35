"""Instructions that come with every input, and those that newer ones supersede."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import CALL, OUTPUT

from memwrap.instructions import (
    instructions_first,
    is_instruction,
    leading_instructions,
    without_superseded,
)
from memwrap.items import assistant, system, user

DEVELOPER = {"role": "developer", "content": "d"}


@pytest.mark.parametrize(
    ("item", "is_one"),
    [
        (system("x"), True),
        (DEVELOPER, True),
        (user("x"), False),
        (assistant("x"), False),
        (CALL, False),
        ({"role": ["system"]}, False),
        ({}, False),
    ],
)
def test_who_instructs(item, is_one):
    """Systems and developers instruct, whatever else stands in an item."""
    assert is_instruction(item) is is_one


@pytest.mark.parametrize(
    ("items", "count"),
    [
        ([], 0),
        ([user("x"), system("late")], 0),
        ([system("a"), DEVELOPER, user("x"), system("b")], 2),
        ([system("a"), system("b")], 2),
    ],
)
def test_leading_instructions(items, count):
    """Those at the start are counted, and no others."""
    assert leading_instructions(items) == count


SAID = [user("1"), assistant("a")]


@pytest.mark.parametrize(
    ("history", "input", "left"),
    [
        # the same again, and another in its place
        ([system("s"), *SAID], [system("s"), user("2")], SAID),
        ([system("s"), *SAID], [system("t"), user("2")], SAID),
        # none with the input: those of earlier inputs count, each once
        ([system("s"), *SAID], [user("2")], [system("s"), *SAID]),
        (
            [system("s"), *SAID, system("s"), *SAID],
            [user("2")],
            [*SAID, system("s"), *SAID],
        ),
        # another role is another instruction
        ([system("s"), *SAID], [DEVELOPER, user("2")], [system("s"), *SAID]),
        ([system("s"), DEVELOPER, *SAID], [system("t"), user("2")], [DEVELOPER, *SAID]),
        # in the middle of a conversation nobody repeats them
        ([user("1"), system("s"), assistant("a")], [system("s"), user("2")], None),
        ([user("1"), system("s"), user("b")], [system("s"), user("2")], None),
        ([*SAID, system("s")], [system("s"), user("2")], None),
        # outputs go on with an input, whose instructions stay
        ([system("s"), user("1"), CALL], [OUTPUT], [system("s"), user("1"), CALL]),
        (
            [system("s"), *SAID, system("t"), user("2"), CALL],
            [OUTPUT],
            [*SAID, system("t"), user("2"), CALL],
        ),
    ],
)
def test_superseded(history, input, left):
    """Of instructions in front of earlier inputs those that come again, or anew, are left out."""
    before = copy.deepcopy((history, input))
    assert without_superseded(history, input) == (history if left is None else left)
    assert (history, input) == before


ADDED = system("From now on in French.")


@pytest.mark.parametrize("newest", [system("s"), system("t")])
def test_what_was_added_between_inputs_stays(newest):
    """An input supersedes as many instructions as it has: what stood before them was added."""
    history = [system("s"), *SAID, ADDED, system("s"), *SAID]
    assert without_superseded(history, [newest, user("2")]) == [*SAID, ADDED, *SAID]
    begun = [ADDED, system("s"), *SAID]
    assert without_superseded(begun, [newest, user("2")]) == [ADDED, *SAID]
    two = [ADDED, system("s"), system("x"), *SAID]
    left = without_superseded(two, [newest, system("y"), user("2")])
    assert left == [ADDED, *SAID]


@pytest.mark.parametrize(
    ("history", "input", "first"),
    [
        (SAID, [user("2")], SAID),
        ([system("s"), *SAID], [user("2")], [system("s"), *SAID]),
        ([*SAID, system("s"), *SAID], [user("2")], [system("s"), *SAID, *SAID]),
        ([*SAID, system("s"), DEVELOPER], [user("2")], [system("s"), DEVELOPER, *SAID]),
        # what the agent itself met with, and what stands before no user, stays in place
        ([user("1"), system("s"), assistant("a")], [user("2")], None),
        ([user("1"), system("s"), CALL], [OUTPUT], None),
        ([*SAID, system("s")], [OUTPUT], None),
    ],
)
def test_instructions_of_inputs_come_first(history, input, first):
    """Instructions that came with an input, or before it, stand in front of the history."""
    before = copy.deepcopy((history, input))
    assert instructions_first(history, input) == (history if first is None else first)
    assert (history, input) == before


def test_history_without_instructions_is_handed_on():
    """Where there is nothing to leave out nothing is copied."""
    assert without_superseded(SAID, [user("2")]) is SAID


any_item = st.sampled_from([system("s"), system("t"), DEVELOPER, user("u"), assistant("a"), CALL])


@given(st.lists(any_item, max_size=8), st.lists(any_item, max_size=4))
def test_only_instructions_are_left_out(history, input):
    """What was said stays, nothing is added, and all that stays keeps its order."""
    left = without_superseded(history, input)
    said = [item for item in history if not is_instruction(item)]
    assert [item for item in left if not is_instruction(item)] == said
    stored = iter(history)
    assert all(any(item is other for other in stored) for item in left)

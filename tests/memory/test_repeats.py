"""Which answers were given again."""

import gc

from memwrap import is_replay
from memwrap.memory.repeats import _alive, note_replay


class Answer:
    """An object that can be referred to weakly."""

    __hash__ = None


def test_objects_are_known_as_long_as_they_live():
    """An object is known by itself, and forgotten with it."""
    first, again = Answer(), Answer()
    note_replay(again)
    assert is_replay(again)
    assert not is_replay(first)
    count = len(_alive)
    del again
    gc.collect()
    assert len(_alive) < count


def test_texts_and_lists_are_known_by_identity():
    """Text, lists and dicts are known, and equal ones are not."""
    for again, first in (
        (b"answer".decode(), "answer"),
        ([1], [1]),
        ({}, {}),
    ):
        note_replay(again)
        assert is_replay(again)
        assert not is_replay(first)


def test_the_newest_texts_are_known():
    """Of 1,024 answers at once each is known; older ones are let go."""
    answers = [f"answer {number}" for number in range(1025)]
    for answer in answers:
        note_replay(answer)
    assert not is_replay(answers[0])
    assert all(map(is_replay, answers[1:]))


def test_what_python_shares_is_never_known():
    """Values that Python has one object of are no replay, wherever they come from."""
    for answer in (None, True, 7, 1.5, "", "x", ()):
        note_replay(answer)
        assert not is_replay(answer)

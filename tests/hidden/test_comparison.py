"""Comparisons that are exact, and never raise."""

import pytest

from memwrap.hidden.comparison import digest, equal, same
from memwrap.items import user


class Array:
    """Refuses to be compared, as arrays of numpy do."""

    __hash__ = None

    def __eq__(self, other):
        raise ValueError("ambiguous")


def test_digest_tells_items_apart():
    """Equal items have one digest, whatever the order of keys; others have another."""
    assert digest([user("a")]) == digest([{"content": "a", "role": "user"}])
    others = [[], [user("b")], [user("a"), user("a")], [user("a") | {"n": 1}]]
    typed = [[{"n": value}] for value in (1, 1.0, True, "1", None, [1])]
    assert len({digest(items) for items in [[user("a")], *others, *typed]}) == 11


@pytest.mark.parametrize("compare", [equal, same])
def test_what_cannot_be_compared_is_not_equal(compare):
    """A comparison that raises has found a difference."""
    assert compare(Array(), Array()) is False
    assert compare([Array()], [Array()]) is False


def test_same_is_to_the_type():
    """Values that Python calls equal may be different JSON."""
    assert equal(1, True)
    assert not same(1, True)
    assert not same([1], [1.0])
    assert same({"a": [1, None]}, {"a": [1, None]})
    assert not same({1, 2}, {1, 2})

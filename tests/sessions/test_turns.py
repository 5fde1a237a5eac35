"""What is known of turns: their fingerprints, and where they begin."""

import hashlib
import hmac
import json

from memwrap.items import assistant, user
from memwrap.sessions.turns import fingerprint, newest_turns, recorded_turns

ITEMS = [{"role": "user", "content": "naïve \ud800"}, {"b": [1.5, None], "a": True}]


def test_fingerprint_without_a_key_is_that_of_before():
    """Records from before there were secrets still compare."""
    text = json.dumps(ITEMS, sort_keys=True, separators=(",", ":"))
    assert fingerprint(ITEMS, b"") == hashlib.sha256(text.encode()).hexdigest()


def test_fingerprint_with_a_key_needs_it():
    """A keyed fingerprint is an HMAC-SHA256, and differs by key and by items."""
    text = json.dumps(ITEMS, sort_keys=True, separators=(",", ":")).encode()
    assert fingerprint(ITEMS, b"k" * 32) == hmac.new(b"k" * 32, text, "sha256").hexdigest()
    found = {fingerprint(items, key) for items in (ITEMS, ITEMS[:1]) for key in (b"", b"a", b"b")}
    assert len(found) == 6


def test_order_of_keys_does_not_matter():
    """Equal items have one fingerprint, however they were made."""
    assert fingerprint([{"a": 1, "b": 2}], b"k") == fingerprint([{"b": 2, "a": 1}], b"k")


def test_turns_are_as_recorded_and_else_by_structure():
    """A recorded range is one turn, and what lies outside of ranges begins where a user speaks."""
    texts = [assistant("0"), user("1"), assistant("2"), user("3"), assistant("4"), user("5")]
    items = {(number + 1) * 10**9: item for number, item in enumerate(texts)}
    place = list(items)
    assert [list(turn) for turn in recorded_turns(items, [(place[1], place[4])])] == [
        place[1:5],
        place[5:],
    ]
    assert [list(turn) for turn in recorded_turns(items, [])] == [
        place[1:3],
        place[3:5],
        place[5:],
    ]


def test_range_of_rows_that_are_gone_is_no_turn():
    """A recorded turn of which the first or the last row is gone is split by structure."""
    items = {1: user("1"), 2: user("2"), 5: user("5")}
    assert [list(turn) for turn in recorded_turns(items, [(2, 3), (4, 5)])] == [[1, 2, 5]]


def test_turn_that_begins_before_the_window_is_not_split():
    """The end of a recorded turn that begins further back is no turn, whatever its items are."""
    items = {place: user(str(place)) if place % 2 else assistant("a") for place in range(5, 13)}
    ranges = [(1, 8), (9, 10), (11, 12)]
    assert newest_turns(items, ranges, 2, is_all=False) is None
    assert newest_turns(items, ranges, 1, is_all=False) == [{11: items[11], 12: items[12]}]
    assert len(newest_turns(items, ranges[1:], 9, is_all=True)) == 4

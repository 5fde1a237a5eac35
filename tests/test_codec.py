"""Items as JSON and back."""

import json
import math
import random
import re
import types
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memwrap import codec
from memwrap.codec import (
    MAX_DEPTH,
    MAX_ITEM_BYTES,
    copy_items,
    copy_known,
    decode,
    decode_array,
    decode_rows,
    encode,
    encode_items,
)
from memwrap.exceptions import ConversionError

# Lone surrogates are text to Python and to JSON, though not to UTF-8.
text = st.text(st.characters(exclude_categories=()))
numbers = (
    st.integers()
    | st.integers(10**18, 10**40).map(lambda n: -n if n % 2 else n)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=15,
)
json_items = st.dictionaries(text, values, max_size=5)


def nested(levels):
    """Return an item of so many dicts and lists inside each other."""
    value = "end"
    for _ in range(levels - 1):
        value = [value]
    return {"role": value}


class Color(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Array:
    """Refuses to be compared, as arrays of numpy do."""

    def __eq__(self, other):
        raise ValueError("ambiguous")

    __hash__ = None


@settings(deadline=None)
@given(json_items)
def test_every_json_object_comes_back_exactly(item):
    """Numbers of any size, NUL, lone surrogates and the order of keys survive."""
    row = encode(item)
    assert repr(decode(row)) == repr(item)
    assert repr(decode(row.decode())) == repr(item)
    assert json.loads(row) == item


@settings(deadline=None)
@given(st.lists(json_items, max_size=5))
def test_lists_come_back_exactly(items):
    """Rows read together and copies are what went in."""
    rows = encode_items(items)
    assert repr(decode_rows(rows)) == repr(items)
    assert repr(copy_items(items)) == repr(items)
    assert repr(copy_known(items)) == repr(items)


@pytest.mark.parametrize(
    "value",
    [
        *(0, -0.0, 1.0, 1e16, 1e-7, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, True, False, None),
        *(2**53 + 1, 2**63, 2**64, -(2**64), 10**100, "", "\x00", "\ud800", "\udc00\ud800", "😀"),
        *('"\\', "\u2028", {}, [], {"": ""}, {"b": 1, "a": 2}, [[], [[]]], {"\ud800": "\x7f"}),
    ],
)
def test_odd_values_keep_value_and_type(value):
    """A value has the same repr after the way there and back."""
    item = {"content": value}
    assert repr(decode(encode(item))) == repr(item)
    assert repr(copy_items([item])) == repr([item])


def test_rows_are_compact_json():
    """A row is plain JSON without spaces, in the order of the keys."""
    assert (
        encode({"role": "user", "content": ["é", 1]})
        == '{"role":"user","content":["é",1]}'.encode()
    )


@pytest.mark.parametrize(
    ("bad", "path", "says"),
    [
        (math.nan, "$[1].content", "NaN"),
        ([1, -math.inf], "$[1].content[1]", "infinities"),
        ({"a": b"bytes"}, "$[1].content.a", "bytes"),
        ({1: "x"}, "$[1].content", "a key is a string, not an int"),
        ({None: "x"}, "$[1].content", "a key is a string, not None"),
        ({True: "x"}, "$[1].content", "a key is a string, not a bool"),
        ({"two words": [{}, {"x": {1, 2}}]}, '$[1].content["two words"][1].x', "a set"),
        (datetime(2026, 1, 1, tzinfo=UTC), "$[1].content", "datetime.datetime"),
        (Decimal("1.5"), "$[1].content", "decimal.Decimal"),
        (object, "$[1].content", "a type"),
        (Array(), "$[1].content", "Array"),
        (types.MappingProxyType({}), "$[1].content", "pass dict(...) of it"),
        (range(3), "$[1].content", "a range"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(bad, path, says):
    """The error names the type and the path, and nothing of the value."""
    items = [{"role": "user", "content": "fine"}, {"role": "user", "content": bad}]
    for refuse in (encode_items, copy_items):
        with pytest.raises(ConversionError, match=re.escape(says)) as caught:
            refuse(items)
        assert caught.value.path == path
        assert str(caught.value).endswith(f"@ {path}")


def test_integers_too_long_to_be_written_are_refused():
    """Python writes no integer beyond its limit of digits, so such a one has no JSON."""
    with pytest.raises(ConversionError, match="digits") as caught:
        encode_items([{"content": [10**5000]}])
    assert caught.value.path == "$[0].content[0]"


def test_path_of_the_issue():
    """The place of a bad part is spelled as in the documentation."""
    items = [{"role": "user", "content": "x"}] * 3 + [{"role": "user", "content": [b"x"]}]
    with pytest.raises(ConversionError) as caught:
        encode_items(items)
    assert caught.value.path == "$[3].content[0]"


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ([None], "an item is a dict, not None"),
        (["hello"], "an item is a dict, not a str"),
        ([[{"role": "user"}]], "an item is a dict, not a list"),
        ([types.MappingProxyType({"role": "user"})], "pass dict(...) of it"),
        ([3], "an item is a dict, not an int"),
    ],
)
def test_what_is_no_dict_is_no_item(items, says):
    """An item is a dict; anything else is named."""
    with pytest.raises(ConversionError, match=re.escape(says)) as caught:
        encode_items(items)
    assert caught.value.path == "$[0]"


@pytest.mark.parametrize(
    ("items", "says"),
    [
        (None, "not as None"),
        ("hello", "not as a str"),
        (b"hello", "not as a bytes"),
        ({"role": "user", "content": "x"}, "not as a dict"),
        (iter([]), "not as a list_iterator"),
        ({1}, "not as a set"),
        (3, "not as an int"),
    ],
)
def test_what_is_no_list_is_refused(items, says):
    """Items come as a list, and the error shows one."""
    for refuse in (encode_items, copy_items):
        with pytest.raises(ConversionError, match=says):
            refuse(items)


def test_tuples_become_lists():
    """Tuples are kept as JSON arrays, and a tuple of items is a list of them."""
    items = ({"role": "user", "content": ({"text": "x"}, (1, 2))},)
    expected = [{"role": "user", "content": [{"text": "x"}, [1, 2]]}]
    assert decode_rows(encode_items(items)) == expected
    assert copy_items(items) == expected


def test_relatives_of_json_types_become_plain():
    """Subclasses of dict, str and int are kept as what they hold."""
    item = OrderedDict(role=Color.RED, content=[Level.HIGH, OrderedDict(a=1)])
    for copy in (decode(encode(item)), copy_items([item])[0]):
        assert copy == {"role": "red", "content": [3, {"a": 1}]}
        assert type(copy) is type(copy["content"][1]) is dict
        assert type(copy["role"]) is str
        assert type(copy["content"][0]) is int


def test_depth_has_a_limit():
    """Levels up to the limit pass, one more is refused, however many brackets there are."""
    assert decode(encode(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    for deep in (nested(MAX_DEPTH + 1), nested(100_000)):
        for refuse in (encode, lambda item: copy_items([item])):
            with pytest.raises(ConversionError, match="nested deeper"):
                refuse(deep)
    brackets = {**nested(MAX_DEPTH), "content": "[" * 1000}
    assert decode(encode(brackets)) == brackets
    with pytest.raises(ConversionError, match="nested deeper"):
        encode({**nested(MAX_DEPTH + 1), "content": "[" * 1000})


def test_cycles_are_refused():
    """An item that holds itself is too deep, and no endless loop."""
    item = {"role": "user"}
    item["content"] = [item]
    for refuse in (encode, lambda item: copy_items([item])):
        with pytest.raises(ConversionError, match="nested deeper"):
            refuse(item)


def test_size_has_a_limit():
    """The bytes of the JSON count: an item at the limit passes, a longer one does not."""
    room = MAX_ITEM_BYTES - len(encode({"content": ""}))
    assert len(encode({"content": "x" * room})) == MAX_ITEM_BYTES
    for refuse in (encode, lambda item: copy_items([item])):
        with pytest.raises(ConversionError, match=f"at most {MAX_ITEM_BYTES}"):
            refuse({"content": "x" * (room + 1)})


def test_many_items_may_be_longer_than_one():
    """The limit is each item's, not the list's."""
    items = [{"content": "x" * (MAX_ITEM_BYTES // 2)}] * 3
    assert copy_items(items) == items


def test_copies_share_nothing():
    """A copy can be changed without the original, and two uses of one object become two."""
    part = {"text": "x"}
    items = [{"content": [part, part]}]
    for copy in (copy_items(items), copy_known(items)):
        copy[0]["content"][0]["text"] = "changed"
        assert copy[0]["content"][1] == {"text": "x"}
    assert items == [{"content": [{"text": "x"}, {"text": "x"}]}]


@pytest.mark.parametrize(
    "row",
    ["", "{", "null", "[]", '"x"', "3", "{}{}", "{'a': 1}", '{"a": 1,}', b"\xff", '{"a": "\n"}'],
)
def test_damaged_rows_are_told(row):
    """What is no JSON object raises ValueError, alone and among others."""
    with pytest.raises(ValueError):
        decode(row)
    data = row if isinstance(row, bytes) else row.encode()
    with pytest.raises(ValueError):
        decode_rows([b"{}", data])


def test_rows_nested_too_deeply_are_damaged():
    """A row that no reader can hold is damaged, and does not exhaust the stack."""
    with pytest.raises(ValueError, match="deep"):
        decode('{"a":' * 100_000)


def test_rows_of_other_writers_are_read():
    """Python's own JSON writer leaves NaN, infinities, spaces and escapes behind."""
    written = {"a": math.inf, "b": "\ud83d", "c": "é", "d": 10**30}
    assert repr(decode(json.dumps(written))) == repr(written)
    assert math.isnan(decode('{"a": NaN}')["a"])
    assert decode_rows([b'{"a": Infinity}', b"{}"]) == [{"a": math.inf}, {}]


def test_joined_rows_are_counted():
    """An array of another length, or with something else in it, is not taken for the rows."""
    assert decode_array(b"[{},{}]", 2) == [{}, {}]
    assert decode_array(b"[{},{}]", 1) is None
    assert decode_array(b"[{},[]]", 2) is None
    assert decode_array(b"[{}", 1) is None
    assert decode_array(b"[]", 0) == []


def test_fast_and_slow_way_agree(monkeypatch):
    """Items come out the same when none of them may take the fast way."""
    rng = random.Random(1)
    items = [
        {"content": [rng.random(), rng.getrandbits(80), "é\x00", {"k": None}]} for _ in range(20)
    ]
    fast = encode_items(items)
    monkeypatch.setattr(codec, "_decode", lambda row: None)
    slow = encode_items(items)
    monkeypatch.undo()
    assert decode_rows(fast) == decode_rows(slow) == items

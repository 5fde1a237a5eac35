"""Templates: hidden values as references to what is seen, there and back."""

import datetime as dt
import json
import uuid
import warnings
from decimal import Decimal

import pytest
from corpus.exactness import stored, written
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memwrap.hidden.template import decode, encode, encoder
from memwrap.items import user

NAIVE = "2026-01-02T03:04:00"
LEAST = 64 * 1024
TIMES = 8

words = ["Ada", "4711", "$", "$json", '{"city": "Rome", "days": 2}', "[1, [2]]", "é😀\ud800\x00"]
text = st.sampled_from([*words, "data:image/png;base64,QUJD", "QUJD"]) | st.text(max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
parsed = st.sampled_from([{"city": "Rome", "days": 2}, {"days": 2, "city": "Rome"}, [1, [2]]])
scalars = st.one_of(
    *(st.none(), st.booleans(), text, st.binary(max_size=4), st.uuids(), st.dates()),
    *(st.integers(), st.just(3**5000), st.just(-(3**5000)), st.floats(), st.decimals()),
    st.datetimes().map(lambda time: time.replace(fold=0)),
    st.datetimes().map(lambda time: time.replace(fold=0, tzinfo=dt.UTC)),
    st.times().map(lambda time: time.replace(fold=0)),
)
hashable = st.one_of(text, st.integers(), st.booleans(), st.binary(max_size=3), st.dates())
values = st.recursive(
    scalars | parsed,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(text | hashable, inner, max_size=3),
        st.sets(hashable, max_size=3),
        st.frozensets(hashable, max_size=3),
    ),
    max_leaves=10,
)
visible = st.lists(st.dictionaries(st.sampled_from("abc"), json_values, max_size=3), max_size=3)


@settings(deadline=None, max_examples=200)
@given(values, visible)
@example({"a": "Ada", "b": ["Ada", ("Ada", b"Ada")]}, [user("Ada")])
@example([-0.0, 0.0, 1, True, 1.0], [user("1")])
@example({True: 1, "True": 2, None: 3}, [])
@example(float("nan"), [])
def test_round_trip_through_a_store(value, items):
    """Whatever a value holds comes back, to the type, after its template was stored as JSON."""
    template = encode(value, items)
    assert written(decode(stored(template), stored(items))) == written(value)


def referring(*paths, key="$"):
    """Return a template of references to these places."""
    return [{key: list(path)} for path in paths]


def test_strings_are_references():
    """A string of the items is a reference to it, the first one if there are several."""
    items = [user("Ada"), {"content": [{"text": "Rome"}, {"text": "Ada"}]}]
    template = encode({"name": "Ada", "more": ["Rome", "Ada", "else", ""]}, items)
    assert template == {
        "name": {"$": [0, "content"]},
        "more": [{"$": [1, "content", 0, "text"]}, {"$": [0, "content"]}, "else", ""],
    }


def test_end_of_a_data_url_is_a_reference():
    """What a data URL holds is referred to as the end of the URL."""
    items = [{"image_url": "data:image/png;base64,QUJD"}]
    template = encode({"data": "QUJD", "url": "data:image/png;base64,QUJD"}, items)
    assert template == {
        "data": {"$": [0, "image_url"], "$from": 22},
        "url": {"$": [0, "image_url"]},
    }
    assert decode(template, items)["data"] == "QUJD"


@pytest.mark.parametrize(
    "value", [{"city": "Rome", "days": 2}, {"a": {"b": [1.5, None, True]}}, [1, "x"], [[]]]
)
def test_what_a_string_holds_as_json_is_a_reference(value):
    """An object or list that a string of the items spells is a reference, as are its strings."""
    items = [{"arguments": json.dumps(value, indent=2)}]
    template = encode({"args": value}, items)
    assert template == {"args": {"$json": [0, "arguments"]}}
    assert decode(template, items) == {"args": value}


@pytest.mark.parametrize(
    "value",
    [
        {"days": 2, "city": "Rome"},
        {"city": "Rome", "days": 2.0},
        {"city": "Rome", "days": True},
        {"city": "Rome", "days": (2,)},
        {"city": "Rome"},
    ],
)
def test_json_is_told_to_the_type_and_the_order(value):
    """An object that differs in a type, a key or the order of its keys is written out."""
    items = [{"arguments": '{"city": "Rome", "days": 2}'}]
    template = encode(value, items)
    assert "$json" not in json.dumps(template)
    assert list(decode(template, items)) == list(value)
    assert written(decode(template, items)) == written(value)


def test_order_of_keys_that_json_has():
    """Each order of keys has the string that spells it."""
    items = [{"a": '{"x": 1, "y": 2}', "b": '{"y": 2, "x": 1}'}]
    template = encode([{"y": 2, "x": 1}, {"x": 1, "y": 2}], items)
    assert template == referring((0, "b"), (0, "a"), key="$json")
    assert [list(value) for value in decode(template, items)] == [["y", "x"], ["x", "y"]]


def test_empty_values_are_written_out():
    """Nothing refers to what is shorter than a reference."""
    assert encode(["", {}, []], [{"a": "", "b": "{}", "c": "[]"}]) == ["", {}, []]


def test_older_references_to_arguments():
    """Older files hold the place of a call in place of the path to its arguments."""
    items = [{"type": "function_call", "arguments": '{"city": "Rome"}'}, {"arguments": ""}]
    assert decode({"args": {"$args": 0}}, items) == {"args": {"city": "Rome"}}
    assert decode({"$args": 1}, items) == {}


@pytest.mark.parametrize(
    ("value", "template"),
    [
        (b"Ada", {"$bytes": "QWRh"}),
        (dt.datetime.fromisoformat(NAIVE), {"$datetime": NAIVE}),
        (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), {"$datetime": "2026-01-02T00:00:00+00:00"}),
        (dt.date(2026, 1, 2), {"$date": "2026-01-02"}),
        (dt.time(3, 4), {"$time": "03:04:00"}),
        (uuid.UUID(int=1), {"$uuid": "00000000-0000-0000-0000-000000000001"}),
        (Decimal("1.50"), {"$decimal": "1.50"}),
        (float("-inf"), {"$float": "-inf"}),
        (1 << 2048, {"$int": hex(1 << 2048)}),
        ((1, 2), {"$tuple": [1, 2]}),
        ({2, 1}, {"$set": [1, 2]}),
        (frozenset({"b", "a"}), {"$frozenset": ["a", "b"]}),
        ({1: 2}, {"$dict": [[1, 2]]}),
        ({"$x": 2}, {"$dict": [["$x", 2]]}),
    ],
)
def test_table(value, template):
    """Each row of the table, there and back."""
    assert encode(value, []) == template
    assert written(decode(template, [])) == written(value)


def test_tags_may_refer_too():
    """The text of a tagged value is a reference if an item says it."""
    items = [user("2026-01-02")]
    template = encode(dt.date(2026, 1, 2), items)
    assert template == {"$date": {"$": [0, "content"]}}
    assert decode(template, items) == dt.date(2026, 1, 2)


class Odd:
    def __repr__(self):
        return "<odd thing>"


class Broken:
    def __repr__(self):
        raise RuntimeError("no name for it")


@pytest.mark.parametrize(("value", "left"), [(Odd(), "<odd thing>"), (Broken(), "<Broken>")])
def test_what_has_no_template_is_its_repr(value, left):
    """Any other object is stored as its repr, with a warning, and never fails a turn."""
    with pytest.warns(UserWarning, match="stored as its repr only"):
        assert encode([value], []) == [left]


def test_what_is_in_itself_ends():
    """A value within itself, or nested too deeply, is cut with a warning."""
    loop = [1]
    loop.append(loop)
    with pytest.warns(UserWarning, match="repr only"):
        assert encode(loop, []) == [1, "<list>"]
    with pytest.warns(UserWarning, match="repr only"):
        assert encoder([], depth=2)([[[1]]]) == [["<list>"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert encoder([], depth=3)([[[1]]]) == [[[1]]]


def test_derived_classes_keep_their_value():
    """Of a class derived from Python's own the value is kept, and not the class."""

    class Name(str):
        __slots__ = ()

        def __str__(self):
            return "not this"

    class Count(int):
        pass

    class Bag(dict):
        pass

    template = encode(Bag({Name("a"): Count(3), "b": Name("Ada")}), [user("Ada")])
    assert template == {"a": 3, "b": {"$": [0, "content"]}}
    assert written(template) == written({"a": 3, "b": {"$": [0, "content"]}})


# The bound


@pytest.mark.parametrize(("size", "times"), [(1024, 64), (100_000, TIMES)])
def test_references_up_to_the_bound_are_read(size, times):
    """Eight times the strings of the items, or 64 Ki characters, is what references may be."""
    items = [user("x" * size)]
    items[0]["role"] = ""
    template = referring(*[(0, "content")] * times)
    assert len(decode(template, items)) == times
    with pytest.raises(ValueError, match="no template"):
        decode([*template, *referring((0, "content"))], items)


@pytest.mark.parametrize("key", ["$", "$json"])
def test_all_kinds_of_references_count(key):
    """References to JSON, and to ends of strings, are bounded as those to strings are."""
    items = [{"content": json.dumps(["x" * 30_000])}]
    with pytest.raises(ValueError, match="no template"):
        decode(referring(*[(0, "content")] * 9, key=key), items)
    with pytest.raises(ValueError, match="no template"):
        decode([{"$": [0, "content"], "$from": 30_000}] * 9, items)
    with pytest.raises(ValueError, match="no template"):
        decode([{"$args": 0}] * 9, [{"arguments": items[0]["content"]}])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 40_000), min_size=1, max_size=3),
    st.lists(st.integers(0, 5), min_size=1, max_size=40),
)
def test_encoder_never_makes_what_is_refused(sizes, picks):
    """Whatever a message repeats, its template is within the bound, and the rest is written out."""
    texts = [chr(97 + number) * size for number, size in enumerate(sizes)]
    items = [{"a": text, "b": json.dumps([text])} for text in texts]
    either = [*texts, *([text] for text in texts)]
    value = [either[pick % len(either)] for pick in picks]
    template = encode(value, items)
    assert decode(template, items) == value


def test_what_would_pass_the_bound_is_written_out():
    """The first repetitions are references, and those behind them the strings themselves."""
    text = "x" * 20_000
    template = encode([text] * 10, [{"content": text}])
    assert template == [*referring(*[(0, "content")] * TIMES), text, text]
    short = encode(["x" * 1024] * 65, [{"content": "x" * 1024}])
    assert short.count({"$": [0, "content"]}) == LEAST // 1024


# What is no template


@pytest.mark.parametrize(
    "template",
    [
        {"$": [5]},
        {"$": ["role"]},
        {"$": [0]},
        {"$": [0, "content", "text"]},
        {"$": [0, "content"], "$from": "x"},
        {"$": 5},
        {"$": [0, "missing"]},
        {"$json": [0, "content"]},
        {"$args": 7},
        {"$bytes": "€"},
        {"$date": "yesterday"},
        {"$decimal": "****"},
        {"$int": []},
        {"$set": [[]]},
        {"$dict": [1]},
        {"$unknown": 1},
        {"a": [{"$uuid": {}}]},
    ],
)
def test_what_is_no_template_is_refused(template):
    """Damage is one error, whatever reads the tag, and it tells nothing of the content."""
    with pytest.raises(ValueError, match="^no template$"):
        decode(template, [user("Hi, Ada")])


def test_template_that_nests_too_deeply_is_refused():
    """A template that no encoder could have made is an error like any other."""
    template = "end"
    for _ in range(100_000):
        template = [template]
    with pytest.raises(ValueError, match="no template"):
        decode(template, [])


@settings(deadline=None, max_examples=200)
@given(values)
def test_items_are_left_alone(value):
    """Neither direction changes the value or the items."""
    items = [user("Ada"), {"arguments": '{"city": "Rome", "days": 2}'}]
    before, seen = written(value), written(items)
    decode(encode(value, items), items)
    assert (written(value), written(items)) == (before, seen)


PRIME = 2**61 - 1  # integers that differ by it have one hash


@pytest.mark.parametrize(
    "template",
    [
        {"$set": [n * PRIME for n in range(40)]},
        {"$frozenset": [{"$int": hex(n * PRIME)} for n in range(40)]},
        {"$dict": [[n * PRIME, 1] for n in range(40)]},
        {"$set": [{"$decimal": str(n * PRIME)} for n in range(40)]},
        {"$dict": [[{"$uuid": f"{n * PRIME:032x}"}, 1] for n in range(40)]},
    ],
)
def test_members_of_one_hash_are_refused(template):
    """Members that a set or dict would need the square of their number for are no template."""
    with pytest.raises(ValueError, match="no template"):
        decode(template, [])


def test_members_of_other_hashes_are_taken():
    """Sets and dicts of any size come back."""
    value = {"ints": set(range(500)), "keys": {n: str(n) for n in range(500)}}
    assert decode(encode(value, []), []) == value


def test_text_read_as_json_counts_more():
    """Of texts that are read as JSON fewer references are made than of texts, and all are read."""
    numbers = list(range(30_000))
    items = [{"content": json.dumps(numbers)}]
    template = encode([numbers] * 4, items)
    assert [type(one) for one in template] == [dict, dict, list, list]
    assert decode(template, items) == [numbers] * 4
    with pytest.raises(ValueError, match="no template"):
        decode([{"$json": [0, "content"]}] * 3, items)

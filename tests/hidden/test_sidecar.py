"""Sidecars: what restores a message, tied to what its items show."""

import copy
import json
import re
import time

import pytest
from corpus.exactness import seen, stored
from hypothesis import given, settings
from hypothesis import strategies as st
from support import CALL, REASONING

from memwrap.hidden.comparison import digest
from memwrap.hidden.data import PROVIDER_DATA, data_of, marked, with_data
from memwrap.hidden.sidecar import (
    MAX_DEPTH,
    Sidecar,
    bare,
    has_sidecar,
    hide,
    is_of,
    redacted,
    settled,
    sidecar_of,
    spans,
    with_a_place,
)
from memwrap.hidden.template import decode
from memwrap.items import assistant, user

ID = {"id": "m1", "name": "Ida"}


def message(*items, data=None, name="mine", identity=ID):
    return hide(list(items), name, identity=identity, data={"x": "hush"} if data is None else data)


any_item = st.sampled_from(
    [user("Hi"), assistant("Ho"), assistant(""), CALL, REASONING, {"type": "odd", "text": "x"}]
)
some = st.lists(any_item, min_size=1, max_size=4)
names = st.sampled_from(["mine", "yours"])


# Made and read


def test_form():
    """A sidecar says where it lies, of what, under which digest, whose, and what else."""
    items = [user("Ada"), CALL]
    first, second = message(*items, data={"who": "Ada", "n": 1})
    assert second == CALL
    assert first == items[0] | {
        PROVIDER_DATA: {
            "mine": {
                "at": 0,
                "of": ["user", "function_call"],
                "items": digest(items),
                "id": ID,
                "data": {"who": {"$": [0, "content"]}, "n": 1},
            }
        }
    }


@settings(deadline=None, max_examples=150)
@given(some, st.recursive(st.text(max_size=3) | st.integers(), st.lists, max_leaves=4))
def test_round_trip_through_a_store(items, data):
    """What was hidden is read again behind a store, and counts for what its items show."""
    before = copy.deepcopy(items)
    kept = stored(hide(items, "mine", identity=ID, data=data))
    assert items == before
    assert seen(kept)[: len(items)] == items
    _, found = spans(kept, "mine")
    (end, sidecar) = found[0]
    assert (len(found), end) == (1, len(kept))
    assert sidecar.id == ID
    assert is_of(sidecar, kept, "mine")
    assert decode(sidecar.data, bare(kept, "mine")) == data
    assert has_sidecar(kept, "mine")
    assert not has_sidecar(kept, "yours")
    assert bare(kept, "mine") == seen(kept)


def test_identity_refers_to_nothing():
    """What identifies a message outlives an edit of its text, so it is written out."""
    (item,) = message(user("m1"))
    assert data_of(item, "mine")["id"]["id"] == "m1"


def test_deep_values_are_cut():
    """Hidden values nest as deep as a store takes their templates."""
    deep = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    (item,) = message(user("Hi"), data=deep)
    assert decode(data_of(item, "mine")["data"], [user("Hi")]) == deep
    with pytest.warns(UserWarning, match="repr only"):
        message(user("Hi"), data=[deep])


@pytest.mark.parametrize(
    ("items", "place", "count"),
    [
        ([user("Hi")], 0, 1),
        ([REASONING, CALL], 1, 2),
        ([REASONING, REASONING], 2, 3),
    ],
)
def test_place(items, place, count):
    """No sidecar lies in reasoning; if there is nothing else, an empty answer holds it."""
    found, where = with_a_place(items)
    assert (where, len(found)) == (place, count)
    assert found[: len(items)] == items
    assert found[len(items) :] in ([], [assistant("")])


def test_others_data_stays_beside_it():
    """Hiding leaves what others hid in the item."""
    (item,) = message(user("Hi") | {PROVIDER_DATA: {"theirs": {"a": 1}}})
    assert data_of(item, "theirs") == {"a": 1}
    twice = hide([item], "yours", identity={}, data=1)
    assert set(twice[0][PROVIDER_DATA]) == {"theirs", "mine", "yours"}
    for name in ("mine", "yours"):
        assert is_of(sidecar_of(twice[0], name), twice, name)


@pytest.mark.parametrize(
    "found",
    [
        None,
        "text",
        {},
        {"at": 0},
        {"at": True, "of": ["user"]},
        {"at": 0.0, "of": ["user"]},
        {"at": 1, "of": ["user"]},
        {"at": -1, "of": ["user"]},
        {"at": 0, "of": []},
        {"at": 0, "of": "user"},
    ],
)
def test_what_is_no_sidecar_is_none(found):
    """Nothing in a sidecar is proven, and what has not its form is none."""
    item = user("Hi") | {PROVIDER_DATA: {"mine": found}}
    assert sidecar_of(item, "mine") is None
    assert spans([item], "mine") == ([item], {})
    assert settled([item]) == [item]


def test_identity_that_is_none_is_empty():
    """A damaged identity identifies nothing."""
    item = user("Hi") | {PROVIDER_DATA: {"mine": {"at": 0, "of": ["user"], "id": "x"}}}
    assert sidecar_of(item, "mine") == Sidecar(0, ["user"], None, {}, None)


def test_older_form_is_read():
    """A class and fields are an identity and data; the fields that identify are among them."""
    fields = {"content": {"$": [0, "content"]}, "id": "m1", "name": "Ida", "response": {"n": 1}}
    old = {"at": 0, "of": ["user"], "items": digest([user("Hi")]), "class": "Human"}
    item = user("Hi") | {PROVIDER_DATA: {"mine": old | {"fields": fields}}}
    sidecar = sidecar_of(item, "mine")
    assert sidecar.id == {"class": "Human", "id": "m1", "name": "Ida"}
    assert sidecar.data == fields
    assert is_of(sidecar, [item], "mine")
    edited = settled([item | {"content": "Ho"}])
    assert data_of(edited[0], "mine") == {"at": 0, "of": ["user"], "id": sidecar.id}


def test_older_digest_counts():
    """Older sidecars were made of items with what other adapters had hidden in them."""
    item = user("Hi") | {PROVIDER_DATA: {"yours": {"at": 0, "of": ["user"]}}}
    old = {"at": 0, "of": ["user"], "items": digest([item]), "class": "Human", "fields": {}}
    both = with_data(item, "mine", old)
    assert is_of(sidecar_of(both, "mine"), [both], "mine")
    assert not is_of(sidecar_of(both, "mine"), [both | {"content": "Ho"}], "mine")


def test_items_that_are_no_json_are_not_what_they_were():
    """What no store takes was not written here."""
    (item,) = message(user("Hi"))
    assert not is_of(sidecar_of(item, "mine"), [{"role": {1, 2}}], "mine")


# Whole messages, and parts of them


def test_whole_messages_are_found():
    """Each message with a sidecar is found with its end; those beside it do not matter."""
    one, other = message(user("Hi"), CALL), message(REASONING, assistant("Ho"))
    items = [assistant("before"), *one, user("between"), *other]
    kept, found = spans(items, "mine")
    assert kept == items
    assert {start: end for start, (end, _) in found.items()} == {1: 3, 4: 6}


def test_message_that_a_slice_has_cut_keeps_its_sidecar():
    """Part of a message is none, and its sidecar waits for the rest."""
    whole = message(user("Hi"), CALL, assistant("Ho"))
    assert spans(whole[:2], "mine") == (whole[:2], {})
    late = message(REASONING, CALL)
    assert spans(late[1:], "mine") == (late[1:], {})
    assert settled(whole[:2]) == whole[:2]


def test_sidecar_of_another_shape_is_left_out():
    """A sidecar whose items are not those that it names says nothing, and goes."""
    first, _ = message(user("Hi"), CALL)
    items = [first, assistant("no call")]
    assert spans(items, "mine") == ([user("Hi"), assistant("no call")], {})
    assert items[0] is first


def test_messages_do_not_overlap():
    """An item is of one message; a sidecar that claims items of the one before has none."""
    first = message(user("Hi"), CALL)
    thief = with_data(assistant("Ho"), "mine", {"at": 1, "of": ["function_call", "assistant"]})
    _, found = spans([*first, thief], "mine")
    assert list(found) == [0]


# After an edit


@settings(deadline=None, max_examples=150)
@given(st.lists(some, min_size=1, max_size=3), names)
def test_what_nobody_edited_is_settled(messages, name):
    """Items as they were hidden stay as they are."""
    items = [item for several in messages for item in message(*several, name=name)]
    before = copy.deepcopy(items)
    assert settled(items) is items
    assert items == before


@pytest.mark.parametrize("place", [0, 1])
def test_edited_message_keeps_its_identity_only(place):
    """After an edit of any of its items nothing is hidden but what identifies the message."""
    items = message(user("Hi"), CALL, data={"secret": "4711"})
    before = copy.deepcopy(items)
    edit = {"content": "Ho"} if place == 0 else {"arguments": "[]"}
    changed = [item | edit if n == place else item for n, item in enumerate(items)]
    left = settled(changed)
    assert data_of(left[0], "mine") == {"at": 0, "of": ["user", "function_call"], "id": ID}
    assert seen(left) == seen(changed)
    assert "4711" not in json.dumps(left)
    assert digest(seen(items)) not in json.dumps(left)
    assert settled(left) == left
    assert items == before


def test_each_name_is_settled():
    """The sidecars of all adapters go, loaded or not; what others hid stays, as do notes."""
    item = hide(message(user("Hi")), "yours", identity={}, data="4711")[0]
    item = marked(with_data(item, "theirs", {"a": 1}), turn=1)
    (left,) = settled([item | {"content": "Ho"}])
    assert data_of(left, "mine") == {"at": 0, "of": ["user"], "id": ID}
    assert data_of(left, "yours") == {"at": 0, "of": ["user"], "id": {}}
    assert data_of(left, "theirs") == {"a": 1}
    assert data_of(left, "memwrap") == {"turn": 1}


def test_only_the_edited_message_loses():
    """The messages beside it keep everything."""
    one, other = message(user("1")), message(user("2"))
    left = settled([one[0] | {"content": "x"}, *other])
    assert left[1:] == other
    assert "data" not in data_of(left[0], "mine")


# Redacted


def gone(value):
    return re.sub("hush", "[R]", value) if isinstance(value, str) else value


def redact(hidden):
    return redacted(hidden, gone, gone)


def test_structure_is_no_text():
    """Places, known shapes, digests, references and tags stay, whatever a pattern matches."""
    (item,) = message(user("Hi"), data={"a": "Hi", "b": b"x", "c": (1,), "d": {"$": 1}})
    hidden = data_of(item, "mine")
    kept = redacted(hidden, lambda value: "[R]", lambda key: key)
    assert {name: kept[name] for name in ("at", "of", "items")} == {
        name: hidden[name] for name in ("at", "of", "items")
    }
    assert kept["id"] == {"id": "[R]", "name": "[R]"}
    assert kept["data"] == {
        "a": {"$": [0, "content"]},
        "b": {"$bytes": "[R]"},
        "c": {"$tuple": ["[R]"]},
        "d": {"$dict": [["[R]", "[R]"]]},
    }


def test_values_and_keys_are_redacted():
    """All else that is hidden is redacted, at any depth, and so are the keys."""
    hidden = {"id": {"hush": ["hush"]}, "data": {"a": {"hush 1": [1, "so hush"]}}}
    assert redact(hidden) == {"id": {"[R]": ["[R]"]}, "data": {"a": {"[R] 1": [1, "so [R]"]}}}


@pytest.mark.parametrize(
    ("hidden", "left"),
    [
        ({"at": "hush"}, {"at": "[R]"}),
        ({"of": ["hush"]}, {"of": ["[R]"]}),
        ({"of": "hush"}, {"of": "[R]"}),
        ({"items": "hush"}, {"items": "[R]"}),
        ({"items": ["hush"]}, {"items": ["[R]"]}),
        ({"hush": 1}, {"[R]": 1}),
    ],
)
def test_text_is_no_structure(hidden, left):
    """What only lies where structure lies is redacted as any other value."""
    assert redact(hidden) == left


def test_steps_are_redacted_as_keys_are():
    """A reference leads over keys that were redacted too, and holds nothing but steps."""
    assert redact({"data": {"$": [0, "hush", {"x": "hush"}]}}) == {"data": {"$": [0, "[R]", None]}}
    assert redact({"data": {"$args": 3}}) == {"data": {"$args": 3}}
    assert redact({"data": {"$": [0], "hush": 1}}) == {"data": {"$": [0], "[R]": 1}}


def test_redacting_changes_a_copy():
    """What was hidden stays as it was."""
    hidden = {"data": {"a": ["hush"]}}
    redact(hidden)
    assert hidden == {"data": {"a": ["hush"]}}


def test_what_an_edit_took_the_rest_of_is_settled():
    """A whole message that lost an item keeps who it is; a slice keeps its sidecar."""
    items = hide([user("Hi"), CALL], "mine", identity=ID, data={"copy": "secret"})
    assert settled(items[:1]) == items[:1]
    (left,) = settled(items[:1], is_slice=False)
    assert data_of(left, "mine") == {"at": 0, "of": ["user", "function_call"], "id": ID}


def test_settling_takes_time_with_the_size():
    """Many sidecars of the same items cost no more than as many items with one."""

    def seconds(count):
        visible = user("x" * 100)
        of = {"at": 0, "of": ["user"], "items": digest([visible]), "id": {}, "data": None}
        items = [visible | {PROVIDER_DATA: {f"n{n}": of for n in range(count)}}] * 2
        begin = time.process_time()
        assert settled(items) == items
        return time.process_time() - begin

    few, many = (min(seconds(count) for _ in range(3)) for count in (300, 3000))
    assert many < 30 * few + 0.1

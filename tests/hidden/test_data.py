"""Hidden data of items: read, noted and stripped, and never somebody else's."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwrap.adapters import NAMES
from memwrap.hidden.data import (
    PROVIDER_DATA,
    data_of,
    is_hidden_data,
    marked,
    marks_of,
    with_data,
    without_hidden,
    without_marks,
    without_provider_data,
)
from memwrap.items import user

OWN = {"memwrap": {"unanswered": "x"}}
SIDECAR = {"anything": {"at": 0, "of": ["user"]}}
THEIRS = {"theirs": {"trace": 1}, "signature": "abc", "list": [1]}


def holding(*data):
    return user("Hi") | {
        PROVIDER_DATA: {name: value for one in data for name, value in one.items()}
    }


names = st.sampled_from([*sorted(NAMES), "memwrap", "theirs", "signature"])
hidden = st.dictionaries(names, st.dictionaries(st.sampled_from(["at", "of", "x"]), st.integers()))
items = st.lists(
    st.builds(lambda data: user("Hi") | ({PROVIDER_DATA: data} if data else {}), hidden),
    max_size=4,
)


def test_data_of_a_name():
    """What lies under a name is found; what is no object there is nothing."""
    item = holding(THEIRS, OWN)
    assert data_of(item, "theirs") == {"trace": 1}
    assert data_of(item, "signature") is None
    assert data_of(item, "other") is None


@pytest.mark.parametrize("data", [None, "text", 5, [], {}])
def test_provider_data_may_be_anything(data):
    """Provider data that is no object holds nothing, and stays as it is."""
    item = user("Hi") | {PROVIDER_DATA: data}
    assert data_of(item, "memwrap") is None
    assert marks_of(item) == {}
    assert with_data(item, "memwrap", None) == item
    assert without_hidden([item]) == without_marks([item]) == [item]
    assert without_provider_data([item]) == [user("Hi")]
    assert with_data(item, "mine", {"a": 1})[PROVIDER_DATA] == {"mine": {"a": 1}}


@given(items, names)
def test_what_is_hidden_is_found_and_goes_away(several, name):
    """Hiding under a name leaves the other names, and taking it away leaves nothing of it."""
    for item in several:
        before = copy.deepcopy(item)
        holds = with_data(item, name, {"new": 1})
        assert data_of(holds, name) == {"new": 1}
        gone = with_data(holds, name, None)
        assert data_of(gone, name) is None
        assert gone == with_data(item, name, None)
        others = {key: value for key, value in item.get(PROVIDER_DATA, {}).items() if key != name}
        assert gone == user("Hi") | ({PROVIDER_DATA: others} if others else {})
        assert item == before


def test_nothing_is_copied_in_vain():
    """An item without the name is handed on as it is."""
    item = holding(THEIRS)
    assert with_data(item, "memwrap", None) is item
    assert without_hidden([item])[0] is item
    assert without_marks([item])[0] is item
    bare = user("Hi")
    assert without_provider_data([bare])[0] is bare


@given(items)
def test_all_is_stripped_for_providers(several):
    """Without provider data items show what they showed, whoever hid what."""
    assert without_provider_data(several) == [user("Hi")] * len(several)


@given(items, st.sets(names))
def test_only_what_is_memwraps_own_is_stripped(several, keep):
    """Notes and sidecars go, except under the names to keep; the rest stays in its order."""
    for item, left in zip(several, without_hidden(several, keep=keep), strict=True):
        data = item.get(PROVIDER_DATA, {})
        stays = [
            name
            for name in data
            if name in keep or name not in {*NAMES, "memwrap"} and not {"at", "of"} <= {*data[name]}
        ]
        assert list(left.get(PROVIDER_DATA, {})) == stays
        assert (PROVIDER_DATA in left) is bool(stays)
        assert without_hidden([left], keep=keep) == [left]


def test_whose_data_it_is():
    """Names of adapters and of notes are memwrap's, and so is what has the form of a sidecar."""
    for name in {*NAMES, "memwrap"}:
        assert is_hidden_data(name, "anything")
    assert is_hidden_data("adapter of mine", {"at": 0, "of": [], "more": 1})
    assert not is_hidden_data("theirs", {"at": 0})
    assert not is_hidden_data("theirs", ["at", "of"])
    assert not is_hidden_data("theirs", "text")


def test_sidecars_of_unknown_adapters_are_stripped():
    """An adapter that this program has never met is one of memwrap's all the same."""
    assert without_hidden([holding(THEIRS, SIDECAR)]) == [holding(THEIRS)]
    kept = without_hidden([holding(THEIRS, SIDECAR)], keep=["anything"])
    assert kept == [holding(THEIRS, SIDECAR)]


def test_notes_add_up():
    """Notes are added to those that are there, and taken away together."""
    item = marked(marked(holding(THEIRS), a=1, b=1), b=2)
    assert marks_of(item) == {"a": 1, "b": 2}
    assert data_of(item, "theirs") == {"trace": 1}
    assert without_marks([item]) == [holding(THEIRS)]
    assert without_marks([marked(user("Hi"), a=1), user("Ho")]) == [user("Hi"), user("Ho")]


def test_notes_leave_the_item_alone():
    """Noting something changes a copy."""
    item = holding(THEIRS)
    before = copy.deepcopy(item)
    marked(item, a=1)
    without_marks([item])
    assert item == before

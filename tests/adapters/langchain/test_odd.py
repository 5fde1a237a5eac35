"""Odd objects in messages, damaged hidden data and edited stores cost no turn and no text."""

import collections
import copy
import datetime as dt
import decimal
import enum
import json
import math
import os
import subprocess
import sys
import time
import warnings
from typing import Literal, NamedTuple
from unittest import mock

import pytest
from corpus.exactness import seen, stored, whole, written
from corpus.strategies import messages
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    ToolMessage,
)
from pydantic import BaseModel

from memwrap.adapters.langchain import from_items, to_items
from memwrap.adapters.langchain.fields import IDENTITY
from memwrap.adapters.langchain.importing.rows import name_of
from memwrap.codec import copy_items
from memwrap.hidden.sidecar import settled

thorough = settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))


class Array:
    """An object that refuses to be compared, as numpy's arrays do."""

    __hash__ = object.__hash__

    def __eq__(self, other):
        raise ValueError("ambiguous")

    def __bool__(self):
        raise ValueError("ambiguous")


class Unwritable(Array):
    """An object that a proxy without a target is: nothing can be asked of it."""

    def __repr__(self):
        raise RuntimeError("unbound")

    @property
    def __class__(self):
        raise RuntimeError("unbound")


class NoZone(dt.tzinfo):
    pass


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    ONE = 1


class Shape(str, enum.Enum):  # noqa: UP042  (its str is not its value)
    ROUND = "round"


class Point(BaseModel):
    x: int = 1


class Pair(NamedTuple):
    a: int
    b: int


def nested(levels, kind=list):
    value = 1
    for _ in range(levels):
        value = [value] if kind is list else {"a": value}
    return value


def cyclic():
    value = {"a": [1]}
    value["a"].append(value)
    return value


def tool(artifact, **more):
    return ToolMessage("ok", tool_call_id="c", artifact=artifact, **more)


def kept(message):
    """Return what comes back of a message from a store."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (back,) = from_items(copy_items(to_items([message])))
    return back


def own(items):
    """Return the sidecar of a message's items."""
    (sidecar,) = (item["provider_data"]["langchain"] for item in items if "provider_data" in item)
    return sidecar


def hide(items, **fields):
    """Put these values into the sidecar of a message's items, each where such a field lies."""
    sidecar = own(items)
    for key, value in fields.items():
        sidecar["id" if key in IDENTITY else "data"][key] = value


# Objects in metadata


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (Unwritable, "<Unwritable>"),
        (Point, "Point(x=1)"),
        (cyclic, {"a": [1, "<dict>"]}),
        (lambda: mock.ANY, "<ANY>"),
        (lambda: dt.datetime(2026, 1, 1, tzinfo=NoZone()), "<datetime>"),
    ],
    ids=["unwritable", "pydantic", "cyclic", "equals anything", "no zone"],
)
def test_objects_that_json_has_no_form_for(make, text):
    """An object that cannot be compared or written is stored as a text, with a warning."""
    odd = make()
    call = {"name": "f", "args": {"a": 1}, "id": "c", "type": "tool_call"}
    for message in (
        tool(odd),
        tool({"a": odd}, id="t"),
        AIMessage("", tool_calls=[call], response_metadata={"a": odd}),
        AIMessage("", tool_calls=[call], additional_kwargs={"a": odd}),
    ):
        with pytest.warns(UserWarning, match="stored as its repr only"):
            items = to_items([message])
        (back,) = from_items(copy_items(items))
        found = [back.additional_kwargs, back.response_metadata, getattr(back, "artifact", None)]
        assert text in (found[2], *(of.get("a") for of in found if isinstance(of, dict)))


def test_objects_that_were_put_into_a_message():
    """An object that a field got after its message was made is compared with nothing."""
    (carrying,) = from_items([{"type": "function_call_output", "call_id": "c", "output": "o"}])
    carrying.additional_kwargs["memwrap"] = from_items(
        [{"type": "function_call_output", "call_id": "c", "output": "o", "id": "fco"}]
    )[0].additional_kwargs["memwrap"]
    carrying.artifact = Array()
    asked = AIMessage("text")
    asked.usage_metadata = Array()
    for message in (carrying, asked):
        with pytest.warns(UserWarning, match="stored as its repr only"):
            items = to_items([message])
        assert seen(to_items(from_items(copy_items(items)))) == seen(items)


@pytest.mark.parametrize("kind", [list, dict])
@pytest.mark.parametrize("levels", [70, 250, 5000])
def test_values_that_nest_too_deeply(kind, levels):
    """What is hidden of a message never nests deeper than a store takes."""
    with pytest.warns(UserWarning, match="stored as its repr only"):
        items = to_items([tool(nested(levels, kind))])
    assert f"<{kind.__name__}>" in json.dumps(copy_items(items))


@pytest.mark.parametrize("kind", [list, dict])
def test_deep_items_come_back(kind):
    """An item as deep as a store takes comes back from its message, and keeps what it says."""
    for items in (
        [{"type": "strange", "value": nested(199, kind)}],
        [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "x", "y": nested(197, kind)}],
            }
        ],
    ):
        assert to_items(from_items(copy_items(items))) == items


@pytest.mark.parametrize("number", [10**5000, -(10**5000), 2**2048, 2**2047], ids="abcd")
def test_integers_of_any_size(number):
    """An integer that Python would not write comes back the same."""
    assert kept(tool(number)).artifact == number


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Colour.RED, "red"),
        (Shape.ROUND, "round"),
        ({Shape.ROUND: Level.ONE}, {"round": 1}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.defaultdict(list, a=[1]), {"a": [1]}),
        (Pair(1, 2), (1, 2)),
        (type("Score", (float,), {})(0.5), 0.5),
        (type("Rows", (list,), {})([1]), [1]),
    ],
)
def test_classes_derived_from_pythons(value, plain):
    """Of a value of a derived class only the class is lost, without a warning."""
    assert written(kept(tool(value)).artifact) == written(plain)
    items = to_items([tool(value)])
    assert written(items) == written(stored(items))


def test_sets_are_the_same_items_in_every_process():
    """The items of a set do not depend on the hashes of a process."""
    code = (
        "from langchain_core.messages import ToolMessage\n"
        "from memwrap.adapters.langchain import to_items\n"
        "print(to_items([ToolMessage('x', tool_call_id='c', artifact={'a', 'b', 'c', 'd'})]))"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "1234"
    }
    assert len(made) == 1


# Objects in blocks and arguments

SEARCH = {"type": "web_search_call", "id": "w", "action": {}, "status": "completed"}
CITED = {"type": "url_citation", "start_index": 0, "end_index": 1, "title": "t", "url": "u"}


@pytest.mark.parametrize("odd", [math.nan, b"xx", dt.date(2026, 1, 1), {1: 2}])
def test_blocks_that_json_cannot_hold(odd):
    """A block with a value that no store takes is no item, and comes back all the same."""
    custom = {"type": "custom_tool_call", "id": "ctc", "call_id": "c", "name": "n", "input": "a"}
    call = {"name": "n", "args": {"__arg1": "b"}, "id": "c"}
    said = {"type": "text", "text": "hi", "id": "msg_1"}
    checks = {"type": "computer_call_output", "acknowledged_safety_checks": [odd]}
    for message in (
        AIMessage([SEARCH | {"action": odd}]),
        AIMessage([custom | {"more": odd}], tool_calls=[call]),
        AIMessage([said | {"annotations": [CITED | {"url": odd}]}]),
        HumanMessage([{"type": "non_standard", "value": {"type": "x", "d": odd}}]),
        ToolMessage("http://x", tool_call_id="c", additional_kwargs=checks),
    ):
        items = copy_items(to_items([message]))
        assert whole(from_items(items)[0]) == whole(message)
        assert str(odd) not in json.dumps(seen(items))


def test_objects_in_blocks():
    """An object of somebody's own in a block or its fields costs the object, not the turn."""
    odd = Array()
    output = {"type": "custom_tool_call_output", "output": odd}
    for message in (
        AIMessage([SEARCH | {"action": Point()}], id="x"),
        AIMessage([{"type": "text", "text": "hi", "phase": odd}], id="x"),
        HumanMessage([{"type": "image", "url": "u", "extras": {"detail": odd}}], id="x"),
        ToolMessage("u", tool_call_id="c", additional_kwargs={"type": odd}, id="x"),
        ToolMessage([output], tool_call_id="c", id="x"),
    ):
        with pytest.warns(UserWarning, match="stored as its repr only"):
            items = to_items([message])
        (back,) = from_items(copy_items(items))
        assert (type(back), back.id) == (type(message), "x")
        assert seen(to_items([back])) == seen(items)


def test_arguments_that_json_cannot_hold():
    """Arguments that Python's writer refuses are written as well as they can be."""
    message = AIMessage("", tool_calls=[{"name": "f", "args": {"a": 10**5000}, "id": "c"}])
    message.tool_calls[0]["args"]["b"] = Unwritable()
    with pytest.warns(UserWarning, match="stored as its repr only"):
        items = copy_items(to_items([message]))
    assert json.loads(items[0]["arguments"])["b"] == "<Unwritable>"


@pytest.mark.parametrize(("first", "second"), [(0, False), (1, 1.0), ([1], [True])])
def test_edited_arguments_win_though_python_has_them_equal(first, second):
    """Arguments that were edited to another type are the ones that are stored."""
    raw = json.dumps({"a": first})
    block = {"type": "function_call", "call_id": "c", "id": "fc", "name": "f", "arguments": raw}
    message = AIMessage([block], tool_calls=[{"name": "f", "args": {"a": first}, "id": "c"}])
    message.tool_calls[0]["args"] = {"a": second}
    (item,) = to_items([message])
    assert item["arguments"] == json.dumps({"a": second})


# Derived messages


class MyAI(AIMessage):
    type: Literal["my_ai"] = "my_ai"


class MyTool(ToolMessage):
    type: Literal["my_tool"] = "my_tool"


class Assistant(BaseMessage):
    type: str = "assistant"


def test_derived_messages_with_types_of_their_own():
    """A message of a derived class says what its base would, whatever type it has."""
    call = {"name": "f", "args": {"a": 1}, "id": "c", "type": "tool_call"}
    conversation = [MyAI("yo", tool_calls=[call]), MyTool("out", tool_call_id="c")]
    assert [item.get("type") for item in to_items(conversation)] == [
        None,
        "function_call",
        "function_call_output",
    ]
    assert from_items(to_items(conversation)) == [
        AIMessage("yo", tool_calls=[call]),
        ToolMessage("out", tool_call_id="c"),
    ]


def test_messages_derived_from_none_of_the_roles():
    """A message of a class of its own is a chat message of that role, with all its fields."""
    more = {"id": "i", "additional_kwargs": {"a": 1}, "name": "n"}
    assert kept(Assistant("x", **more)) == ChatMessage("x", role="assistant", **more)
    assert kept(Assistant("x", type="judge")) == ChatMessage("x", role="judge")
    assert to_items([Assistant("x")])[0]["role"] == "assistant"


# Who a message is


@pytest.mark.parametrize(
    "message",
    [
        ToolMessage("error", tool_call_id="c", status="error", id="t"),
        AIMessage("Bob", name="Bob", id="x"),
        ChatMessage("critic", role="critic", id="critic"),
        FunctionMessage("look_up", name="look_up"),
    ],
)
def test_edits_do_not_change_who_it_was(message):
    """Who a message is does not depend on a text that happens to be the same."""
    items = to_items([message])
    items[0]["output" if "output" in items[0] else "content"] = "[gone]"
    assert from_items(items) == [message.model_copy(update={"content": "[gone]"})]


def test_one_bad_field_does_not_cost_the_others():
    """Of what tells who an edited message is, only what is damaged is dropped."""
    items = to_items([AIMessage("text", id="x", name="n", usage_metadata=USAGE)])
    hide(items, usage_metadata={"input_tokens": "many"}, name={"$bytes": 5})
    items[0]["content"] = "edited"
    assert from_items(items) == [AIMessage("edited", id="x")]


USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


def test_fields_that_a_class_refuses_are_dropped():
    """A message is never made with a field that its class would refuse."""
    items = to_items([AIMessage("text", id="x", usage_metadata=USAGE)])
    own(items)["id"]["usage_metadata"] |= {"input_tokens": "many"}
    assert from_items(items) == [AIMessage("text", id="x")]
    hide(items, id=5, response_metadata="none")
    (back,) = from_items(items)
    assert (back.id, back.response_metadata) == ("5", {})


# Damaged hidden data

DAMAGED = [
    None,
    5,
    {"$decimal": "****"},
    {"$datetime": 5},
    {"$uuid": {}},
    {"$int": []},
    {"$float": {}},
    {"$bytes": "€"},
    {"$set": [[]]},
    {"$dict": [1]},
    {"$args": 0},
    {"$": 5},
    {"$": [0, "content"], "$from": "x"},
    {"$what": 1},
    nested(5000),
]
BYTES = [{"role": "user", "content": {"$bytes": "eA=="}}]


@pytest.mark.parametrize("damage", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_fields(damage):
    """A field that cannot be read costs hidden data, never the text and never a turn."""
    for key in ("content", "id", "additional_kwargs", "response_metadata", "more", "tool_calls"):
        items = to_items([AIMessage("text", id="x", response_metadata={"a": 1})])
        hide(items, **{key: damage})
        for style in ("openai", "portable"):
            (message,) = from_items(items, style=style)
            assert (type(message), message.content) == (AIMessage, "text")
            assert seen(to_items([message])) == seen(items)


def test_redacted_hidden_data():
    """A value whose hidden form was redacted costs the sidecar, and the message converts."""
    items = to_items([tool(decimal.Decimal(4111111111111111))])
    hide(items, artifact={"$decimal": "[redacted]"})
    assert from_items(items) == [ToolMessage("ok", tool_call_id="c")]


def test_hidden_data_never_contradicts_what_is_seen():
    """A message says what its items show, whatever is hidden in them says."""
    items = to_items([AIMessage("text", id="x")])
    for content in ("else", "", [], ["text", "else"], [SEARCH]):
        hide(items, content=content)
        assert from_items(items) == [AIMessage("text", id="x")]
    hide(items, content="text", tool_calls=[{"name": "f", "args": {}, "id": ""}])
    assert from_items(items)[0].tool_calls == []


@pytest.mark.parametrize(
    "carry", [*DAMAGED, [], {}, "text", [5], [[]], {"$tuple": []}, [{1: 2}], BYTES]
)
def test_damaged_carries(carry):
    """What a message carries of its items, if it cannot be read, is left out."""
    (message,) = from_items([{"role": "user", "content": "x", "type": "message"}])
    whole_carry = copy.deepcopy(message)
    whole_carry.additional_kwargs["memwrap"][0]["as"] = carry
    assert seen(to_items([whole_carry])) == [{"role": "user", "content": "x"}]
    message.additional_kwargs["memwrap"] = carry
    assert seen(to_items([message])) == [{"role": "user", "content": "x"}]


@pytest.mark.parametrize(
    "items",
    [
        [{"type": ["a"]}],
        [{"type": "function_call"}],
        [{"role": "assistant", "content": "a", "provider_data": 5}],
        [{"role": "assistant", "content": "a", "provider_data": "langchain"}, SEARCH],
        [{"role": "assistant", "content": "a", "provider_data": {"langchain": 5}}],
    ],
)
def test_malformed_items(items):
    """Items that nobody could have meant come back as they were, also from a named message."""
    messages = from_items(items)
    assert to_items(messages) == items
    messages[0].id = "x"
    again = to_items(messages)
    assert seen(again) == seen(items)
    assert from_items(copy_items(again))[0].id == "x"


odd_values = st.recursive(
    st.none()
    | st.sampled_from([True, 0, 1, -1, 1.5, math.inf, "", "x", "user", "AIMessage", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$", "$args", "$from", "$dict", "$set", "$uuid", "content", "type"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@thorough
@given(messages, st.data())
def test_anything_hidden_converts(message, data):
    """Whatever stands in a sidecar or a carry, items and messages convert and show the same."""
    items = stored(to_items([message]))
    for item in items:
        if "provider_data" in item:
            sidecar = item["provider_data"]["langchain"]
            places = [item["provider_data"], sidecar, sidecar["id"], sidecar["data"]]
            of = data.draw(st.sampled_from(places))
            of[data.draw(st.sampled_from([*of, "content", "id"]))] = data.draw(odd_values)
    for style in ("openai", "portable"):
        shown = from_items(items, style=style)
        assert seen(to_items(shown)) == seen(items)
        for one in shown:
            one.additional_kwargs["memwrap"] = data.draw(odd_values)
        to_items(shown)


# Items


def test_outputs_of_custom_tools_come_back_from_portable_messages():
    """The output of a custom tool is the same item again in both styles."""
    items = [{"type": "custom_tool_call_output", "call_id": "c", "output": "o"}]
    for style in ("openai", "portable"):
        assert to_items(from_items(items, style=style)) == items


def test_long_runs_of_calls_take_time_with_their_length():
    """A run of calls four times as long takes no more than some times as long."""

    def taken(length):
        call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
        start = time.process_time()
        from_items([call] * length)
        return time.process_time() - start

    few, many = (min(taken(length) for _ in range(3)) for length in (1000, 8000))
    assert many < 30 * few


def test_ids_that_python_does_not_write():
    """A session id of more digits than Python writes is none."""
    assert name_of(10**5000) == ("int", False)
    assert name_of(10**50) == ("1" + "0" * 50, True)


# Stores


def edit(items, **changes):
    """Return items of which the last has been edited."""
    return [*items[:-1], copy.deepcopy(items[-1]) | changes]


def test_settled_items_keep_nothing_of_what_an_edit_took():
    """Of an edited message nothing stays in the store but who it is."""
    message = ToolMessage(
        "the code is 4711",
        tool_call_id="c",
        id="t",
        status="error",
        artifact={"code": "47" + "11"},
        response_metadata={"tokens": ["47", "11"]},
    )
    items = edit(to_items([message]), output="****")
    clean = settled(items)
    assert own(clean) == {
        "at": 0,
        "of": ["function_call_output"],
        "id": {"class": "ToolMessage", "id": "t", "status": "error"},
    }
    assert from_items(clean) == from_items(items)
    assert settled(clean) is clean
    assert own(items)["data"]["artifact"]  # the list that was given is as it was


def test_settled_items_of_another_kind_keep_nothing():
    """What replaces an item, instead of editing it, has nothing hidden of it."""
    items = to_items([AIMessage("text", id="x")])
    items[0] = {"role": "user", "content": "new", "provider_data": items[0]["provider_data"]}
    assert settled(items) == [{"role": "user", "content": "new"}]
    items[0]["provider_data"] = items[0]["provider_data"] | {"other": 1}
    assert settled(items) == [{"role": "user", "content": "new", "provider_data": {"other": 1}}]


def test_settled_items_that_nobody_edited():
    """A list of which nothing was edited is the same list, also if it is half a message."""
    call = {"name": "f", "args": {}, "id": "c"}
    items = to_items([HumanMessage("q"), AIMessage("a", tool_calls=[call], id="x")])
    for part in ([], items, items[:2], items[2:], [{"role": "user", "content": "q"}]):
        assert settled(part) is part


def test_settled_items_that_no_store_takes():
    """An edit that no store takes is left to the store to refuse."""
    items = edit(to_items([AIMessage("text", id="x")]), content=b"text")
    assert "items" not in own(settled(items))


@thorough
@given(st.lists(messages, max_size=3), st.data())
def test_settled_items_are_the_same_messages(conversation, data):
    """Messages do not change when what nobody sees of them is cut down."""
    items = stored(to_items(conversation))
    for item in items:
        if data.draw(st.booleans()):
            key = data.draw(st.sampled_from(["content", "output", "role", "type", "x"]))
            item[key] = data.draw(st.sampled_from(["assistant", "user", "x"]))
    start = data.draw(st.integers(0, len(items)))
    items = items[start:]
    before = written(items)
    clean = settled(items)
    assert written(items) == before
    assert [whole(m) for m in from_items(clean)] == [whole(m) for m in from_items(items)]
    assert settled(clean) is clean

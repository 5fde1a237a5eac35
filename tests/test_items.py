"""Items: made, inspected, and cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import REASONING

from memwrap.hidden.data import marked, marks_of
from memwrap.items import (
    assistant,
    cuts,
    repaired,
    split_turns,
    system,
    text_of,
    turn_starts,
    user,
    without_open_calls,
)


def call(call_id, kind="function_call"):
    return {"type": kind, "call_id": call_id, "name": "f", "arguments": "{}"}


def output(call_id, kind="function_call_output"):
    return {"type": kind, "call_id": call_id, "output": "done"}


def request(id):
    return {"type": "mcp_approval_request", "id": id}


def response(id):
    return {"type": "mcp_approval_response", "approval_request_id": id, "approve": True}


ids = st.sampled_from(["a", "b"])
any_item = st.one_of(
    st.sampled_from([user("u"), assistant("a"), system("s"), REASONING]),
    st.builds(call, ids),
    st.builds(output, ids),
    st.builds(request, ids),
    st.builds(response, ids),
)


def pairs(items):
    """Return the pairs of places that belong together, found by looking at all of them."""
    found = {(i, i + 1) for i, item in enumerate(items[:-1]) if item.get("type") == "reasoning"}
    answered = set()
    kinds = {
        "function_call_output": ("function_call", "call_id", "call_id"),
        "mcp_approval_response": ("mcp_approval_request", "id", "approval_request_id"),
    }
    for j, item in enumerate(items):
        if item.get("type") not in kinds:
            continue
        kind, key, answer_key = kinds[item["type"]]
        asking = [
            i
            for i in range(j)
            if items[i].get("type") == kind and items[i][key] == item[answer_key]
            if i not in answered
        ]
        # Of the newest row of calls the first.
        row = [i for i in asking if not any(ends_a_row(one) for one in items[i : asking[-1]])]
        if row:
            answered.add(row[0])
            found.add((row[0], j))
    return found


def ends_a_row(item):
    """Tell whether calls before an item and behind it were made apart."""
    return "role" in item or item["type"].endswith(("_output", "_response"))


def test_messages_have_role_and_content():
    """The three helpers make the smallest message of their role."""
    assert user("hi") == {"role": "user", "content": "hi"}
    assert assistant("hi") == {"role": "assistant", "content": "hi"}
    assert system("hi") == {"role": "system", "content": "hi"}


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (user("hi"), "hi"),
        (
            {"role": "assistant", "content": [{"type": "output_text", "text": "a"}, {"text": "b"}]},
            "ab",
        ),
        ({"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, "no"),
        ({"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}, ""),
        ({"role": "user", "content": ["stray", None, {"text": 3}]}, ""),
        ({"role": "user"}, ""),
        ({"role": "user", "content": None}, ""),
        (output("c"), "done"),
        ({**output("c"), "output": [{"type": "input_text", "text": "x"}]}, "x"),
        ({**output("c"), "output": {"screenshot": "x"}}, ""),
        (call("c"), ""),
        (REASONING, ""),
        ({}, ""),
    ],
)
def test_text_is_what_a_reader_sees(item, text):
    """Text parts, refusals and tool outputs are text; everything else is none."""
    assert text_of(item) == text


OUTPUTS = [
    (call("c"), output("c")),
    (call("c", "computer_call"), output("c", "computer_call_output")),
    (call("c", "custom_tool_call"), output("c", "custom_tool_call_output")),
    (request("c"), response("c")),
]


@pytest.mark.parametrize(("asking", "answering"), OUTPUTS)
def test_calls_and_their_answers_are_known(asking, answering):
    """A call without its answer is left out before a message, an answer without its call too."""
    whole = [user("1"), asking, answering, assistant("2")]
    assert repaired(whole) == whole
    assert repaired([user("1"), asking, assistant("2")]) == [user("1"), assistant("2")]
    assert repaired([user("1"), answering, assistant("2")]) == [user("1"), assistant("2")]


def test_nothing_may_be_left():
    """Answers without calls are left out also where there is nothing else."""
    answering = {"type": "function_call_output", "call_id": "c", "output": "x"}
    assert repaired([answering]) == repaired([answering, answering]) == repaired([]) == []


@pytest.mark.parametrize(
    "item",
    [
        {"type": "function_call", "call_id": None},
        {"type": ["function_call"], "call_id": "c"},
        {"type": "function_call_output"},
        {"call_id": "c"},
        {"type": "web_search_call", "id": "ws"},
    ],
)
def test_items_without_a_call_id_are_left_alone(item):
    """What names no call is neither a call nor an answer."""
    assert repaired([item, assistant("1")]) == [item, assistant("1")]


def test_calls_that_may_be_answered_stay():
    """A call at the end waits for its answer, unless the agent was stopped."""
    items = [user("1"), REASONING, call("a"), call("b"), output("a")]
    assert without_open_calls(items) == items
    assert without_open_calls(items, stopped=True) == [user("1"), REASONING, call("a"), output("a")]
    assert without_open_calls([REASONING, call("a")], stopped=True) == []


def test_lone_reasoning_is_not_shown():
    """Reasoning stays with what follows it, and goes without it."""
    items = [user("1"), REASONING, assistant("2"), REASONING, user("3"), REASONING]
    assert repaired(items) == [user("1"), REASONING, assistant("2"), user("3")]


def test_turns_are_split_where_they_start():
    """What comes before the first user belongs to no turn."""
    items = [system("s"), user("1"), assistant("a"), user("2"), user("3"), assistant("b")]
    assert split_turns(items) == [items[1:3], items[3:]]
    assert split_turns([system("s")]) == []


def test_marks_are_added_beside_other_data():
    """A note of memwrap's leaves the item and what others keep in it as they are."""
    item = user("1") | {"provider_data": {"other": 1}}
    noted = marked(marked(item, a=1), b=2)
    assert marks_of(noted) == {"a": 1, "b": 2}
    assert noted["provider_data"]["other"] == 1
    assert marks_of(item) == marks_of({"provider_data": "odd"}) == {}


def test_turns_start_where_the_user_begins():
    """Messages of the user in a row are one start."""
    assert turn_starts([]) == []
    items = [
        assistant("a"),
        user("1"),
        user("2"),
        assistant("b"),
        user("3"),
        system("s"),
        user("4"),
    ]
    assert turn_starts(items) == [1, 4, 6]


def test_cut_between_ordinary_messages():
    """Ordinary messages may be cut anywhere."""
    assert cuts([]) == [0]
    assert cuts([user("1"), assistant("2")]) == [0, 1, 2]


def test_no_cut_between_call_and_output():
    """Calls side by side are cut off together with all their outputs."""
    items = [user("u"), call("a"), call("b"), output("a"), output("b"), assistant("x")]
    assert cuts(items) == [0, 1, 5, 6]


def test_no_cut_behind_reasoning():
    """Reasoning stays with what follows it, though it may be the last."""
    assert cuts([REASONING, REASONING, assistant("a"), user("u"), REASONING]) == [0, 3, 4, 5]


def test_lonely_calls_and_outputs_hinder_no_cut():
    """A call without output and an output without call belong to nothing."""
    assert cuts([output("a"), call("a"), user("u")]) == [0, 1, 2, 3]


def test_ids_may_be_used_again():
    """An output belongs to the newest call of its id."""
    items = [call("a"), output("a"), user("u"), call("a"), output("a")]
    assert cuts(items) == [0, 2, 3, 5]
    assert cuts([call("a"), user("u"), call("a"), output("a")]) == [0, 1, 2, 4]


def test_ids_of_approvals_and_calls_do_not_mix():
    """An approval is answered by approvals only, though a call may have the same id."""
    assert cuts([call("a"), request("a"), response("a"), output("a")]) == [0, 4]
    assert cuts([call("a"), response("a")]) == [0, 1, 2]
    assert cuts([request("a"), output("a")]) == [0, 1, 2]


@settings(deadline=None, max_examples=300)
@given(st.lists(any_item, max_size=10))
def test_cuts_are_all_places_that_separate_nothing(items):
    """The places are those that looking at every pair gives, none less."""
    together = pairs(items)
    expected = [
        place
        for place in range(len(items) + 1)
        if not any(first < place <= second for first, second in together)
    ]
    assert cuts(items) == expected

"""Calls find their outputs, also where ids come twice."""

import pytest

from memwrap.items import user
from memwrap.pairing import pairs


def call(call_id):
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"}


def output(call_id):
    return {"type": "function_call_output", "call_id": call_id, "output": ""}


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ([call(""), call(""), output(""), output("")], [(0, 2), (1, 3)]),
        ([call("a"), call("b"), call("a"), output("a"), output("a")], [(0, 3), (2, 4)]),
        ([call("a"), output("a"), call("a"), output("a")], [(0, 1), (2, 3)]),
        ([call("a"), user("x"), call("a"), output("a")], [(2, 3)]),
        ([call("a"), call("b"), output("b"), call("a"), output("a")], [(1, 2), (3, 4)]),
    ],
)
def test_calls_of_one_id(items, found):
    """Calls side by side are answered in their order; an older row of calls waits for nobody."""
    assert pairs(items) == found

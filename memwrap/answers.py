"""Calls that are answers: a model gives structured output as one, and nobody runs it.

Such a call has no output in the store. Readers are shown one, as most providers refuse a
conversation that goes on behind a call without.
"""

from __future__ import annotations

from collections.abc import Sequence

from memwrap.hidden.data import ANSWER, PROVIDER_DATA, marked, marks_of
from memwrap.items import Item
from memwrap.pairing import call_key, pairs

__all__ = ["answers_marked", "with_accepted"]

_OUTPUTS = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
}


def answers_marked(items: Sequence[Item]) -> list[Item]:
    """Return the items with a note in the calls that have no output: they are answers."""
    answered = {call for call, _ in pairs(items)}
    return [
        marked(item, **{ANSWER: True}) if _is_call(item) and place not in answered else item
        for place, item in enumerate(items)
    ]


def with_accepted(items: list[Item]) -> list[Item]:
    """Return the items with an output behind each answer that was given as a call."""
    if not any(PROVIDER_DATA in item and ANSWER in marks_of(item) for item in items):
        return items
    answered = {call for call, _ in pairs(items)}
    shown: list[Item] = []
    for place, item in enumerate(items):
        shown.append(item)
        if place not in answered and _is_call(item) and ANSWER in marks_of(item):
            output = _OUTPUTS[item["type"]]
            shown.append({"type": output, "call_id": item["call_id"], "output": "accepted"})
    return shown


def _is_call(item: Item) -> bool:
    return item.get("type") in _OUTPUTS and call_key(item) is not None

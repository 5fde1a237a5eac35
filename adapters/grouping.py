"""Which items are one message, where a message holds several calls or several outputs."""

from __future__ import annotations

from memwrap.adapters.lossless import Group
from memwrap.items import Item
from memwrap.shapes import CALLS, OUTPUTS

__all__ = ["is_of_assistant", "joins"]


def joins(item: Item, group: Group) -> bool:
    """Tell whether *item* goes on with the message of the items before it.

    Outputs in a row are one message, and so is what the assistant does up to the next output:
    reasoning, a text, and calls. A second text begins a message, as two answers stay two.
    """
    kind = item.get("type", "message")
    if group[-1].get("type") in OUTPUTS or kind in OUTPUTS:
        return group[-1].get("type") in OUTPUTS and kind in OUTPUTS
    if not all(map(is_of_assistant, group)):
        return False
    if kind == "message":
        return item.get("role") == "assistant" and group.types == {"reasoning"}
    return kind in CALLS or (kind == "reasoning" and "message" not in group.types)


def is_of_assistant(item: Item) -> bool:
    """Tell whether *item* is what the assistant thought, said or called."""
    kind = item.get("type", "message")
    return kind in CALLS or kind == "reasoning" or item.get("role") == "assistant"

"""What calls and outputs of tools say, in the forms that most APIs take them in."""

from __future__ import annotations

import json
import math
from typing import Any

from memwrap.items import Item, arguments_of

__all__ = ["input_of", "readable"]


def input_of(call: Item, *, key: str = "input") -> dict[str, Any]:
    """Return the input of a call as an object, which many APIs take alone.

    Args:
        call: A call of a tool.
        key: Where arguments lie that are no object.
    """
    if call.get("type") == "custom_tool_call":
        return {"input": call.get("input")}
    arguments = arguments_of(call)
    return {key: call.get("arguments")} if arguments is None or _has_nan(arguments) else arguments


def _has_nan(value: Any) -> bool:
    """Tell whether a value has numbers that only Python's JSON can say: clients refuse them."""
    if isinstance(value, float):
        return not math.isfinite(value)
    members = value.values() if isinstance(value, dict) else value
    return isinstance(value, (dict, list)) and any(map(_has_nan, members))


def readable(output: Any) -> Any:
    """Return the output of a tool as a text or as parts; of anything else the JSON text."""
    return output if isinstance(output, (str, list)) else json.dumps(output, ensure_ascii=False)

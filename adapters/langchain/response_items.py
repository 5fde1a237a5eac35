"""Items of the Responses API that LangChain has as blocks, or inside of ``non_standard`` blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memwrap.codec import encode
from memwrap.exceptions import ConversionError
from memwrap.items import Item

__all__ = [
    "ASSISTANT_ITEMS",
    "OUTPUTS",
    "SYSTEM_ITEMS",
    "USER_ITEMS",
    "is_json",
    "is_spoken",
    "item_in",
    "kind_of",
    "speaker_of",
    "unwrapped",
]

# What the API asks of each item. A block that lacks it is no item, whatever its type says.
_OF_MODEL: dict[str, tuple[str, ...]] = {
    "apply_patch_call": ("call_id", "operation", "status"),
    "code_interpreter_call": ("id", "container_id", "status"),
    "compaction": ("encrypted_content",),
    "computer_call": ("id", "call_id", "pending_safety_checks", "status"),
    "file_search_call": ("id", "queries", "status"),
    "image_generation_call": ("id", "status"),
    "local_shell_call": ("id", "call_id", "action", "status"),
    "mcp_approval_request": ("id", "arguments", "name", "server_label"),
    "mcp_call": ("id", "arguments", "name", "server_label"),
    "mcp_list_tools": ("id", "server_label", "tools"),
    "program": ("id", "call_id", "code", "fingerprint"),
    "program_output": ("id", "call_id", "result", "status"),
    "reasoning": ("id", "summary"),
    "shell_call": ("call_id", "action"),
    "tool_search_call": ("arguments",),
    "web_search_call": ("id", "action", "status"),
}
_OF_CALLER: dict[str, tuple[str, ...]] = {
    "apply_patch_call_output": ("call_id", "status"),
    "local_shell_call_output": ("id", "output"),
    "mcp_approval_response": ("approval_request_id", "approve"),
    "shell_call_output": ("call_id", "output"),
    "tool_search_output": ("tools",),
}
_OF_AUTHOR: dict[str, tuple[str, ...]] = {
    "additional_tools": ("role", "tools"),
    "configuration_update": (),
}
_REQUIRED = _OF_MODEL | _OF_CALLER | _OF_AUTHOR

# LangChain leaves out what is null, and these the API wants all the same.
_NULLS: dict[str, dict[str, None]] = {
    "code_interpreter_call": {"code": None, "outputs": None},
    "image_generation_call": {"result": None},
}

SYSTEM_ITEMS = frozenset(_OF_AUTHOR)
"""Items that LangChain's models take in a SystemMessage only."""

OUTPUTS = ("function_call_output", "custom_tool_call_output", "computer_call_output")
"""Outputs of tools, which LangChain has as a ToolMessage."""

_SPEAKERS = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}

# A program may be answered by the API itself, tools may be searched by it, patches applied.
ASSISTANT_ITEMS = frozenset(_OF_MODEL) | {"apply_patch_call_output", "tool_search_output"}
"""Items that may be blocks of an AIMessage."""

USER_ITEMS = frozenset(_OF_CALLER) | {"configuration_update"}
"""Items that may be blocks of a HumanMessage."""


def kind_of(value: Any) -> str | None:
    """Return the type that an item, a part of one or a block says it has."""
    kind = value.get("type") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else None


def is_json(value: Any) -> bool:
    """Tell whether an item may hold a value: no store takes NaN, bytes, dates, other objects."""
    try:
        encode({"": value})
    except ConversionError:
        return False
    return True


def is_spoken(item: Item) -> bool:
    """Tell whether an item that is no message and no output of a tool comes from the model."""
    kind = kind_of(item) or ""
    if kind == "tool_search_output":
        return item.get("execution") != "client"
    return kind in _OF_MODEL or kind.endswith("_call")


def speaker_of(item: Item) -> str | None:
    """Return who speaks in an item: user, system, assistant or tool; None for what nobody says."""
    kind = item.get("type", "message")
    if kind == "message":
        role = item.get("role")
        return _SPEAKERS.get(role) if isinstance(role, str) else None
    if kind in OUTPUTS and isinstance(item.get("call_id"), str):
        return "tool"
    if kind_of(item) in SYSTEM_ITEMS:
        return "system"
    return "assistant" if is_spoken(item) else None


def unwrapped(block: Any) -> Any:
    """Return what is in a block that LangChain has no name for; the block itself if it has."""
    if kind_of(block) == "non_standard" and isinstance(block.get("value"), dict):
        return block["value"]
    return block


def item_in(block: Mapping[str, Any]) -> Item | None:
    """Return the item that a block is, without LangChain's indexes; None if it is none."""
    kind = kind_of(block) or ""
    required = _REQUIRED.get(kind)
    if required is None or any(block.get(key) is None for key in required) or not is_json(block):
        return None
    item = {key: value for key, value in block.items() if key != "index"}
    if kind == "reasoning" and not _has_summary(item):
        return None
    return item | {key: None for key in _NULLS.get(kind, ()) if key not in item}


def _has_summary(item: Item) -> bool:
    """Tell whether the summary is the API's own, and take LangChain's indexes out of it."""
    parts = item["summary"]
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        return False
    item["summary"] = [{key: part[key] for key in part if key != "index"} for part in parts]
    return all(part.keys() == {"type", "text"} for part in item["summary"])

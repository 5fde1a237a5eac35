"""Roles and types by which items are known: names that everybody uses, nobody's own text."""

from __future__ import annotations

from typing import Any

from memwrap.items import Item

__all__ = ["CALLS", "OUTPUTS", "ROLES", "TYPES", "is_known_shape", "name_of_part", "shape_of"]

ROLES = frozenset({"user", "assistant", "system", "developer", "tool", "function"})

CALLS = frozenset({"function_call", "custom_tool_call"})
"""The types of calls of a caller's own tools."""

OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
"""The types of what such tools return."""

TYPES = frozenset(
    {
        # items
        *("message", "reasoning", "item_reference", "compaction", "program", "program_output"),
        *("function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output"),
        *("computer_call", "computer_call_output", "local_shell_call", "local_shell_call_output"),
        *("shell_call", "shell_call_output", "apply_patch_call", "apply_patch_call_output"),
        *("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"),
        *("mcp_call", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response"),
        *("tool_search_call", "tool_search_output", "additional_tools", "configuration_update"),
        # their parts
        *("input_text", "output_text", "refusal", "input_image", "input_file", "input_audio"),
        *("summary_text", "reasoning_text", "computer_screenshot", "text", "image", "file"),
        *("url_citation", "file_citation", "container_file_citation", "file_path"),
    }
)
"""The types of the Responses API that readers of items know by name."""


def shape_of(item: Item) -> Any:
    """Return the role of a message, the type of any other item."""
    return item.get("role") or item.get("type")


def is_known_shape(shape: object) -> bool:
    """Tell whether *shape* is a role or type of the Responses API, and not somebody's text."""
    return isinstance(shape, str) and (shape in ROLES or shape in TYPES)


def name_of_part(part: Item) -> str:
    """Return the text in place of a part that cannot be shown: what it is, and its name."""
    kind = part["type"] if is_known_shape(part.get("type")) else "part"
    word = kind.removeprefix("input_")
    keys = ("filename", "file_url", "image_url", "file_id")
    names = (part[key] for key in keys if isinstance(part.get(key), str))
    name = next((name for name in names if not name.startswith("data:")), None)
    return f"[{word}: {name}]" if name else f"[{word}]"

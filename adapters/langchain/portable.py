"""LangChain messages for models of any provider: an adapter to pass to `memwrap.with_session`.

As `memwrap.adapters.langchain`, but for the way back, since other providers than the one that a
history came from refuse the rest:

- Reasoning, hosted tools' blocks, ids and annotations stay out of the content, and files that are
  an id only are named in text.
- Ids of calls have letters, digits, ``_`` and ``-``, at most 40, and are unique.
- Instructions come first. What says nothing is left out, and a user begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from memwrap.adapters.dispatch import clear_errors
from memwrap.adapters.langchain.convert import from_items as _from_items
from memwrap.adapters.langchain.convert import to_items
from memwrap.adapters.langchain.runnables import answer, methods
from memwrap.adapters.targets import OPENING
from memwrap.instructions import is_instruction
from memwrap.items import Item

__all__ = ["answer", "from_items", "methods", "to_items"]

_TOOLS = frozenset(
    {
        *("function_call", "function_call_output"),
        *("custom_tool_call", "custom_tool_call_output"),
    }
)
_OPENING = {"role": "user", "content": OPENING}


@clear_errors
def from_items(items: Sequence[Item], /) -> list[Any]:
    """Turn items into messages of text, images, files and calls."""
    said = [item for item in items if item.get("type") in _TOOLS or _says_something(item)]
    instructions = [item for item in said if is_instruction(item)]
    others = [item for item in said if not is_instruction(item)]
    if others and others[0].get("role") != "user":
        others.insert(0, _OPENING)
    return _from_items([*instructions, *others], style="portable")


def _says_something(item: Item) -> bool:
    """Tell whether an item is a message with more in it than blank text."""
    if item.get("type", "message") != "message":
        return False
    content = item.get("content")
    parts = content if isinstance(content, list) else [{"text": content}]
    return any(_says(part) for part in parts if isinstance(part, dict))


def _says(part: dict[str, Any]) -> bool:
    for key in ("text", "refusal"):
        if key in part:
            return isinstance(part[key], str) and bool(part[key].strip())
    return True  # a picture or a file

"""What a message says, as items: text, images, calls, outputs, reasoning, in their order.

All of it comes from what LangChain's models read: ``content`` and ``tool_calls``, so that an edit
of a message is an edit of its items, and ``additional_kwargs`` where older messages have the same.
What has no place in an item is left to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import (
    AIMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from memwrap.adapters.langchain.calls import CALL_IDS, Calls, called
from memwrap.adapters.langchain.parts import PARTS, part_of, parts_of
from memwrap.adapters.langchain.response_items import (
    ASSISTANT_ITEMS,
    SYSTEM_ITEMS,
    USER_ITEMS,
    is_json,
    item_in,
    kind_of,
    speaker_of,
    unwrapped,
)
from memwrap.hidden.data import without_hidden
from memwrap.items import Item

__all__ = ["items_of", "role_of"]

_PHASES = ("commentary", "final_answer")
_ROLES = {role: role for role in ("system", "developer", "assistant")}
_ROLES |= {"ai": "assistant", "model": "assistant"}

# The keys of the annotations that the API knows; an index is LangChain's own word.
_ANNOTATIONS: dict[str | None, set[str]] = {
    "container_file_citation": {"container_id", "end_index", "file_id", "filename", "start_index"},
    "file_citation": {"file_id", "filename", "index"},
    "file_path": {"file_id", "index"},
    "url_citation": {"end_index", "start_index", "title", "url"},
}


def items_of(message: Any) -> list[Item]:
    """Return the items of one message, with nothing hidden in them; at least one."""
    return without_hidden(_items_of(message))


def _items_of(message: Any) -> list[Item]:
    # By the class: derived ones may have types of their own.
    if isinstance(message, AIMessage):
        return _assistant_items(message)
    if isinstance(message, (ToolMessage, FunctionMessage)):
        return [_output(message)]
    if isinstance(message, SystemMessage):
        role = message.additional_kwargs.get("__openai_role__")
        return _author_items("developer" if role == "developer" else "system", message.content)
    role = "user" if isinstance(message, HumanMessage) else role_of(message)
    if (role := _ROLES.get(role.strip().lower(), "user")) != "user":
        text = message.content if isinstance(message.content, str) else str(message.text)
        return [{"role": role, "content": text}]
    return _author_items("user", message.content)


def role_of(message: Any) -> str:
    """Return the role of a `ChatMessage`, or of a class derived from `BaseMessage` itself."""
    role = getattr(message, "role", None)
    return role if isinstance(role, str) else str(message.type)


# What the caller gives


def _author_items(role: str, content: Any) -> list[Item]:
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    if len(content) == 1 and (item := _whole_item(content[0])) is not None:
        speaker = "user" if role == "user" else "system"
        if speaker_of(item) in (None, speaker):
            return [item]
    known = USER_ITEMS if role == "user" else USER_ITEMS | SYSTEM_ITEMS
    items: list[Item] = []
    parts: list[Item] = []
    for wrapped in content:
        block = unwrapped(wrapped)
        if kind_of(block) in known:
            items += [item] if (item := item_in(block)) is not None else []
        elif (part := part_of(block)) is not None:
            parts.append(part)
    return [*items, {"role": role, "content": parts}] if parts or not items else items


def _whole_item(block: Any) -> Item | None:
    """Return the item of a block that is all there is: one that LangChain has no message for."""
    item: Item = unwrapped(block)
    kind = None if item is block else kind_of(item)
    is_part = kind is None or kind in PARTS or kind.startswith("input_")
    return item if not is_part and is_json(item) else None


# What the model says


def _assistant_items(message: Any) -> list[Item]:
    calls = Calls(message)
    items: list[Item] = []
    for block in _blocks_of(message):
        _speak(unwrapped(block), items, calls)
    items += calls.rest()
    return items or [{"role": "assistant", "content": ""}]


def _blocks_of(message: Any) -> list[Any]:
    """Return the content as blocks, with those that LangChain 0.3 kept beside it."""
    content, beside = message.content, message.additional_kwargs
    blocks: list[Any] = [content] if isinstance(content, str) and content else []
    if not isinstance(content, str):
        blocks += content
    thought, refusal = beside.get("reasoning"), beside.get("refusal")
    outputs = beside.get("tool_outputs")
    if isinstance(thought, dict):
        blocks.insert(0, {"type": "reasoning"} | thought)
    if isinstance(refusal, str) and refusal:
        blocks.append({"type": "refusal", "refusal": refusal})
    return blocks + outputs if isinstance(outputs, list) else blocks


def _speak(block: Any, items: list[Item], calls: Calls) -> None:
    """Add what a block says; a call at the place of the block that names it."""
    if isinstance(block, str):
        items.append({"role": "assistant", "content": block})
        return
    kind = kind_of(block)
    if kind in ("text", "output_text", "refusal"):
        _add_text(block, "refusal" if kind == "refusal" else "text", items)
    elif kind in CALL_IDS:
        if (call := calls.take(block.get(CALL_IDS[kind]))) is not None:
            items.append(called(call, block))
    elif kind in ASSISTANT_ITEMS and (item := item_in(block)) is not None:
        items.append(item)


def _add_text(block: dict[str, Any], kind: str, items: list[Item]) -> None:
    text = block.get(kind)
    if not isinstance(text, str):
        return
    item_id = block.get("id")
    named = block.get("phase")
    phase = {"phase": named} if isinstance(named, str) and named in _PHASES else {}
    if not (isinstance(item_id, str) and item_id.startswith("msg_")):
        items.append({"role": "assistant", "content": text} | phase)
        return
    part: Item = {"type": "refusal", "refusal": text}
    if kind == "text":
        part = {"type": "output_text", "text": text, "annotations": _annotations(block)}
    last = items[-1] if items else {}
    if last.get("id") == item_id and last.get("type") == "message":
        last["content"].append(part)  # made here a moment ago
        last |= phase
        return
    item: Item = {"id": item_id, "type": "message", "role": "assistant", "status": "completed"}
    items.append(item | {"content": [part]} | phase)


def _annotations(block: Mapping[str, Any]) -> list[Item]:
    """Return the annotations that the API knows."""
    found = block.get("annotations")
    known: list[Item] = []
    for annotation in found if isinstance(found, list) else ():
        keys = _ANNOTATIONS.get(kind := kind_of(annotation))
        if keys is None:
            continue
        item: Item = dict(annotation)
        if kind == "file_citation" and "file_index" in item:  # an index is LangChain's own word
            item["index"] = item.pop("file_index")
        if item.keys() == keys | {"type"} and is_json(item):
            known.append(item)
    return known


# What tools answer


def _output(message: Any) -> Item:
    content = message.content
    own = None if isinstance(message, FunctionMessage) else message.tool_call_id
    call_id = own or message.name or "call_0"
    kind = kind_of(message.additional_kwargs)
    if isinstance(content, list):
        for block in content if len(content) == 1 else ():
            if (item := _whole_item(block)) is not None and speaker_of(item) == "tool":
                return item | {"call_id": call_id}
            if kind_of(block) == "custom_tool_call_output":
                output = block.get("output")
                kind, content = block["type"], "" if output is None else output
    if kind == "computer_call_output" and (screen := _screen(content)) is not None:
        checks = message.additional_kwargs.get("acknowledged_safety_checks")
        is_checked = isinstance(checks, list) and checks and is_json(checks)
        checked = {"acknowledged_safety_checks": checks} if is_checked else {}
        return {"type": kind, "call_id": call_id, "output": screen} | checked
    return {
        "type": kind if kind == "custom_tool_call_output" else "function_call_output",
        "call_id": call_id,
        "output": parts_of(content) if isinstance(content, list) else str(content),
    }


def _screen(content: Any) -> Item | None:
    """Return the picture of a screen; a text is its URL, as in LangChain."""
    if isinstance(content, str):
        return {"type": "computer_screenshot", "image_url": content}
    for part in parts_of(content):
        if part["type"] == "input_image":
            keys = ("image_url", "file_id")
            return {"type": "computer_screenshot"} | {k: part[k] for k in keys if k in part}
    return None

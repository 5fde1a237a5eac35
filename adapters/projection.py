"""The projection: items as a reader can take them, whoever wrote them.

The store keeps what happened. The projection runs before every reader, in this order:

| step                       | what it does                                                        |
|----------------------------|---------------------------------------------------------------------|
| order                      | outputs stand right behind their calls; what the assistant said in  |
|                            | between moves in front of the calls                                 |
| foreign items              | reasoning of other models goes, and items that the target has not   |
| media                      | parts that a speaker cannot show there are named in text            |
| dumps                      | null keys go, and keys that only the `openai` package writes        |
| ids                        | call ids fit the target's alphabet and length, and are unique; a    |
|                            | call and its output have the same                                   |

Instructions that come with every input, open calls, orphan outputs and reasoning without a follower
are no matter of a dialect: `memwrap.items.repaired` and `memwrap.instructions` see to them.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memwrap.hidden.data import is_hidden_data, names_of
from memwrap.hidden.sidecar import retied
from memwrap.items import Item, are_texts, in_order, pairs
from memwrap.shapes import TYPES, is_known_shape

__all__ = ["CHAT", "PORTABLE", "RESPONSES", "SAME", "Target", "fitting_id", "projected"]

_WORD = re.compile(r"[A-Za-z0-9_-]+")
_DIGITS = 16  # of the digest in an id that was made to fit

# Keys that the API wants although they are null.
_NULLABLE = {
    "code_interpreter_call": frozenset({"code", "outputs"}),
    "image_generation_call": frozenset({"result"}),
}
# What the `openai` package makes of a text, and the API does not take back.
_PARSED = frozenset({"parsed", "parsed_arguments"})


@dataclass(frozen=True, slots=True)
class Target:
    """What a reader of items can take.

    Attributes:
        name: The dialect; reasoning under another dialect's name is another model's.
        restores: Whether messages of the dialect are restored from their sidecars.
        id_length: How many characters a call id may have; None for any id at all.
        items: The types of items besides messages; None for all.
        parts: By speaker, the parts that content may have besides text, and where their data may
            be; None for all. Outputs of tools are spoken by ``"tool"``.
        is_api: Whether the reader is the Responses API, which refuses keys it does not know.
    """

    name: str
    restores: bool = True
    id_length: int | None = None
    items: frozenset[str] | None = None
    parts: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None
    is_api: bool = False


SAME = Target("same")
"""A framework's own messages, all of them, exactly."""

PORTABLE = Target("portable", restores=False, id_length=64)
"""A framework's messages for a model of any provider."""

RESPONSES = Target("plain", id_length=64, is_api=True)
"""The Responses API."""

CHAT = Target(
    "chat",
    id_length=40,
    items=frozenset(
        {
            *("function_call", "function_call_output"),
            *("custom_tool_call", "custom_tool_call_output"),
        }
    ),
    parts={
        "user": {
            "input_image": ("image_url",),
            "input_file": ("file_data", "file_id"),
            "input_audio": ("input_audio",),
        },
        "assistant": {"refusal": ("refusal",)},
    },
)
"""The Chat Completions API."""


def projected(items: Sequence[Item], target: Target) -> list[Item]:
    """Return *items* as *target* can take them."""
    if target.parts is None and are_texts(items):
        return list(items)
    if any(type(item) is not dict for item in items):
        return list(items)  # a layer put something else there
    taken = [_shown(item, target) for item in in_order(list(items)) if _is_taken(item, target)]
    return _with_fitting_ids(taken, target)


def fitting_id(call_id: str, target: Target) -> str:
    """Return a call id in the target's alphabet and length, the same for the same id each time."""
    if target.id_length is None:
        return call_id
    if len(call_id) <= target.id_length and _WORD.fullmatch(call_id):
        return call_id
    return _made_id(call_id, length=target.id_length)


def _made_id(*parts: str, length: int) -> str:
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    readable = "_".join(_WORD.findall(parts[0]))[: length - _DIGITS - 1]
    return f"{readable}_{digest[:_DIGITS]}" if readable else f"call_{digest[:_DIGITS]}"


def _is_taken(item: Item, target: Target) -> bool:
    kind = item.get("type", "message")
    if kind == "message":
        return True
    if target.items is not None and kind not in target.items:
        return False
    return kind != "reasoning" or not target.is_api or _is_of_the_api(item)


def _is_of_the_api(reasoning: Item) -> bool:
    """Tell whether reasoning is an item of the Responses API, and not another dialect's."""
    names = (name for name in names_of(reasoning) if is_hidden_data(name, None))
    return isinstance(reasoning.get("id"), str) and not any(name != "memwrap" for name in names)


def _shown(item: Item, target: Target) -> Item:
    if target.parts is not None:
        key = "output" if "output" in item else "content"
        if isinstance(item.get(key), list):
            allowed = target.parts.get(item.get("role", "tool"), {})
            parts = [_named(part, allowed) for part in item[key]]
            item = item if parts == item[key] else item | {key: parts}
    if target.is_api and item.get("type") in TYPES:
        return _without_nulls(item)
    return item


def _named(part: Any, allowed: Mapping[str, tuple[str, ...]]) -> Any:
    """Return a part of a content, or a text that names what cannot be shown."""
    if not isinstance(part, dict) or isinstance(part.get("text"), str):
        return part
    kind = part["type"] if is_known_shape(part.get("type")) else "part"
    if any(part.get(key) for key in allowed.get(kind, ())):
        return part
    word = kind.removeprefix("input_")
    keys = ("filename", "file_url", "image_url", "file_id")
    names = (part[key] for key in keys if isinstance(part.get(key), str))
    name = next((name for name in names if not name.startswith("data:")), None)
    return {"type": "input_text", "text": f"[{word}: {name}]" if name else f"[{word}]"}


def _without_nulls(item: Item) -> Item:
    """Return an item of the API without what only a dump of it has."""
    kept = _NULLABLE.get(item["type"], frozenset())
    shown = {
        key.rstrip("_"): value
        for key, value in item.items()
        if key not in _PARSED and (value is not None or key in kept)
    }
    content = shown.get("content")
    if isinstance(content, list):
        shown["content"] = [
            {k: v for k, v in part.items() if v is not None and k not in _PARSED}
            if isinstance(part, dict)
            else part
            for part in content
        ]
    return item if shown == item else shown


def _are_fitting(items: list[Item], target: Target) -> bool:
    """Tell whether all call ids fit, and each is of one call only."""
    taken: set[str] = set()
    for item in items:
        call_id = item.get("call_id")
        if call_id is None:
            continue
        if type(call_id) is not str or fitting_id(call_id, target) != call_id:
            return False
        if not str(item.get("type")).endswith("_output"):
            if call_id in taken:
                return False
            taken.add(call_id)
    return True


def _with_fitting_ids(items: list[Item], target: Target) -> list[Item]:
    """Return the items with call ids that the target takes, each of one call only."""
    if target.id_length is None or _are_fitting(items, target):
        return items
    call_of = {output: call for call, output in pairs(items)}
    ids: dict[int, str] = {}
    taken: set[str] = set()
    repeats = Counter[str]()
    for place, item in enumerate(items):
        call_id = item.get("call_id")
        if not isinstance(call_id, str):
            continue
        fit = fitting_id(call_id, target)
        if place in call_of:
            ids[place] = ids.get(call_of[place], fit)
            continue
        if not str(item.get("type")).endswith("_output"):
            if fit in taken:
                said = str(item.get("arguments") or item.get("input"))
                fit = _made_id(call_id, str(item.get("name")), said, length=target.id_length)
            while fit in taken:
                repeats[call_id] += 1
                fit = _made_id(call_id, str(repeats[call_id]), length=target.id_length)
            taken.add(fit)
        ids[place] = fit
    shown = [
        item
        if ids.get(place, item.get("call_id")) == item.get("call_id")
        else item | {"call_id": ids[place]}
        for place, item in enumerate(items)
    ]
    return retied(items, shown, target.name)

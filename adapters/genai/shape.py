"""Gemini's contents as the shared mechanism sees them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from google.genai import types
from pydantic import BaseModel

from memwrap.adapters.genai.contents import Spoken, SystemContent, content_of, items_of
from memwrap.adapters.grouping import joins
from memwrap.adapters.lossless import Group, Lossless
from memwrap.adapters.projection import Target
from memwrap.items import Item

__all__ = ["OWN", "dump_content", "dump_model", "load_content", "lossless_for"]

OWN = "own"
"""The key of a dump that is hidden whatever items say of the rest.

By their sidecar calls, responses and blank texts are known to be Gemini's own, whose ids, names and
order go back as they came.
"""

_CLASSES: dict[str, type[types.Content]] = {
    kind.__name__: kind for kind in (types.UserContent, types.ModelContent, SystemContent)
}


class _Shape:
    """Gemini's contents.

    Args:
        names: The names of functions, by the ids of their calls.
    """

    name = "genai"
    identity = ()
    unsaid = (OWN,)

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def dump(self, spoken: Spoken) -> dict[str, Any]:
        return dump_content(spoken)

    def load(self, data: dict[str, Any]) -> Spoken:
        return load_content(data)

    def show(self, spoken: Spoken) -> list[Item]:
        return items_of(spoken, self.name)

    def say(self, items: Sequence[Item], target: Target, identity: Mapping[str, Any]) -> Spoken:  # noqa: ARG002
        return content_of(items, self._names)

    def joins(self, item: Item, group: Group, target: Target) -> bool:  # noqa: ARG002
        return joins(item, group)


def dump_content(spoken: Spoken) -> dict[str, Any]:
    """Return all that a content holds, with the ids that its items have."""
    content = spoken.content
    dumped: dict[str, Any] = {"content": dump_model(content)}
    if type(content) is not types.Content:
        name = next(base.__name__ for base in type(content).__mro__ if base.__name__ in _CLASSES)
        dumped["class"] = name
    if spoken.ids:
        dumped["ids"] = {str(place): call_id for place, call_id in spoken.ids.items()}
    is_own = not content.parts or any(map(_is_own, content.parts))
    return dumped | ({OWN: True} if is_own else {})


def load_content(data: Mapping[str, Any]) -> Spoken:
    """Return the content of a dump.

    Raises:
        ValueError: Nobody dumped it.
    """
    content = types.Content.model_validate(data["content"])
    if (name := data.get("class")) is not None:
        content = _CLASSES[name].model_construct(role=content.role, parts=content.parts)
    ids = {int(place): call_id for place, call_id in data.get("ids", {}).items()}
    return Spoken(content, ids)


def dump_model(value: Any) -> Any:
    """Return an object of the SDK's as JSON has it; bytes of media as the items show them."""
    if isinstance(value, BaseModel):
        dumped = {name: dump_model(member) for name, member in value if member is not None}
        if isinstance(value, (types.Blob, types.FunctionResponseBlob)) and value.data is not None:
            dumped["data"] = base64.b64encode(value.data).decode()
        return dumped
    if isinstance(value, list):
        return [dump_model(member) for member in value]
    if isinstance(value, dict):
        return {key: dump_model(member) for key, member in value.items()}
    return value.value if isinstance(value, Enum) else value


def _is_own(part: types.Part) -> bool:
    is_blank = part.text is not None and not part.text.strip()
    return bool(is_blank or part.function_call or part.function_response)


def lossless_for(names: Mapping[str, str]) -> Lossless[Spoken]:
    """Return what converts contents exactly.

    Args:
        names: The names of functions, by the ids of their calls: outputs have none themselves.
    """
    return Lossless(_Shape(names))

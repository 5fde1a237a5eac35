"""Pydantic AI's messages as the shared mechanism sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pydantic_core
from pydantic_ai.messages import (
    BaseToolReturnPart,
    BinaryContent,
    FilePart,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelResponse,
    SpeechPart,
    UserPromptPart,
)

from memwrap.adapters.lossless import Group, Lossless
from memwrap.adapters.projection import Target
from memwrap.adapters.pydantic_ai.items_to_message import UNKNOWN_TIME, joins, message_of
from memwrap.adapters.pydantic_ai.message_to_items import NAME, items_of
from memwrap.items import Item

__all__ = ["LOSSLESS", "loaded", "reloaded"]

_ALWAYS = frozenset({"content", "value"})
"""Keys of parts that are there, whatever their value."""


class _Shape:
    """Pydantic AI's messages, as its own serializer dumps and loads them."""

    name = NAME
    identity = (
        *("conversation_id", "finish_reason", "model_id", "model_name", "provider_name"),
        *("provider_url", "run_id", "timestamp", "usage"),
    )
    unsaid = (*identity, "instructions", "metadata", "provider_details", "provider_response_id")

    def dump(self, message: ModelMessage) -> dict[str, Any]:
        data = _dumped(message)
        texts = {_urlsafe(one.base64): one.base64 for one in _binaries(message)}
        changed = {url_safe: text for url_safe, text in texts.items() if url_safe != text}
        whole: dict[str, Any] = _with_texts(data, changed) if changed else data
        whole["parts"] = [_bare(part, _PART_DEFAULTS) for part in whole["parts"]]
        if "usage" in whole:
            whole["usage"] = _bare(whole["usage"], _RESPONSE["usage"])
        return _bare(whole, _DEFAULTS[whole["kind"]])

    def load(self, data: dict[str, Any]) -> ModelMessage:
        return loaded([data])[0]

    def show(self, message: ModelMessage) -> list[Item]:
        return items_of(message)

    def say(
        self,
        items: Sequence[Item],
        target: Target,  # noqa: ARG002
        identity: Mapping[str, Any],
    ) -> ModelMessage:
        message = message_of(items)
        return self.load(self.dump(message) | dict(identity)) if identity else message

    def joins(self, item: Item, group: Group, target: Target) -> bool:  # noqa: ARG002
        return joins(item, group)


def loaded(dumps: Iterable[dict[str, Any]]) -> list[ModelMessage]:
    """Return the messages of dumps, as the framework reads its own JSON."""
    whole = [_UNTIMED | dump if dump.get("kind") == "response" else dump for dump in dumps]
    return ModelMessagesTypeAdapter.validate_json(pydantic_core.to_json(whole))


def reloaded(message: ModelMessage) -> ModelMessage:
    """Return a message as it would come from JSON, where the framework knows no retry prompts."""
    is_old = any(part.part_kind == "retry-prompt" for part in message.parts)
    return loaded([_dumped(message)])[0] if is_old else message


def _dumped(message: ModelMessage) -> dict[str, Any]:
    (data,) = ModelMessagesTypeAdapter.dump_python([message], mode="json")
    found: dict[str, Any] = data
    return found


def _bare(data: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dump without what goes without saying."""
    return {
        key: value
        for key, value in data.items()
        if key in _ALWAYS or not (value is None or (key in defaults and defaults[key] == value))
    }


def _binaries(message: ModelMessage) -> Iterator[BinaryContent]:
    """Yield the files in a message."""
    for part in message.parts:
        found: Iterable[Any] = ()
        if isinstance(part, UserPromptPart) and not isinstance(part.content, str):
            found = part.content
        elif isinstance(part, BaseToolReturnPart):
            found = part.files
        elif isinstance(part, FilePart):
            found = [part.content]
        elif isinstance(part, SpeechPart):
            found = [part.audio]
        yield from (one for one in found if isinstance(one, BinaryContent))


def _urlsafe(text: str) -> str:
    return text.replace("+", "-").replace("/", "_")


def _with_texts(value: Any, texts: Mapping[str, str]) -> Any:
    """Return a dump with files as data URLs have them, which items show: the framework reads both.

    So hidden data can refer to what is seen, and does not repeat it.
    """
    if isinstance(value, dict):
        return {key: _with_texts(member, texts) for key, member in value.items()}
    if isinstance(value, list):
        return [_with_texts(member, texts) for member in value]
    return texts.get(value, value) if isinstance(value, str) else value


_RESPONSE = _dumped(ModelResponse([], timestamp=UNKNOWN_TIME))
_UNTIMED: Final[dict[str, Any]] = {"timestamp": _RESPONSE["timestamp"]}
_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "request": {"state": "complete"},
    "response": {"state": "complete", "usage": {}, **_UNTIMED},
}
_PART_DEFAULTS: Final[Mapping[str, Any]] = {
    "content_file_digests": [],
    "outcome": "success",
    "scope": "conversation",
}

LOSSLESS: Final[Lossless[ModelMessage]] = Lossless(_Shape())
"""Converts messages exactly, there and back."""

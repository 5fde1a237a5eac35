"""Gemini's contents, whatever form they come in, as items, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from google.genai import types

from memwrap.adapters import plain
from memwrap.adapters.dispatch import check_item, clear_errors, convert, one_by_one, unknown
from memwrap.adapters.foreign import foreign_projected
from memwrap.adapters.genai.contents import Spoken
from memwrap.adapters.genai.fitting import Opening, fitting
from memwrap.adapters.genai.ids import free_ids
from memwrap.adapters.genai.shape import lossless_for
from memwrap.adapters.genai.streams import Chunks
from memwrap.adapters.streams import added_up
from memwrap.adapters.targets import GENAI
from memwrap.adapters.usages import usage_of
from memwrap.items import Item
from memwrap.usage import Usage

__all__ = ["from_items", "names_in", "rebuild", "to_items", "usages_in"]

_READABLE = (types.Content, types.Part, types.GenerateContentResponse, types.Candidate)
_PART = frozenset(
    name for key, field in types.Part.model_fields.items() for name in (key, field.alias)
)


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn contents of Gemini's into items; see the table of the package.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules["memwrap.adapters.genai"], _items_of)


@clear_errors
def from_items(items: Sequence[Item], /) -> list[types.Content]:
    """Turn items into contents of Gemini's; see the table of the package."""
    shown = foreign_projected(items, GENAI)
    lossless = lossless_for(names_in(shown))
    return fitting([spoken.content for spoken in lossless.from_items(shown, target=GENAI)])


def names_in(items: Sequence[Item]) -> dict[str, str]:
    """Return the names of functions that items call, by the ids of the calls."""
    return {item["call_id"]: item["name"] for item in items if {"call_id", "name"} <= item.keys()}


def rebuild(items: Sequence[Item], type_name: str, values: Sequence[Any] = (), /) -> Any:  # noqa: ARG001
    """Return a response that says what *items* say, or its content; None for other types."""
    contents = [content for content in from_items(items) if content.role == "model"]
    content = contents[-1] if contents else types.Content(role="model")
    name = type_name.rpartition(".")[2]
    if name == "GenerateContentResponse":
        candidate = types.Candidate(content=content, finish_reason=types.FinishReason.STOP, index=0)
        return types.GenerateContentResponse(candidates=[candidate])
    return content if name.endswith("Content") else None


def usages_in(event: Any, /) -> list[Usage]:
    """Return the usage of each response in a result, or in an event of a stream."""
    several = event if isinstance(event, (list, tuple)) else [event]
    return [usage for one in several if (usage := _usage_of(one)) is not None]


def _usage_of(response: Any) -> Usage | None:
    """Return what a response cost; None of a chunk before the last, which tells too little."""
    if not isinstance(response, types.GenerateContentResponse):
        return None
    if not any(candidate.finish_reason for candidate in response.candidates or ()):
        return None
    usage = usage_of(response.usage_metadata, response.model_version)
    # Gemini counts thoughts beside the answer.
    return usage and replace(usage, output_tokens=usage.output_tokens + usage.reasoning_tokens)


def _items_of(messages: list[Any], role: str) -> list[Item]:
    said = list(added_up(_read(messages, role), Chunks(role)))
    ids = iter(free_ids(one for one in said if isinstance(one, types.Content)))
    lossless = lossless_for({})

    def read(numbered: tuple[int, Any], last: list[Item]) -> list[Item]:
        place, one = numbered
        if isinstance(one, types.Content):
            spoken = Spoken(one, next(ids))
            return [] if isinstance(one, Opening) else lossless.message_to_items(spoken, last)
        check_item(one, role, place)
        return plain.to_items(one, role=role)

    return one_by_one(enumerate(said), read)


def _read(messages: Iterable[Any], role: str) -> Iterable[Any]:
    """Yield objects of the SDK's, and items as dicts."""
    for message in messages:
        if isinstance(message, _READABLE):
            yield message
        elif isinstance(message, types.File):
            yield types.Part.from_uri(file_uri=message.uri or "", mime_type=message.mime_type)
        elif not isinstance(message, dict):
            raise unknown(message, role)
        elif "parts" in message:
            yield types.Content.model_validate(message)
        elif "candidates" in message:
            yield types.GenerateContentResponse.model_validate(message)
        else:
            is_part = bool(message) and message.keys() <= _PART
            yield types.Part.model_validate(message) if is_part else message

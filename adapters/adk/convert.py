"""ADK's events, and contents of Gemini's, as items, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from google.adk.events import Event
from google.genai import types

from memwrap.adapters import genai
from memwrap.adapters.adk.shape import Told, lossless_for
from memwrap.adapters.dispatch import clear_errors, convert, one_by_one
from memwrap.adapters.foreign import foreign_projected
from memwrap.adapters.genai.contents import Spoken
from memwrap.adapters.genai.convert import names_in
from memwrap.adapters.genai.fitting import Opening, opening
from memwrap.adapters.genai.ids import free_ids
from memwrap.adapters.genai.streams import Chunks
from memwrap.adapters.streams import added_up
from memwrap.adapters.targets import ADK
from memwrap.adapters.usages import usage_of
from memwrap.items import Item
from memwrap.usage import Usage

__all__ = ["Quiet", "from_items", "rebuild", "to_items", "usages_in"]


class Quiet(Event):
    """An event that is stored, and that the caller of a stream does not see."""


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn ADK's events, and contents of Gemini's, into items; see the table of the package.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules["memwrap.adapters.adk"], _items_of)


@clear_errors
def from_items(items: Sequence[Item], /) -> list[Event]:
    """Turn items into ADK's events; see the table of the package."""
    shown = foreign_projected(items, ADK)
    told = lossless_for(names_in(shown)).from_items(shown, target=ADK)
    events = [one.event for one in told]
    roles = [event.content.role for event in events if event.content is not None]
    if roles and roles[0] == "model" and roles[-1] == "user":
        first = Event(author="user", content=opening(), id="memwrap-opening", timestamp=0.0)
        events.insert(0, first)
    return events


def rebuild(items: Sequence[Item], type_name: str, values: Sequence[Any] = (), /) -> Any:  # noqa: ARG001
    """Return the last event with a content that says what *items* say; None for other types."""
    if not type_name.endswith(".Event"):
        return None
    events = [event for event in from_items(items) if event.content is not None]
    return events[-1] if events else None


def usages_in(event: Any, /) -> list[Usage]:
    """Return the usage of each call of a model that an event, or a list of them, reports."""
    several = event if isinstance(event, (list, tuple)) else [event]
    whole = [one for one in several if isinstance(one, Event) and not one.partial]
    found = [usage_of(one.usage_metadata, one.model_version) for one in whole]
    return [usage for usage in found if usage is not None]


def _items_of(messages: list[Any], role: str) -> list[Item]:
    said = list(added_up(messages, _Events()))
    ids = iter(free_ids(one.content for one in said if _is_spoken(one)))
    lossless = lossless_for({})

    def read(one: Any, last: list[Item]) -> list[Item]:
        if not isinstance(one, Event):
            return genai.to_items([one], role=role)
        spoken = Spoken(one.content, next(ids)) if one.content is not None else None
        if isinstance(one.content, Opening):
            return []
        return lossless.message_to_items(Told(one, spoken), last)

    return one_by_one(said, read)


def _is_spoken(value: Any) -> bool:
    return isinstance(value, Event) and value.content is not None


class _Events:
    """Adds partial events up, until the whole event tells what they told; others pass."""

    def __init__(self) -> None:
        self._chunks = Chunks("assistant")

    def add(self, event: Any) -> Iterable[Any]:
        """Take an event, or anything else; return what is whole with it."""
        if not isinstance(event, Event):
            return [*self.rest(), event]
        if not event.partial:
            if event.content is not None:
                self._chunks = Chunks("assistant")
            return [event]
        if event.content is not None:
            candidate = types.Candidate(content=event.content)
            self._chunks.add(types.GenerateContentResponse(candidates=[candidate]))
        return []

    def rest(self) -> list[Any]:
        """Return what partial events have said whose whole never came."""
        return self._chunks.rest()

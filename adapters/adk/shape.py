"""ADK's events as the shared mechanism sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.adk.events import Event

from memwrap.adapters.genai.contents import Spoken, content_of, items_of
from memwrap.adapters.genai.shape import OWN, dump_content, dump_model, load_content
from memwrap.adapters.grouping import joins
from memwrap.adapters.lossless import Group, Lossless
from memwrap.adapters.projection import Target
from memwrap.hidden.comparison import digest
from memwrap.hidden.data import without_hidden
from memwrap.items import Item

__all__ = ["Told", "lossless_for"]

_IDENTITY = ("author", "branch", "id", "invocation_id", "timestamp")
_USER = "user"


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and what its items have that it has not.

    Attributes:
        event: The event.
        spoken: Its content; None if it has none.
    """

    event: Event
    spoken: Spoken | None


class _Shape:
    """ADK's events.

    Args:
        names: The names of functions, by the ids of their calls.
    """

    name = "adk"
    identity = _IDENTITY
    unsaid = (OWN,)

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def dump(self, told: Told) -> dict[str, Any]:
        event, fields = told.event, type(told.event).model_fields
        dumped = {
            name: dump_model(value)
            for name, value in event
            if name != "content" and value != fields[name].get_default(call_default_factory=True)
        }
        if told.spoken is None:
            return dumped
        spoken = dump_content(told.spoken)
        return dumped | ({OWN: spoken.pop(OWN)} if OWN in spoken else {}) | {"spoken": spoken}

    def load(self, data: dict[str, Any]) -> Told:
        fields = {name: value for name, value in data.items() if name not in ("spoken", OWN)}
        event = Event.model_validate(fields)
        spoken = load_content(data["spoken"]) if "spoken" in data else None
        event.content = None if spoken is None else spoken.content
        return Told(event, spoken)

    def show(self, told: Told) -> list[Item]:
        if told.spoken is None:
            return [{"role": "assistant", "content": ""}]
        return items_of(told.spoken, self.name)

    def say(self, items: Sequence[Item], target: Target, identity: Mapping[str, Any]) -> Told:  # noqa: ARG002
        spoken = content_of(items, self._names, keeps_ids=True)
        event_id = f"memwrap-{digest(without_hidden(items))}"
        known: dict[str, Any] = {"author": _USER, "id": event_id, "timestamp": 0.0} | dict(identity)
        return Told(Event(**known, content=spoken.content), spoken)

    def joins(self, item: Item, group: Group, target: Target) -> bool:  # noqa: ARG002
        return joins(item, group)


def lossless_for(names: Mapping[str, str]) -> Lossless[Told]:
    """Return what converts events exactly.

    Args:
        names: The names of functions, by the ids of their calls: outputs have none themselves.
    """
    return Lossless(_Shape(names))

"""Events of runs, added up to messages: what a run that ended early has said by then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPartDelta,
    ThinkingPartDelta,
    ToolCallPartDelta,
    ToolResultEvent,
)

from memwrap.adapters.pydantic_ai.items_to_message import UNKNOWN_TIME

__all__ = ["Events"]

_TEXTS = {
    TextPartDelta: "content_delta",
    ThinkingPartDelta: "content_delta",
    ToolCallPartDelta: "args_delta",
}
"""Where changes of parts hold the text that they append."""


class Events:
    """Adds the events of a run up to its messages."""

    def __init__(self) -> None:
        self._parts: dict[int, Any] = {}
        self._changes: dict[int, list[Any]] = {}
        self._outputs: list[Any] = []

    def add(self, event: Any) -> Iterable[ModelMessage]:
        """Take an event; return the messages that are whole with it."""
        whole: list[ModelMessage] = []
        if isinstance(event, (PartStartEvent, PartEndEvent)):
            is_next = isinstance(event, PartStartEvent) and event.index == 0
            if is_next or self._outputs:
                whole = self.rest()
            self._parts[event.index] = event.part
            self._changes[event.index] = []
        elif isinstance(event, PartDeltaEvent):
            self._changes.setdefault(event.index, []).append(event.delta)
        elif isinstance(event, ToolResultEvent):
            self._outputs.append(event.part)
        return whole

    def rest(self) -> list[ModelMessage]:
        """Return the response under way, and what its tools have returned."""
        parts = [_changed(self._parts[index], self._changes[index]) for index in self._parts]
        outputs = self._outputs
        self._parts, self._changes, self._outputs = {}, {}, []
        said: list[ModelMessage] = []
        if parts:
            said.append(ModelResponse(parts, timestamp=UNKNOWN_TIME))
        return [*said, ModelRequest(outputs)] if outputs else said


def _changed(part: Any, changes: list[Any]) -> Any:
    """Return a part with its changes: texts are joined first, or it would take quadratic time."""
    fields: list[str] = [_TEXTS.get(type(change), "") for change in changes]
    texts: list[Any] = [
        getattr(change, field, None) for change, field in zip(changes, fields, strict=True)
    ]
    if texts and all(isinstance(text, str) for text in texts):
        changes = [
            replace(change, **{field: "" if place else "".join(texts)})
            for place, (change, field) in enumerate(zip(changes, fields, strict=True))
        ]
    for change in changes:
        part = change.apply(part)
    return part

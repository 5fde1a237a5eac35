"""The usage that Strands keeps with the messages of its models."""

from __future__ import annotations

from typing import Any

from strands.agent.agent_result import AgentResult

from memwrap.adapters.strands.convert import RESULT, StreamEvent, messages_of
from memwrap.adapters.usages import usage_of
from memwrap.usage import Usage

__all__ = ["usages_in"]


def usages_in(event: Any, /) -> list[Usage]:
    """Return the usage of each call of a model that a result, or the end of a stream, reports."""
    value = event.value if isinstance(event, StreamEvent) else event
    result = value.get(RESULT) if isinstance(value, dict) else value
    if not isinstance(result, AgentResult):
        return []
    reports = (message.get("metadata", {}).get("usage") for message in messages_of(result))
    return [usage for report in reports if (usage := usage_of(report)) is not None]

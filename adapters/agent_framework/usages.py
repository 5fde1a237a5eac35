"""The usage that responses of Agent Framework, and the updates of its streams, report."""

from __future__ import annotations

from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, ChatResponse, ChatResponseUpdate

from memwrap.adapters.usages import usage_of
from memwrap.usage import Usage

__all__ = ["usages_in"]


def usages_in(event: Any, /) -> list[Usage]:
    """Return the usage of each call of a model that an event reports.

    A response of several calls reports only what they cost together, which is left out.
    """
    reports: list[Any] = []
    if isinstance(event, (AgentResponseUpdate, ChatResponseUpdate)):
        reports = [one.usage_details for one in event.contents if one.type == "usage"]
    elif isinstance(event, (AgentResponse, ChatResponse)):
        is_one = [message.role for message in event.messages] == ["assistant"]
        reports = [event.usage_details] if is_one else []
    return [usage for report in reports if (usage := usage_of(report)) is not None]

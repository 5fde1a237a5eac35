"""The usage that responses of Agent Framework, and the updates of its streams, report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, ChatResponse, ChatResponseUpdate

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
    return [_usage(report) for report in reports if isinstance(report, Mapping)]


def _usage(report: Mapping[str, Any]) -> Usage:
    def count(name: str) -> int:
        value = report.get(f"{name}_token_count")
        return value if type(value) is int else 0

    return Usage(
        count("input"),
        count("output"),
        count("cache_read_input"),
        count("cache_creation_input"),
        count("reasoning_output"),
    )

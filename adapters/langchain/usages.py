"""The usage that LangChain's messages carry."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage

from memwrap.adapters.langchain.structured import raw_of
from memwrap.adapters.usages import usage_of
from memwrap.usage import Usage

__all__ = ["usages_in"]


def usages_in(event: Any, /) -> list[Usage]:
    """Return the usage of each answer in a result, or in an event of a stream."""
    messages = raw_of(list(event) if isinstance(event, (list, tuple)) else [event])
    answers = [message for message in messages if isinstance(message, AIMessage)]
    reports = [(one.usage_metadata, one.response_metadata.get("model_name")) for one in answers]
    return [found for one in reports if (found := usage_of(*one)) is not None]

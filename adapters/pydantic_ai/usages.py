"""The usage that Pydantic AI keeps with the responses of its models."""

from __future__ import annotations

from typing import Any

from pydantic_ai.messages import ModelResponse

from memwrap.adapters.pydantic_ai.convert import run_of
from memwrap.adapters.usages import usage_of
from memwrap.usage import Usage

__all__ = ["usages_in"]


def usages_in(event: Any, /) -> list[Usage]:
    """Return the usage of each response that a run has added, or of a response."""
    run = run_of(event)
    messages = [event] if run is None else run.new_messages()
    responses = [message for message in messages if isinstance(message, ModelResponse)]
    told = [response for response in responses if response.usage.has_values()]
    found = [usage_of(response.usage, response.model_name) for response in told]
    return [usage for usage in found if usage is not None]

"""The usage that models report in the raw responses that LlamaIndex hands on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.agent.workflow import AgentOutput
from llama_index.core.base.llms.types import ChatResponse, CompletionResponse

from memwrap.adapters.llama_index.run import RunOutput
from memwrap.adapters.usages import usage_of
from memwrap.usage import Usage

__all__ = ["usages_in"]

_REPORTS = ("usage", "usage_metadata")
_MODELS = ("model", "model_version")


def usages_in(event: Any, /) -> list[Usage]:
    """Return the usage of each call of a model that an output or a response reports."""
    if isinstance(event, RunOutput):
        reports = [_usage(step.raw, {}) for step in event.steps]
    elif isinstance(event, AgentOutput):
        reports = [_usage(event.raw, {})]
    elif isinstance(event, (ChatResponse, CompletionResponse)):
        # Some models leave their counts beside the answer.
        reports = [_usage(event.raw, event.additional_kwargs)]
    else:
        return []
    return [usage for usage in reports if usage is not None]


def _usage(raw: Any, beside: Mapping[str, Any]) -> Usage | None:
    found = usage_of(_first(raw, _REPORTS), _first(raw, _MODELS))
    return found or usage_of(beside, _first(raw, _MODELS))


def _first(raw: Any, names: tuple[str, ...]) -> Any:
    """Return the first of the fields that a raw response has, as a dict or an object."""
    is_dict = isinstance(raw, Mapping)
    found = (raw.get(name) if is_dict else getattr(raw, name, None) for name in names)
    return next((value for value in found if value is not None), None)

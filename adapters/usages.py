"""What models report of their tokens, under whatever names their APIs have for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memwrap.usage import Usage

__all__ = ["usage_of"]

_INPUT = ("input_tokens", "prompt_tokens", "prompt_token_count", "input_token_count", "inputTokens")
_OUTPUT = (
    *("output_tokens", "completion_tokens", "candidates_token_count"),
    *("output_token_count", "outputTokens"),
)
_OF_INPUT = ("input_tokens_details", "prompt_tokens_details", "input_token_details")
_OF_OUTPUT = (
    *("output_tokens_details", "completion_tokens_details", "output_token_details"),
    "details",
)
_READ = (
    *("cached_tokens", "cache_read", "cache_read_input_tokens", "cached_content_token_count"),
    *("cache_read_tokens", "cache_read_input_token_count", "cacheReadInputTokens"),
)
_CREATED = (
    *("cache_write_tokens", "cache_creation", "cache_creation_input_tokens"),
    *("cache_creation_input_token_count", "cacheWriteInputTokens"),
)
_THOUGHT = (
    *("reasoning_tokens", "reasoning", "thoughts_token_count"),
    "reasoning_output_token_count",
)


def usage_of(report: Any, model: Any = None) -> Usage | None:
    """Return what a report says; None if it is none, as of a chunk before the last.

    Args:
        report: An API's object or dict of counts.
        model: The name of the model, if there is one.
    """
    if report is None or _number(report, _INPUT + _OUTPUT) is None:
        return None
    of_input, of_output = _field(report, _OF_INPUT), _field(report, _OF_OUTPUT)
    return Usage(
        _number(report, _INPUT) or 0,
        _number(report, _OUTPUT) or 0,
        _number(of_input, _READ) or _number(report, _READ) or 0,
        _number(of_input, _CREATED) or _number(report, _CREATED) or 0,
        _number(of_output, _THOUGHT) or _number(report, _THOUGHT) or 0,
        model if isinstance(model, str) else None,
    )


def _number(report: Any, names: tuple[str, ...]) -> int | None:
    value = _field(report, names)
    return value if type(value) is int else None


def _field(report: Any, names: tuple[str, ...]) -> Any:
    """Return the first of the fields that a dict or an object has."""
    if report is None:
        return None
    for name in names:
        is_dict = isinstance(report, Mapping)
        value = report.get(name) if is_dict else getattr(report, name, None)
        if value is not None:
            return value
    return None

"""What is told of a turn, in the words of OpenTelemetry's conventions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from memwrap.items import Item, text_of
from memwrap.pairing import output_key
from memwrap.turn import Kept, Turn
from memwrap.usage import Usage
from memwrap.view import all_applied

__all__ = ["content_of", "histograms", "tokens_of", "type_of"]

# The bounds of buckets that the conventions recommend.
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = tuple(4**power for power in range(14))


def histograms(meter: Any) -> tuple[Any, Any]:
    """Return the instruments for durations and for tokens."""
    duration = meter.create_histogram(
        "gen_ai.invoke_agent.duration",
        "s",
        "How long agents take.",
        explicit_bucket_boundaries_advisory=_SECONDS,
    )
    tokens = meter.create_histogram(
        "gen_ai.client.token.usage",
        "{token}",
        "How many tokens models read and write.",
        explicit_bucket_boundaries_advisory=_TOKENS,
    )
    return duration, tokens


def type_of(error: Exception) -> str:
    """Return the full name of the class of an error."""
    kind = type(error)
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


def tokens_of(usage: Usage | None) -> dict[str, int]:
    """Return the attributes that tell tokens."""
    if usage is None:
        return {}
    return {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_creation_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
    }


def content_of(turn: Turn) -> dict[str, str]:
    """Return the attributes that tell what was said, as it is stored."""
    kept = all_applied(Kept(turn.input, turn.new_items), turn, "before_save")
    return {
        "gen_ai.input.messages": _messages_of(kept.input),
        "gen_ai.output.messages": _messages_of(kept.new_items),
    }


def _messages_of(items: Sequence[Item]) -> str:
    """Return items as JSON by OpenTelemetry's conventions: messages with a role and parts."""
    return json.dumps([found for item in items if (found := _message(item))], ensure_ascii=False)


def _message(item: Item) -> dict[str, Any] | None:
    role, kind = item.get("role"), item.get("type")
    if role:
        return {"role": role, "parts": [{"type": "text", "content": text_of(item)}]}
    call_id = item.get("call_id") or item.get("id")
    if output_key(item) is not None:
        part = {"type": "tool_call_response", "id": call_id, "response": item.get("output")}
        return {"role": "tool", "parts": [part]}
    if isinstance(kind, str) and kind.endswith("_call"):
        name, arguments = item.get("name", kind), item.get("arguments", item.get("input"))
        part = {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}
        return {"role": "assistant", "parts": [part]}
    if kind == "reasoning":
        return {"role": "assistant", "parts": [{"type": "reasoning", "content": text_of(item)}]}
    return None

"""The tokens that a model reports of its calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from memwrap.dialects import Adapter, adapter_for

__all__ = ["Usage", "summed", "usages_in"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call of a model cost, in tokens.

    Attributes:
        input_tokens: All that the model was sent, instructions and tools too.
        output_tokens: All that it wrote, its reasoning too.
        cache_read_tokens: Those of the input that the provider had in its cache.
        cache_creation_tokens: Those of the input that the provider put there.
        reasoning_tokens: Those of the output that were reasoning.
        model: The name of the model; None if the answer does not tell.
    """

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_creation_tokens: int = 0
    reasoning_tokens: int = 0
    model: str | None = None


@runtime_checkable
class _HasUsages(Protocol):
    def usages_in(self, event: Any, /) -> Sequence[Usage]:
        """Return the usage of each call of a model that a result or an event reports, in order."""
        ...


def usages_in(adapter: Adapter, event: Any) -> Iterator[Usage]:
    """Yield the usage of each call of a model that *event* reports, the newest first.

    Args:
        adapter: The adapter of the turn, for dicts.
        event: What the agent sent: a result, or an event of a stream.
    """
    if isinstance(event, str):  # most events of most streams
        return
    native = adapter_for(event) or adapter
    if isinstance(native, _HasUsages):
        yield from reversed(native.usages_in(event))


def summed(usages: Iterable[Usage]) -> Usage | None:
    """Return what several calls cost together, with the model of the last; None for no call."""
    whole: Usage | None = None
    for one in usages:
        whole = (
            one
            if whole is None
            else Usage(
                whole.input_tokens + one.input_tokens,
                whole.output_tokens + one.output_tokens,
                whole.cache_read_tokens + one.cache_read_tokens,
                whole.cache_creation_tokens + one.cache_creation_tokens,
                whole.reasoning_tokens + one.reasoning_tokens,
                one.model or whole.model,
            )
        )
    return whole

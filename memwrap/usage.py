"""The tokens that a model reports of its calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from memwrap.dialects import Adapter, adapter_for

__all__ = ["Counting", "Usage", "summed", "usages_in"]


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


class _Adapted(Protocol):
    """What has an adapter, which may change."""

    adapter: Adapter


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


class Counting:
    """Hands events on, and counts what they report.

    Args:
        run: That of the turn, whose adapter reads the events.
        receive: Where the events go.
    """

    __slots__ = ("_receive", "_run", "_usages")

    def __init__(self, run: _Adapted, receive: Callable[[Any], Awaitable[None]]) -> None:
        self._run = run
        self._receive = receive
        self._usages: list[Usage] = []

    async def send(self, event: Any) -> None:
        """Hand an event on."""
        if not isinstance(event, str):
            self._usages += reversed([*usages_in(self._run.adapter, event)])
        await self._receive(event)

    @property
    def whole(self) -> Usage | None:
        """What all of it cost; None if nothing was reported."""
        return summed(self._usages)

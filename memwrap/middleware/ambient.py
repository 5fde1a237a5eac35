"""The span of a turn, and the id of its conversation, for the libraries that trace inside of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias, cast

from opentelemetry import context
from opentelemetry.trace import Span, set_span_in_context

__all__ = ["ambient"]

_Carrier: TypeAlias = Callable[[str, Any], Any]

_SHARED = "_conversation_context"


@contextmanager
def ambient(span: Span, conversation_id: str | None) -> Iterator[None]:
    """Let a span be the current one, and spans of other libraries take its conversation's id.

    Args:
        span: The span; it is not ended.
        conversation_id: The id; None leaves what is there.
    """
    inside = set_span_in_context(span)
    carry = _carrier()
    if conversation_id is not None and carry is not None:
        inside = carry(conversation_id, inside)
    token = context.attach(inside)
    try:
        yield
    finally:
        context.detach(token)


@cache
def _carrier() -> _Carrier | None:
    """Return what puts the id into a context; None if no library is there that would take it.

    Libraries that trace calls of models share a package in ``opentelemetry.util`` for it. Its
    function is private there, and the context's key is made anew in each process: there is no
    other way to it.
    """
    for folder in import_module("opentelemetry.util").__path__:
        for file in Path(folder).glob(f"*/{_SHARED}.py"):
            with suppress(ImportError):
                found = import_module(f"opentelemetry.util.{file.parent.name}.{_SHARED}")
                return cast("_Carrier | None", getattr(found, "with_conversation_id", None))
    return None

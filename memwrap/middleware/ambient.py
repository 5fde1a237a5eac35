"""The span of a turn, and the id of its conversation, for the libraries that trace inside of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from opentelemetry import context
from opentelemetry.trace import Span, set_span_in_context

__all__ = ["ambient"]


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


def _carrier() -> Callable[[str, Any], Any] | None:
    """Return what puts the id into a context; None if no library is there that would take it.

    The libraries that trace calls of models share a package for it. Its function is private there,
    and the key of the context is made anew in each process: there is no other way to it.
    """
    try:
        found = import_module("opentelemetry.util.genai._conversation_context")
    except ImportError:
        return None
    carry: Callable[[str, Any], Any] | None = getattr(found, "with_conversation_id", None)
    return carry

"""The names by which errors call agents."""

from __future__ import annotations

from typing import Any

__all__ = ["name_of"]


def name_of(agent: Any) -> str:
    """Return the name of *agent* for errors: its own, or that of its class."""
    return getattr(agent, "__qualname__", None) or type(agent).__qualname__

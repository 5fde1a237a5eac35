"""Which adapter an object needs: told by where its type was defined, without importing it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, cast

from memwrap.types import Adapter

__all__ = ["adapter_for"]

# Where a type was defined, and the adapter for its objects.
_MODULES = {
    "agents": "openai_agents",
    "langchain": "langchain",
    "langchain_core": "langchain",
    "langgraph": "langgraph",
    "openai.types.chat": "chat",
    "openai.types.responses": "plain",
}


def adapter_for(value: Any) -> Adapter | None:
    """Return the adapter for an agent object or a message; None if its type is of no framework."""
    return _adapter_for_type(type(value))  # type: ignore[arg-type]  # a class can be hashed


@lru_cache(maxsize=1024)
def _adapter_for_type(kind: Hashable) -> Adapter | None:
    for base in cast("type", kind).__mro__:
        module = base.__module__
        for prefix, name in _MODULES.items():
            if module != prefix and not module.startswith(prefix + "."):
                continue
            # Many a project has a package of its own with this name.
            if prefix == "agents" and not hasattr(sys.modules.get("agents"), "RunResult"):
                continue
            return cast("Adapter", importlib.import_module(f"memwrap.adapters.{name}"))
    return None

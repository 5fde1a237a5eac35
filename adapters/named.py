"""Sessions that the arguments of a call name, where a framework has places for such things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from memwrap.context import UNSET

__all__ = ["named_in"]


def named_in(*places: str) -> Callable[[str, tuple[Any, ...], Mapping[str, Any]], Any]:
    """Return what finds a session by its key: among the arguments, and in these of them.

    Args:
        places: The names of arguments that are mappings of the caller's own.
    """

    def session_of(key: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ARG001
        for place in (kwargs, *(kwargs.get(name) for name in places)):
            if isinstance(place, Mapping) and key in place:
                return place[key]
        return UNSET

    return session_of

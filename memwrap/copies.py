"""How remembering agents are copied and pickled."""

from __future__ import annotations

import inspect
from copy import copy, deepcopy
from typing import Any, Protocol, Self

from memwrap.dialects import loaded

__all__ = ["Again", "Copied", "CopiedMethod", "again_of"]


class Again(Protocol):
    """`with_session` with the options of a remembering agent."""

    def __call__(self, agent: Any, /) -> Any:
        """Return another agent that remembers in the same way."""
        ...

    def reduced(self, agent: Any) -> Any:
        """Return what pickle makes such an agent of."""
        ...


def again_of(wrapped: Any) -> Again:
    """Return what makes other agents remember as a remembering agent does."""
    again: Again | None = wrapped._self_again  # noqa: SLF001
    if again is None:
        raise TypeError("what with_session did not make can be neither copied nor pickled")
    return again


class Copied:
    """A remembering agent that is copied and pickled as what it wraps, with its memory."""

    # No annotations of attributes: the class would have them in place of the agent's own.

    def __copy__(self: Any) -> Any:
        agent = self.__wrapped__
        return self if inspect.isroutine(agent) else again_of(self)(copy(agent))

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        agent = self.__wrapped__
        return self if inspect.isroutine(agent) else again_of(self)(deepcopy(agent, memo))

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        agent = self.__wrapped__
        name = getattr(agent, "__qualname__", None)
        if name is not None and loaded(f"{agent.__module__}.{name}") is self:
            return name  # as any function of a module: by its name
        return again_of(self).reduced(agent)


class CopiedMethod:
    """A remembering method, which is that of its object's copy."""

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        return getattr, (self.__self__, self.__name__)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        return getattr(deepcopy(self.__self__, memo), self.__name__)

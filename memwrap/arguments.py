"""The arguments that an agent takes besides its input, looked at before a session is locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import Parameter
from typing import Any, NoReturn, Self

from memwrap.exceptions import ConfigurationError

__all__ = ["Arguments", "WrongArguments", "check_turn_id", "refuse_turn_id_alone"]

MAX_TURN_ID = 256
"""How many characters the id of a turn may have."""

_BY_PLACE = {Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD}
_BY_NAME = {Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD}
_OWN = ("session", "turn_id")


class WrongArguments(ConfigurationError, TypeError):
    """An agent was called with arguments that it does not take; as of any function, a TypeError."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What an agent takes besides its input.

    Attributes:
        most: How many by position; None for any number.
        names: Which by name; None for any.
        required: What it has to be given, and the place of each; None for by name only.
    """

    most: int | None
    names: frozenset[str] | None
    required: tuple[tuple[str, int | None], ...]

    @classmethod
    def of(cls, parameters: Mapping[str, Parameter]) -> Self | None:
        """Return what parameters take, of which the first is the input; None if nobody knows."""
        if not parameters:
            return None
        kinds = {parameter.kind for parameter in parameters.values()}
        rest = list(parameters.items())[1:]
        by_place = [name for name, parameter in rest if parameter.kind in _BY_PLACE]
        by_name = [name for name, parameter in rest if parameter.kind in _BY_NAME]
        return cls(
            None if Parameter.VAR_POSITIONAL in kinds else len(by_place),
            None if Parameter.VAR_KEYWORD in kinds else frozenset(by_name),
            tuple(
                (name, by_place.index(name) if name in by_place else None)
                for name, parameter in rest
                if parameter.kind in _BY_PLACE | _BY_NAME and parameter.default is Parameter.empty
            ),
        )

    def check(self, agent: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Refuse what the agent does not take.

        Args:
            agent: The name of the agent.
            args: The arguments after the input.
            kwargs: The arguments by name, without ``session`` and ``turn_id``.

        Raises:
            WrongArguments: There are too many, or too few, or unknown ones.
        """
        if self.most is not None and len(args) > self.most:
            raise WrongArguments(
                f"{agent}() takes the input and {self.most} more by position, and was given"
                f" {len(args)} more; a session is passed by name: {agent}(..., session=...)"
            )
        unknown = [name for name in kwargs if self.names is not None and name not in self.names]
        if unknown:
            known = [*(self.names or ()), *_OWN]
            near = get_close_matches(unknown[0], known, n=1)
            way = f"; {near[0]}= is meant?" if near else f"; it takes {', '.join(sorted(known))}"
            raise WrongArguments(f"{agent}() takes no argument {unknown[0]}={way}")
        for name, place in self.required:
            if name not in kwargs and (place is None or place >= len(args)):
                raise WrongArguments(f"{agent}() needs {name}=")


def check_turn_id(turn_id: object) -> None:
    """Refuse what cannot name a turn.

    Raises:
        ConfigurationError: *turn_id* is no string, empty, or too long.
    """
    if not isinstance(turn_id, str) or not 0 < len(turn_id) <= MAX_TURN_ID:
        raise ConfigurationError(
            f"a turn_id is a string of 1 to {MAX_TURN_ID} characters, one for each request, such"
            " as the id of the user's message"
        )


def refuse_turn_id_alone(agent: str, turn_id: str) -> NoReturn:
    """Refuse the id of a turn without a session.

    Raises:
        ConfigurationError: Always.
    """
    raise ConfigurationError(
        f"{agent}() was given turn_id={turn_id!r} and no session, and only a session knows the"
        " turns that it has had: pass session= too, or no turn_id"
    )

"""A call whose arguments come in pieces, as Gemini streams them on request."""

from __future__ import annotations

import re
from typing import Any

from google.genai import types

__all__ = ["PartialCall", "is_partial"]

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[['\"]([^'\"]*)['\"]\]")
_LONGEST = 10_000  # the highest index in a list that is believed


def is_partial(part: types.Part) -> bool:
    """Tell whether a part begins a call that goes on, or goes on with one."""
    call = part.function_call
    return call is not None and bool(call.will_continue or call.partial_args)


class PartialCall:
    """Adds the pieces of a call up.

    Args:
        part: The part that begins the call.
    """

    def __init__(self, part: types.Part) -> None:
        self._first = part
        self._call = types.FunctionCall()
        self._args: dict[str, Any] = {}
        self.has_ended = False
        self.add(part)

    def add(self, part: types.Part) -> None:
        """Take a piece; the last says that none follows."""
        call = part.function_call or types.FunctionCall()
        self._args |= call.args or {}
        for piece in call.partial_args or ():
            steps = [key or name or int(index) for key, index, name in _steps(piece.json_path)]
            if steps:
                _put(self._args, steps, piece)
        self._call = types.FunctionCall(
            id=call.id or self._call.id, name=call.name or self._call.name
        )
        self.has_ended = not call.will_continue

    def whole(self) -> types.Part:
        """Return the part of the call."""
        call = self._call.model_copy(update={"args": self._args})
        return self._first.model_copy(update={"function_call": call})


def _steps(path: str | None) -> list[Any]:
    return _STEP.findall((path or "").removeprefix("$"))


def _put(args: dict[str, Any], steps: list[Any], piece: types.PartialArg) -> None:
    """Put a value into arguments; a text goes on with the text that is there."""
    place: Any = args
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(place, list):
            if not isinstance(step, int) or step > _LONGEST:
                return
            place += [None] * (step + 1 - len(place))
        elif isinstance(step, int):
            return
        before = place[step] if isinstance(place, list) else place.get(step)
        if following is None:
            place[step] = _value(before, piece)
        elif not isinstance(before, (dict, list)):
            place[step] = [] if isinstance(following, int) else {}
        place = place[step]


def _value(before: Any, piece: types.PartialArg) -> Any:
    if piece.string_value is not None:
        return (before if isinstance(before, str) else "") + piece.string_value
    if piece.number_value is not None:
        number = piece.number_value
        return int(number) if number.is_integer() else number
    return piece.bool_value

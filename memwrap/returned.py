"""What an agent returned that is new, when it gives back the list that it was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from memwrap.exceptions import ConversionError

__all__ = ["without_given"]


def without_given(result: Any, given: Sequence[Any] | None) -> Any:
    """Return a result list without the messages at its front that the agent was given.

    Args:
        result: What the agent returned or sent, a list or anything else.
        given: The messages that the agent was given; None if it was given no list.

    Raises:
        ConversionError: The list holds the input elsewhere, so that nobody can tell what is new.
    """
    if not given or type(result) is not list:
        return result
    size = len(given)
    if len(result) >= size and all(map(_is_same, result, given)):
        return result[size:]
    if any(_is_same(message, given[-1]) for message in result):
        raise ConversionError(
            "the agent gave back its input in another place than it was given; return what is new"
            " alone, or all messages as they were given with what is new behind them"
        )
    return result


def _is_same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # noqa: BLE001  (objects of other libraries may refuse to be compared)
        return False

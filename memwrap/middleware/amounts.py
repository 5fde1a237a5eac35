"""Amounts of a history: so many tokens, items or turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from memwrap.exceptions import ConfigurationError
from memwrap.items import Item, cuts, turn_starts

__all__ = ["Amount", "check_amount", "exceeds", "place_to_keep"]

Amount: TypeAlias = tuple[Literal["tokens", "items", "messages", "turns"], int]
"""A unit and a number; messages are items."""

_UNITS = ("tokens", "items", "messages", "turns")


def check_amount(layer: str, name: str, amount: object) -> None:
    """Refuse what is no amount.

    Raises:
        ConfigurationError: It is something else.
    """
    is_pair = isinstance(amount, (tuple, list)) and len(amount) == 2  # noqa: PLR2004
    if not is_pair or amount[0] not in _UNITS or type(amount[1]) is not int or amount[1] < 1:  # type: ignore[index]
        raise ConfigurationError(
            f"{layer}({name}=...) is a pair such as ('tokens', 60_000), ('turns', 10) or"
            f" ('items', 50), not {amount!r}"
        )


def exceeds(items: Sequence[Item], amount: Amount, count: Callable[[Item], int]) -> bool:
    """Tell whether items are more than an amount."""
    unit, most = amount
    if unit == "tokens":
        return sum(map(count, items)) > most
    return (len(turn_starts(items)) if unit == "turns" else len(items)) > most


def place_to_keep(
    items: list[Item], input: list[Item], amount: Amount, count: Callable[[Item], int]
) -> int:
    """Return where the newest items begin that are an amount at most; no call is parted there."""
    unit, most = amount
    if unit == "turns":
        starts = turn_starts(items)
        wanted = starts[-most] if len(starts) > most else 0
    elif unit == "tokens":
        wanted = len(items)
        while wanted and (most := most - count(items[wanted - 1])) >= 0:
            wanted -= 1
    else:
        wanted = max(len(items) - most, 0)
    return next((place for place in cuts(items, after=input) if place >= wanted), 0)

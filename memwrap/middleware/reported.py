"""The tokens that a model reports, beside the estimate of them.

A report counts the agent's own instructions and tools too, which no item shows. So it is not the
report that corrects the estimate, but how much both grow from turn to turn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

from memwrap.exceptions import ConversionError
from memwrap.items import Item
from memwrap.marks import Counted
from memwrap.pairing import output_key
from memwrap.turn import Turn
from memwrap.usage import usages_in

__all__ = ["corrected", "counted_after", "sent_and_reported"]

_ENOUGH = 200  # estimated tokens by which a conversation has to grow before it tells anything
_RATES = (0.25, 4.0)  # what lies outside is no error of an estimate
_STEP = 0.02  # a change of the rate that is worth storing


def corrected(count: Callable[[Item], int], counted: Counted | None) -> Callable[[Item], int]:
    """Return *count* as the model's reports correct it."""
    if counted is None or counted.rate == 1:
        return count
    rate = counted.rate
    return lambda item: math.ceil(count(item) * rate)


def counted_after(known: Counted | None, estimated: int, reported: int) -> Counted:
    """Return what is known of a model's counting after it has reported once more.

    Args:
        known: What was known before; without an estimate since the last cut.
        estimated: The estimate of all that the model was sent.
        reported: The tokens that the model reported of it.
    """
    if known is None or not known.estimated:
        return Counted(estimated, reported, 1.0 if known is None else known.rate)
    grown = estimated - known.estimated
    if grown < _ENOUGH:
        return known
    rate = min(max((reported - known.reported) / grown, _RATES[0]), _RATES[1])
    if abs(rate - known.rate) < _STEP * known.rate:
        return known
    return Counted(known.estimated, known.reported, rate)


def sent_and_reported(turn: Turn) -> tuple[list[Item], int] | None:
    """Return what a turn's last call of its model was sent, and how many tokens it reported.

    None if nothing of the turn reports any.
    """
    usages = (
        one for event in reversed(turn.run.sent) for one in usages_in(turn.run.adapter, event)
    )
    usage = next((one for one in usages if one.input_tokens), None)
    if usage is None:
        return None
    new_items: list[Item] = []
    with suppress(ConversionError):  # which is told when the turn is stored
        new_items = turn.collect()
    # Behind the newest output stands what the last call answered.
    end = max((n for n, item in enumerate(new_items, 1) if output_key(item) is not None), default=0)
    return [*turn.history, *turn.input, *new_items[:end]], usage.input_tokens

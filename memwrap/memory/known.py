"""Input that the history has already: callers may send the whole conversation each time."""

from __future__ import annotations

from collections.abc import Sequence

from memwrap.hidden.data import PROVIDER_DATA, without_hidden
from memwrap.hidden.sidecar import id_of
from memwrap.items import Item

__all__ = ["without_known"]


def without_known(input: list[Item], history: Sequence[Item], *, is_all: bool) -> list[Item]:
    """Return the input without what the history has.

    An item that has an id is known if the history has it with that id and the same content, and so
    is the end of the history in which it stands, if the input begins with that. Items without ids
    are new, unless the whole history comes first, word for word, and more behind it.

    Args:
        input: The caller's input.
        history: The stored items, as far as they are loaded.
        is_all: Whether these are all that are stored.
    """
    if not history or len(input) < 2:  # noqa: PLR2004
        return input
    by_id = {found: item for item in history if (found := id_of(item)) is not None}
    known = [_is_known(item, by_id.get(id_of(item) or "")) for item in input]
    end = _end_of_history(input, history, known, is_all=is_all)
    left = [item for place, item in enumerate(input) if place >= end and not known[place]]
    return left or input


def _end_of_history(
    input: Sequence[Item], history: Sequence[Item], known: Sequence[bool], *, is_all: bool
) -> int:
    """Return the place in the input behind the history, or behind its end; 0 for neither."""
    given, stored, size = without_hidden(input), without_hidden(history), len(history)
    # What comes in the input before a window of the history has not been loaded.
    last = 0 if is_all else max(len(input) - size, 0)
    begins = range(last, -1, -1)
    whole = next((b + size for b in begins if given[b : b + size] == stored), 0)
    if 0 < whole < len(input):
        return whole
    if not any(known):
        return 0
    most = min(size, len(input) - 1)
    ends = (k for k in range(most, 0, -1) if any(known[:k]) and given[:k] == stored[-k:])
    return next(ends, 0)


def _is_known(item: Item, stored: Item | None) -> bool:
    if stored is None:
        return False
    one, other = ({k: v for k, v in i.items() if k != PROVIDER_DATA} for i in (item, stored))
    return one == other

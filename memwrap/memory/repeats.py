"""Answers given again, since their `turn_id` was known."""

from __future__ import annotations

from collections import deque
from typing import Any
from weakref import ref

__all__ = ["is_replay", "note_replay"]

_MOST = 1024

# Text, lists and dicts cannot be referred to weakly: the newest are kept alive.
_newest: deque[Any] = deque(maxlen=_MOST)
_alive: dict[int, ref[Any]] = {}


def is_replay(answer: Any) -> bool:
    """Tell whether *answer* is that of a stored turn, given again for the same ``turn_id``.

    Of text, lists and dicts, which cannot be told from equal ones later, the newest 1,024 are
    known. Numbers, and text of one character, are the same object wherever they come from: of
    them the answer is always no.

    Args:
        answer: What an agent returned, or an event of its stream.
    """
    known = _alive.get(id(answer))
    if known is not None:
        return known() is answer
    return any(answer is one for one in list(_newest))


def note_replay(answer: Any) -> None:
    """Let `is_replay` know *answer*."""
    key = id(answer)
    try:
        _alive[key] = ref(answer, lambda _: _alive.pop(key, None))
    except TypeError:
        if not _is_shared(answer):
            _newest.append(answer)


def _is_shared(answer: Any) -> bool:
    """Tell whether Python may have one object for all values equal to *answer*."""
    if isinstance(answer, (str, bytes, tuple)):
        return len(answer) <= 1
    return answer is None or isinstance(answer, (int, float))

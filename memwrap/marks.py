"""Marks: where layers have cut the history of a session, kept with its turns."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec.structs import replace

__all__ = [
    "Counted",
    "Mark",
    "Marks",
    "Summary",
    "marks_from",
    "moved",
    "text_of_marks",
    "with_mark",
]

_MOST_MARKS = 8  # agents whose limits change leave marks behind


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """What a model has counted of the tokens that a layer estimates.

    Attributes:
        estimated: The estimate of what the model was sent first behind the cut.
        reported: The tokens that the model reported of it.
        rate: How many of the model's tokens an estimated token is.
    """

    estimated: int
    reported: int
    rate: float = 1.0


class Summary(msgspec.Struct, frozen=True, array_like=True):
    """What stands for the beginning of a history.

    Attributes:
        text: What a summarizer has made of its sources.
        last: The number of the last row that is summarised.
        count: How many rows are.
        digest: A keyed digest of them: the summary counts as long as they are what they were.
    """

    text: str
    last: int
    count: int
    digest: str


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a layer has cut the history of a session.

    Attributes:
        first: The number of the first row behind the cut.
        kept: The numbers of the rows before the cut that are shown all the same.
        added: Those of *kept* that stood in front of no input, so that no input supersedes them.
        cleared: Tool outputs in rows before this number are shown without their content; None
            for none.
        counted: What the model has reported of tokens since the cut; None for nothing.
        summary: What stands for the rows before; None for nothing.
    """

    first: int
    kept: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    cleared: int | None = None
    counted: Counted | None = None
    summary: Summary | None = None


Marks: TypeAlias = dict[str, Mark]
"""The marks of a session, by their layers' names for them."""

_decode = msgspec.json.Decoder(Marks).decode
_encode = msgspec.json.Encoder().encode


def marks_from(text: str | bytes | None) -> Marks:
    """Return the marks in a stored text; none in one that is no such thing."""
    if not text:
        return {}
    try:
        return _decode(text)
    except (ValueError, msgspec.MsgspecError):
        return {}


def text_of_marks(marks: Marks) -> str:
    """Return the text by which *marks* are stored; empty for none."""
    return _encode(marks).decode() if marks else ""


def with_mark(marks: Marks, name: str, mark: Mark) -> Marks:
    """Return *marks* with one set, as the newest; of too many the oldest is left out."""
    others = [(key, value) for key, value in marks.items() if key != name]
    return dict([*others[1 - _MOST_MARKS :], (name, mark)])


def moved(marks: Marks, by: int) -> Marks:
    """Return *marks* with all numbers of rows raised by *by*."""
    return {
        name: Mark(
            mark.first + by,
            tuple(number + by for number in mark.kept),
            tuple(number + by for number in mark.added),
            None if mark.cleared is None else mark.cleared + by,
            mark.counted,
            mark.summary and replace(mark.summary, last=mark.summary.last + by),
        )
        for name, mark in marks.items()
    }

"""A conversation as people read it: turns, and in each what was said, asked and found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from memwrap.formats.parts import (
    Called,
    Media,
    Spoken,
    as_list,
    as_text,
    called,
    media_of,
    reasoning_text,
    runs_of_speakers,
)
from memwrap.hidden.data import without_provider_data
from memwrap.items import Item
from memwrap.sessions.info import TurnInfo
from memwrap.shapes import name_of_part

__all__ = ["Line", "Section", "sections"]


@dataclass(frozen=True, slots=True)
class Line:
    """What one item shows.

    Attributes:
        kind: ``system``, ``user`` and ``assistant`` for messages, ``reasoning``, ``call``, or
            ``other`` for hosted tools and the like.
        text: What was said; of a call its arguments, of another item its name.
        media: Pictures and files.
        call: The call, if it is one.
        output: What the tool said; None if there is no output.
        number: The number of the item, as `TurnInfo` counts them.
    """

    kind: str
    text: str = field(repr=False)
    number: int
    media: tuple[Media, ...] = field(default=(), repr=False)
    call: Called | None = field(default=None, repr=False)
    output: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Section:
    """A turn, or items between turns that belong together.

    Attributes:
        turn: The turn; None if the items were not stored as one.
        lines: What its items show.
    """

    turn: TurnInfo | None
    lines: list[Line] = field(default_factory=list)


def sections(
    items: Sequence[Item], turns: Sequence[TurnInfo] = (), numbers: Sequence[int] = ()
) -> list[Section]:
    """Return what items show, turn by turn.

    Args:
        items: A conversation, or a part of it.
        turns: Its recorded turns; of other items each question begins a section.
        numbers: The number of each item; empty for 1, 2 and so on.
    """
    numbers = numbers or range(1, len(items) + 1)
    found: list[Section] = []
    was = ""
    for role, run in runs_of_speakers(without_provider_data(items)):
        for one in run:
            number = numbers[one.place]
            turn = _turn_of(number, turns)
            is_question = turn is None and role == "user" and was != "user"
            if not found or found[-1].turn is not turn or is_question:
                found.append(Section(turn))
            was = role
            found[-1].lines += _lines(role, one, number)
    return [section for section in found if section.lines]


def _turn_of(number: int, turns: Sequence[TurnInfo]) -> TurnInfo | None:
    return next((turn for turn in turns if turn.first_item <= number <= turn.last_item), None)


def _lines(role: str, one: Spoken, number: int) -> Iterator[Line]:
    item = one.item
    call = called(item)
    if call is not None:
        parts = [] if one.output is None else as_list(one.output.get("output"))
        output = None if one.output is None else _text(parts)
        yield Line("call", call.input, number, _media(parts), call, output)
    elif item.get("type") == "reasoning":
        if text := reasoning_text(item):
            yield Line("reasoning", text, number)
    elif item.get("role"):
        parts = as_list(item.get("content"))
        yield Line(role, _text(parts), number, _media(parts))
    else:
        yield Line("other", name_of_part({"type": "part"} | item), number)


def _text(parts: Sequence[Any]) -> str:
    texts = []
    for part in parts:
        if not isinstance(part, dict):
            texts.append(as_text(part))
        elif media_of(part) is None:
            text = part.get("text") or part.get("refusal")
            texts.append(text if isinstance(text, str) else name_of_part({"type": "part"} | part))
    return "".join(texts)


def _media(parts: Sequence[Any]) -> tuple[Media, ...]:
    return tuple(media for part in parts if (media := media_of(part)) is not None)

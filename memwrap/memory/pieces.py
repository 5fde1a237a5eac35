"""The pieces of an answer: of what types they were, and which of a turn's items they became.

A turn's record holds them as text, so that a repeated turn can give the same types again. It holds
no content: what a layer changed in the items is changed in the answer too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any, NamedTuple

from memwrap.dialects import values_in
from memwrap.exceptions import ConversionError
from memwrap.items import Item, text_of
from memwrap.returned import without_given
from memwrap.shapes import shape_of
from memwrap.turn import Recorded, Turn
from memwrap.values import is_value, type_name, value_of

__all__ = [
    "ITEM",
    "LIST",
    "NOTHING",
    "TEXT",
    "VALUE",
    "Piece",
    "pieces_of",
    "places_after",
    "read_pieces",
    "written_pieces",
]

TEXT = "text"
ITEM = "item"
VALUE = "value"
MESSAGE = "message"
LIST = "list"
NOTHING = "nothing"


class Piece(NamedTuple):
    """A part of an answer: an event, or several that are one text or message.

    Attributes:
        kind: Text, an item, a value that is stored as its JSON, a message of a dialect, a list,
            or nothing: the agent returned None.
        places: The places of its items among the new items of the turn.
        name: The name of the type of a value or message; ``tuple`` for a list that was one.
        parts: The pieces of a list, or of the values in a message that its items say as text.
    """

    kind: str
    places: list[int]
    name: str = ""
    parts: list[Any] = []  # noqa: RUF012  (never changed)


def pieces_of(turn: Turn, collected: list[Item]) -> list[Piece]:
    """Return the pieces of what the agent sent, in order.

    Args:
        turn: The turn, with its new items.
        collected: What it collected, before some of it was left out of the new items.
    """
    kept = {id(item): place for place, item in enumerate(turn.new_items)}
    places = [kept.get(id(item)) for item in collected]
    runs = [
        (is_recorded, list(run))
        for is_recorded, run in groupby(turn.run.events, lambda event: isinstance(event, Recorded))
    ]
    pieces: list[Piece] = []
    begin = 0
    for is_recorded, events in runs:
        if is_recorded:
            begin += sum(map(len, events))
            continue
        given = [event for event in events if event is not None]
        if not given:
            return [Piece(NOTHING, [])]
        if turn.run.appended:  # what came of the events is the end of what is collected
            begin = max(len(collected) - len(_items_of(turn, given)), 0)
        end = len(collected) if len(runs) == 1 else begin + len(_items_of(turn, given))
        to_items = turn.run.adapter.to_items
        values = [without_given(event, turn.run.given, to_items) for event in given]
        pieces += _pieces(turn, values, collected[begin:end], places[begin:end])
        begin = end
    return pieces


def _pieces(
    turn: Turn, values: list[Any], items: list[Item], places: Sequence[int | None]
) -> list[Piece]:
    """Return the pieces of values that became *items* together."""
    groups: list[list[Any]] = []
    for is_text, run in groupby(values, lambda value: isinstance(value, str)):
        group = list(run)
        groups += [group] if is_text else [[value] for value in group]
    if len(groups) == 1:
        return [_piece(turn, values[0], items, places)]
    parts: list[Piece] = []
    begin = 0
    for group in groups:
        end = begin + len(found := _items_of(turn, group))
        if found != items[begin:end]:  # events that are nothing on their own
            return [_message(values[-1], items, places)]
        if found:
            parts.append(_piece(turn, group[0], items[begin:end], places[begin:end]))
        begin = end
    return parts if begin == len(items) else [_message(values[-1], items, places)]


def _piece(turn: Turn, value: Any, items: list[Item], places: Sequence[int | None]) -> Piece:
    if isinstance(value, str):
        return Piece(TEXT, _present(places))
    if items == [value]:
        return Piece(ITEM, _present(places))
    if isinstance(value, (list, tuple)) and value and not is_value(value):
        name = "tuple" if isinstance(value, tuple) else ""
        return Piece(LIST, [], name, _pieces(turn, list(value), items, places))
    if turn.run.put_back is None and is_value(value):
        return Piece(VALUE, _present(places), type_name(value))
    return _message(value, items, places)


def _message(value: Any, items: list[Item], places: Sequence[int | None]) -> Piece:
    parts = [_part(part, items, places) for part in values_in(value)]
    return Piece(MESSAGE, _present(places), type_name(value), parts)


def _part(value: Any, items: list[Item], places: Sequence[int | None]) -> Piece:
    """Return the piece of a value in a message, with the place of the newest item that says it."""
    name = type_name(value)
    for item, place in zip(reversed(items), reversed(places), strict=True):
        if place is not None and (text := text_of(item)):
            if isinstance(value, str) and text == value:
                return Piece(TEXT, [place])
            if not isinstance(value, str) and value_of(text, name) == value:
                return Piece(VALUE, [place], name)
    return Piece(VALUE, [], name)


def _present(places: Sequence[int | None]) -> list[int]:
    return [place for place in places if place is not None]


def _items_of(turn: Turn, values: list[Any]) -> list[Item]:
    try:
        return turn.run.items_of(values)
    except ConversionError:  # a part of a stream that says nothing alone
        return []


def places_after(before: Sequence[Item], after: Sequence[Item]) -> Callable[[int], int | None]:
    """Return a function from places in *before* to places in *after*, which a layer made of it."""
    if len(before) == len(after):
        return lambda place: place
    places: dict[int, int] = {}
    matcher = SequenceMatcher(a=_kept(before), b=_kept(after), autojunk=False)
    for block in matcher.get_matching_blocks():
        places |= {block.a + n: block.b + n for n in range(block.size)}
    return places.get


def _kept(items: Sequence[Item]) -> list[tuple[str, str]]:
    """Return what a layer that edits items leaves as it is."""
    return [(str(shape_of(item)), str(item.get("call_id"))) for item in items]


def written_pieces(pieces: list[Piece], size: int, moved: Callable[[int], int | None]) -> str:
    """Return pieces as text.

    Args:
        pieces: The pieces.
        size: How many new items are stored.
        moved: Returns where the item of a place is stored, or None.
    """
    if len(pieces) == 1:
        kind, places, name, _ = piece = _moved(pieces[0], moved)
        if kind in {TEXT, ITEM} and places == [size - 1]:
            return kind
        if kind == MESSAGE and not name and places == list(range(size)):
            return MESSAGE
        if _is_list_of_items(piece) and _places(piece) == list(range(size)):
            return "items"
    return json.dumps([_moved(piece, moved) for piece in pieces], separators=(",", ":"))


def _moved(piece: Piece, moved: Callable[[int], int | None]) -> Piece:
    return Piece(
        piece.kind,
        _present([moved(place) for place in piece.places]),
        piece.name,
        [_moved(part, moved) for part in piece.parts],
    )


def _is_list_of_items(piece: Piece) -> bool:
    return piece.kind == LIST and not piece.name and all(part.kind == ITEM for part in piece.parts)


def _places(piece: Piece) -> list[int]:
    return [place for part in piece.parts for place in part.places]


def read_pieces(shape: str, size: int) -> list[Piece]:
    """Return the pieces of an answer from the record of its turn, for *size* new items."""
    last, every = [size - 1] if size else [], list(range(size))
    try:
        if shape.startswith("["):
            return [_read(fields, size) for fields in json.loads(shape)]
    except (TypeError, ValueError):  # nothing that memwrap wrote
        return [Piece(MESSAGE, every)]
    if shape == "items":
        return [Piece(LIST, [], parts=[Piece(ITEM, [place]) for place in every])]
    if shape == TEXT or (shape == ITEM and size):
        return [Piece(shape, last)]
    return [Piece(MESSAGE, every)]


def _read(fields: Any, size: int) -> Piece:
    kind, places, name, parts = fields
    places = [place for place in places if 0 <= place < size]
    return Piece(str(kind), places, str(name), [_read(part, size) for part in parts])

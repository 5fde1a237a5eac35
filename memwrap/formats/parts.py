"""What formats share: runs of one speaker, media, and the arguments and outputs of tools."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from memwrap.items import Item
from memwrap.pairing import pairs

__all__ = [
    "Called",
    "Media",
    "Spoken",
    "as_list",
    "as_text",
    "as_value",
    "called",
    "calls_of_model",
    "media_item_part",
    "media_of",
    "reasoning_text",
    "runs_of_speakers",
]

_SPEAKERS = {"system": "system", "developer": "system", "user": "user"}


_INPUT_OF = {"function_call": "arguments", "custom_tool_call": "input"}


class Called(NamedTuple):
    """A call of one of the agent's own tools.

    Attributes:
        id: The id of the call.
        name: The name of the tool.
        input: Its arguments as text, most often JSON.
    """

    id: str
    name: str
    input: str


class Spoken(NamedTuple):
    """An item and what belongs to it.

    Attributes:
        place: Its place in the conversation.
        item: The item.
        output: The output of a call; None if there is none, or it is no call.
        output_place: The place of the output in the conversation.
    """

    place: int
    item: Item
    output: Item | None = None
    output_place: int | None = None


class Media(NamedTuple):
    """A picture or a file.

    Attributes:
        url: Where it is: a URL, or its data as one.
        mime_type: Its type, as far as that can be told.
        filename: Its name; None if it has none.
    """

    url: str
    mime_type: str
    filename: str | None = None


def runs_of_speakers(items: Sequence[Item]) -> Iterator[tuple[str, list[Spoken]]]:
    """Yield each run of items of one speaker: ``system``, ``user`` or ``assistant``.

    The assistant's calls have their outputs with them. Each message of the others is its own run.
    """
    place_of = dict(pairs(items))
    outputs = set(place_of.values())
    spoken = [
        Spoken(place, item, items[place_of[place]], place_of[place])
        if place in place_of
        else Spoken(place, item)
        for place, item in enumerate(items)
        if place not in outputs
    ]

    def speaker(one: Spoken) -> tuple[str, int]:
        role = _SPEAKERS.get(str(one.item.get("role")), "assistant")
        return role, -1 if role == "assistant" else one.place

    for (role, _), run in groupby(spoken, speaker):
        yield role, list(run)


def calls_of_model(run: Sequence[Spoken]) -> Iterator[list[Spoken]]:
    """Yield what the assistant did, parted where the model was called once more.

    That is where it goes on behind the first output of what it asked for.
    """
    step: list[Spoken] = []
    ended: int | None = None  # the place of the first output
    for one in run:
        if ended is not None and one.place > ended:
            yield step
            step, ended = [], None
        step.append(one)
        if one.output_place is not None:
            ended = one.output_place if ended is None else min(ended, one.output_place)
    if step:
        yield step


def as_list(content: Any) -> list[Any]:
    """Return the parts of a content; a text is one part."""
    if isinstance(content, list):
        return content
    return [{"type": "input_text", "text": content}] if content else []


def reasoning_text(item: Item) -> str:
    """Return what an item of reasoning shows of it."""
    parts = [*as_list(item.get("summary")), *as_list(item.get("content"))]
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)


def as_value(text: Any) -> Any:
    """Return the object or list that a JSON text is; any other text as it is."""
    if not isinstance(text, str) or text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def as_text(value: Any) -> str:
    """Return a value as the text of arguments or of an output."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def called(item: Item) -> Called | None:
    """Return the call that an item is; None for another item, or one without id or name."""
    input = item.get(_INPUT_OF.get(str(item.get("type")), "")) or "{}"
    call_id, name = item.get("call_id"), item.get("name")
    if item.get("type") not in _INPUT_OF or not all(map(_is_text, (call_id, name, input))):
        return None
    return Called(str(call_id), str(name), input)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def media_of(part: Any) -> Media | None:
    """Return the picture or file of an item's part; None for other parts, and without a place."""
    if not isinstance(part, dict):
        return None
    is_image = part.get("type") == "input_image"
    keys = ("image_url",) if is_image else ("file_data", "file_url")
    url = next((part[key] for key in keys if isinstance(part.get(key), str) and part[key]), None)
    if url is None:
        return None
    name = part.get("filename") if isinstance(part.get("filename"), str) else None
    return Media(url, _mime_type(url, name, is_image=is_image), name)


def media_item_part(media: Media) -> Item:
    """Return the part of an item that shows a picture or a file."""
    if media.mime_type.startswith("image/"):
        return {"type": "input_image", "image_url": media.url, "detail": "auto"}
    key = "file_data" if media.url.startswith("data:") else "file_url"
    named = {} if media.filename is None else {"filename": media.filename}
    return {"type": "input_file", **named, key: media.url}


def _mime_type(url: str, name: str | None, *, is_image: bool) -> str:
    if url.startswith("data:"):
        found: str | None = url[5:].partition(",")[0].partition(";")[0]
    else:
        found = mimetypes.guess_type(name or url.partition("?")[0])[0]
    return found or ("image/*" if is_image else "application/octet-stream")

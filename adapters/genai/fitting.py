"""Conversations as the Gemini API takes them.

A user begins, nobody says nothing, and each id is of one call.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence

from google.genai import types

from memwrap.adapters.targets import OPENING

__all__ = ["Opening", "fitting", "opening"]


class Opening(types.Content):
    """What stands in front of a conversation whose beginning was cut off; it is not stored."""


def fitting(contents: Sequence[types.Content]) -> list[types.Content]:
    """Return contents as a request has them.

    A request ends with a user, or with what a function responded. What ends with the model is none,
    and stays as it is.
    """
    if not contents or contents[-1].role == "model":
        return list(contents)
    said = [_without_blanks(content) for content in contents]
    fit = list(_with_ids_once([content for content in said if content.parts] or said))
    if fit and fit[0].role == "model":
        fit.insert(0, opening())
    return fit


def opening() -> Opening:
    """Return what stands in front of a conversation that begins with the model."""
    return Opening(role="user", parts=[types.Part(text=OPENING)])


def _without_blanks(content: types.Content) -> types.Content:
    """Return a content without parts of the model's that say nothing."""
    if content.role != "model" or not any(map(_is_blank, content.parts or ())):
        return content
    parts = [part for part in content.parts or () if not _is_blank(part)]
    return content.model_copy(update={"parts": parts})


def _is_blank(part: types.Part) -> bool:
    """Tell whether a part has nothing but blank text; an empty one may hold a signature."""
    says = {name for name, value in part if value is not None}
    return says <= {"text", "thought"} and not (part.text or "").strip()


def _with_ids_once(contents: Sequence[types.Content]) -> Iterator[types.Content]:
    """Yield contents with each id of one call only, and of its response."""
    taken: set[str] = set()
    open_ids: dict[str, deque[str]] = defaultdict(deque)
    for content in contents:
        parts: list[types.Part] = []
        for part in content.parts or ():
            call, response = part.function_call, part.function_response
            if call is not None and call.id and content.role == "model":
                new = _free(call.id, taken)
                taken.add(new)
                open_ids[call.id].append(new)
                parts.append(_renamed(part, "function_call", new))
            elif response is not None and response.id and open_ids[response.id]:
                new = open_ids[response.id].popleft()
                parts.append(_renamed(part, "function_response", new))
            else:
                parts.append(part)
        is_same = all(one is other for one, other in zip(parts, content.parts or (), strict=True))
        yield content if is_same else content.model_copy(update={"parts": parts})


def _free(call_id: str, taken: set[str]) -> str:
    new, number = call_id, 1
    while new in taken:
        number += 1
        new = f"{call_id}_{number}"
    return new


def _renamed(part: types.Part, field: str, call_id: str) -> types.Part:
    tool = getattr(part, field)
    if tool.id == call_id:
        return part
    return part.model_copy(update={field: tool.model_copy(update={"id": call_id})})

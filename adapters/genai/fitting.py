"""Conversations as the Gemini API takes them: a user begins, and nobody says nothing."""

from __future__ import annotations

from collections.abc import Sequence

from google.genai import types

__all__ = ["Opening", "fitting"]

_OPENING = "(The conversation began earlier.)"


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
    fit = [content for content in said if content.parts] or said
    if fit and fit[0].role == "model":
        fit.insert(0, Opening(role="user", parts=[types.Part(text=_OPENING)]))
    return fit


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

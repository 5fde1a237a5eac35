"""Arguments and responses of functions, which Gemini has as objects and items as text.

A response is the JSON of its object, but for ``{"result": text}``, which is the text. A text that
is no object, or not as Python writes one, becomes such a result. So both ways are exact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["arguments_text", "response_of", "response_text"]

_RESULT = "result"


def arguments_text(args: Mapping[str, Any] | None) -> str:
    """Return the arguments of a call as an item has them."""
    return json.dumps(args or {}, ensure_ascii=False, default=str)


def response_text(response: Mapping[str, Any] | None) -> str:
    """Return what a function responded, as an item has it."""
    if response is None:
        return ""
    result = response.get(_RESULT)
    if len(response) == 1 and type(result) is str and _object(result) is None:
        return result
    return json.dumps(response, ensure_ascii=False, default=str)


def response_of(text: str) -> dict[str, Any]:
    """Return an output as Gemini takes it: an object."""
    found = _object(text)
    return {_RESULT: text} if found is None else found


def _object(text: str) -> dict[str, Any] | None:
    """Return the object that a text is, if it is written as `json` writes it."""
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
        is_written = json.dumps(value, ensure_ascii=False) == text
    except (ValueError, RecursionError):
        return None
    return value if is_written else None

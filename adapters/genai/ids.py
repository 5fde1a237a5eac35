"""Ids for calls and responses that Gemini gave none.

An answered call gets an id of its own. One whose response is still to come, by another conversion,
gets an id that the response can know: its name, and its place among the calls of that name in a
row. So a response finds its call by name and order, as Gemini pairs them.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

from google.genai import types

__all__ = ["free_ids", "own_id"]

_PREFIX = "genai_"
_DIGITS = 20  # of the digest in an id


def own_id(call_id: str) -> str | None:
    """Return the id of a call as Gemini gave it; None if it gave none."""
    return None if call_id == "" or call_id.startswith(_PREFIX) else call_id


def free_ids(contents: Iterable[types.Content]) -> list[dict[int, str]]:
    """Return, for each content, the ids of its calls and responses without one, by their places."""
    ids: list[dict[int, str]] = []
    waiting: dict[Any, deque[tuple[dict[int, str], int, types.FunctionCall]]] = {}
    answered = 0
    row = Counter[Any]()
    for content in contents:
        found: dict[int, str] = {}
        ids.append(found)
        parts = content.parts or ()
        if not any(part.function_call for part in parts):
            row = Counter()
        for place, part in enumerate(parts):
            call, response = part.function_call, part.function_response
            if call is not None and not call.id:
                found[place] = _known_id(call.name, row)
                waiting.setdefault(call.name, deque()).append((found, place, call))
            elif response is not None and not response.id:
                if not (calls := waiting.get(response.name)):
                    found[place] = _known_id(response.name, row)
                    continue
                of_call, at, call = calls.popleft()
                answered += 1
                found[place] = of_call[at] = _unique_id(call, response, answered)
    return ids


def _known_id(name: str | None, row: Counter[Any]) -> str:
    row[name] += 1
    return f"{_PREFIX}{name or ''}_{row[name]}"


def _unique_id(call: types.FunctionCall, response: types.FunctionResponse, number: int) -> str:
    told = repr((number, call.name, call.args, response.response))
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
    return _PREFIX + digest[:_DIGITS]

"""Documents of JSON: one a line, or a whole one on many lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from memwrap.exceptions import ConversionError

__all__ = ["as_line", "as_utf8", "parsed", "values_of"]


def as_line(value: Any, *, is_exact: bool = False) -> str:
    """Return a value as one line of JSON, which any reader of UTF-8 takes.

    Args:
        value: The value.
        is_exact: Whether half a pair of surrogates stays, for which UTF-8 has no bytes, and which
            most readers of JSON refuse.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if not is_exact:
        text = as_utf8(text)
    elif text != as_utf8(text):
        text = json.dumps(value, separators=(",", ":"))
    # Readers that split lines as Python does would part a document at these.
    for character in "\x85\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text + "\n"


def as_utf8(text: str) -> str:
    """Return a text that UTF-8 can hold: U+FFFD stands for half a pair of surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def values_of(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """Yield the value of each line that is not empty, with its number from 1.

    If the first line is no JSON, all lines are one document.

    Raises:
        ConversionError: A line is no JSON; the error tells which, and not what it says.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        return
    try:
        yield first[0], parsed(first[1], first[0])
    except ConversionError:
        rest = list(numbered)
        if not rest:
            raise
        yield 1, parsed("\n".join(line for _, line in chain([first], rest)), 1)
        return
    for number, line in numbered:
        yield number, parsed(line, number)


def parsed(text: str, number: int) -> Any:
    """Return the value of a document.

    Raises:
        ConversionError: It is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    raise ConversionError(f"line {number} is no JSON", path=f"line {number}")

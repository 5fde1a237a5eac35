"""Where a text has what somebody looks for: by expressions, presets, or a detector."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, TypeAlias

from memwrap.exceptions import ConfigurationError
from memwrap.middleware.presets import PRESETS, Span
from memwrap.names import name_of

__all__ = ["Detector", "Find", "Pattern", "finders_of"]

Pattern: TypeAlias = "str | re.Pattern[str]"
Find: TypeAlias = Callable[[str], Iterator[Span]]

_PART = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?#[^)]*\)|\(\?[^):]{0,40}[:=!]|[*+?]|\{\d*,?\d*\}|.",
    re.DOTALL,
)
_REPEAT = re.compile(r"[*+]|\{\d*,\d*\}")
_TWICE = re.compile(r"[*+]|\{(?!0?,?1?\})\d*,?\d*\}")  # a repeat of more than one


def finders_of(
    patterns: Iterable[Any], detector: Callable[[str], Iterable[Any]] | None, timeout: float
) -> list[tuple[str, Find]]:
    """Return what finds each kind, with its name.

    Args:
        patterns: Names of presets and expressions, or iterables of them.
        detector: Takes a text, and returns what it finds there; None for none.
        timeout: Seconds that an expression may take for a text.

    Raises:
        ConfigurationError: A pattern is none, or cannot be bounded; the detector is no function.
    """
    found: list[tuple[str, Find]] = []
    for pattern in _flat(patterns):
        if isinstance(pattern, str) and pattern in PRESETS:
            found.append((pattern, PRESETS[pattern]))
        else:
            found.append(("pattern", _Expression(pattern, timeout)))
    if detector is not None:
        if not callable(detector):
            raise ConfigurationError(
                f"Redact(detector=...) is a function from a text to what it finds, not {detector!r}"
            )
        found.append((name_of(detector), Detector(detector)))
    return found


def _flat(patterns: Iterable[Any]) -> Iterator[Any]:
    for pattern in patterns:
        if isinstance(pattern, (str, re.Pattern)):
            yield pattern
            continue
        try:
            yield from pattern
        except TypeError as exc:
            raise ConfigurationError(f"Redact: a pattern is no regular expression: {exc}") from exc


class _Expression:
    """Finds what an expression matches; no function, so that it can be pickled."""

    def __init__(self, pattern: Any, timeout: float) -> None:
        try:
            compiled = re.compile(pattern)
        except (re.error, TypeError) as exc:
            raise ConfigurationError(f"Redact: a pattern is no regular expression: {exc}") from exc
        if not isinstance(compiled.pattern, str):
            raise ConfigurationError("Redact: a regular expression for bytes finds nothing in text")
        self._options: dict[str, float] = {}
        self._pattern: Any = compiled
        repeats, is_nested = _repeats(compiled.pattern)
        if repeats > 1 or is_nested:
            self._pattern, self._options = _bounded(compiled, timeout, is_nested=is_nested)

    def __call__(self, text: str) -> Iterator[Span]:
        for found in self._pattern.finditer(text, **self._options):
            yield found.span()


def _repeats(pattern: str) -> tuple[int, bool]:
    """Return how many repeats an expression has, and whether one repeats what has a choice in it.

    What can be matched in several ways, many times, is what expressions take for ever with.
    """
    count, is_nested = 0, False
    groups = [0]  # how many choices each open group has
    closed = 0  # how many the group has that has just been closed
    for part in _PART.findall(pattern):
        if part.startswith("("):
            groups.append(0)
        elif part == ")" and len(groups) > 1:
            closed = groups.pop()
            groups[-1] += closed
            continue
        elif part in {"|", "?"} or _REPEAT.fullmatch(part):
            groups[-1] += 1
        if _TWICE.fullmatch(part):
            count += 1
            is_nested = is_nested or closed > 0
        closed = 0
    return count, is_nested


def _bounded(
    compiled: re.Pattern[str], timeout: float, *, is_nested: bool
) -> tuple[Any, dict[str, float]]:
    """Return an expression that takes a time limit, and the limit."""
    try:
        regex = import_module("regex")
    except ImportError:
        if not is_nested:
            return compiled, {}
        raise ConfigurationError(
            "Redact: a pattern repeats what can be matched in several ways, and may look for hours:"
            " pip install 'memwrap[redact]', which bounds its time, or write it without one of"
            " the two"
        ) from None
    flags = compiled.flags & (re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE | re.UNICODE)
    if compiled.flags & re.ASCII:
        flags = (flags & ~re.UNICODE) | int(regex.A)
    return regex.compile(compiled.pattern, int(flags)), {"timeout": timeout}


class Detector:
    """Finds what somebody's function finds: pairs, mappings or objects with start and end."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self, text: str) -> Iterator[Span]:
        """Yield where the function finds something."""
        for found in self._function(text):
            if isinstance(found, Mapping):
                yield int(found["start"]), int(found["end"])
            elif isinstance(found, (tuple, list)):
                yield int(found[0]), int(found[1])
            else:
                yield int(found.start), int(found.end)

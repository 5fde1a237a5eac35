"""Errors of other libraries, mapped once, at the boundary: their text may quote a conversation.

memwrap's own error is raised outside of the ``except`` block that caught the other one, or Python
would show that as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from memwrap.exceptions import ConversionError, MemwrapError

__all__ = ["ForeignError", "as_cause", "converted"]

P = ParamSpec("P")
R = TypeVar("R")

# What these raise tells of files, locks and statements, and never of values.
_DRIVERS = ("memwrap", "sqlite3")


class ForeignError(Exception):
    """An error of another library without its text: its type, and where it was raised."""


def as_cause(error: Exception) -> Exception:
    """Return what may be shown of an error: a driver's as it is, any other without its text."""
    kind = type(error)
    if isinstance(error, OSError) or kind.__module__.partition(".")[0] in _DRIVERS:
        return error
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    shown = ForeignError(f"{name}, whose text is left out: it may quote the conversation")
    return shown.with_traceback(error.__traceback__)


def converted(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a function of an adapter returns.

    Raises:
        ConversionError: It raised another error than memwrap's own.
    """
    try:
        return function(*args, **kwargs)
    except (MemwrapError, ImportError, Warning):
        raise
    except Exception as exc:  # noqa: BLE001  (other libraries' errors quote what they refuse)
        cause: Any = as_cause(exc)
        name = type(exc).__name__
    try:
        raise ConversionError(
            f"{function.__module__} cannot read a message or item ({name})"
        ) from cause
    finally:
        del cause  # its traceback leads here

"""What the sessions of this package refuse: ids, limits and settings that can be none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from memwrap.dialects import settings_class
from memwrap.exceptions import ConfigurationError
from memwrap.sessions.records import Changes

__all__ = [
    "MAX_ID_BYTES",
    "MAX_TEXT_BYTES",
    "SessionSettings",
    "as_runners_take",
    "check_changes",
    "check_count",
    "check_id",
    "check_limit",
    "check_seconds",
    "check_settings",
    "check_tenant",
    "json_text",
    "no_such_page",
]

MAX_ID_BYTES = 1024
"""How long a session id may be, in UTF-8."""

MAX_TEXT_BYTES = 64 * 1024
"""How long the JSON of a title and of a session's metadata may be."""

_AGES = 1e11  # seconds: thousands of years


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Settings of a session, as runners of other libraries read them.

    Attributes:
        limit: How many items ``get_items()`` returns when it is called without a limit.
    """

    limit: int | None = None

    def resolve(self, override: Any) -> Self:
        """Return the settings of one run: what *override* sets wins."""
        settings = check_settings(override)
        return self if settings is None or settings.limit is None else type(self)(settings.limit)


def check_id(session_id: object, name: str = "a session id") -> str:
    """Return *session_id* if it can be one.

    Raises:
        ConfigurationError: It is no string, empty, too long, or no valid Unicode.
    """
    if not isinstance(session_id, str):
        raise ConfigurationError(
            f"{name} is a string, not {type(session_id).__name__}; pass str(...) of it"
        )
    try:
        length = len(session_id.encode())
    except UnicodeEncodeError:
        raise ConfigurationError(f"{name} is valid Unicode; this holds surrogates") from None
    if not 0 < length <= MAX_ID_BYTES:
        raise ConfigurationError(
            f"{name} has 1 to {MAX_ID_BYTES} bytes of UTF-8; this has {length}"
        )
    return session_id


def check_tenant(tenant: object) -> str:
    """Return *tenant* if it can be one; the empty string is one too.

    Raises:
        ConfigurationError: It is no string, too long, or no valid Unicode.
    """
    return "" if tenant == "" else check_id(tenant, "a tenant")


def check_seconds(seconds: object, name: str) -> float | None:
    """Return a time as seconds; None for none.

    Args:
        seconds: Seconds or a timedelta, more than 0.
        name: The parameter, for the error.

    Raises:
        ConfigurationError: It is neither, or not more than 0 and finite.
    """
    if seconds is None:
        return None
    number = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number < _AGES:
        raise ConfigurationError(
            f"{name} is a number of seconds more than 0 or a timedelta, not {seconds!r}"
        )
    return float(number)


def check_count(count: object, name: str) -> int:
    """Return *count* if it is a whole number from 1 on.

    Raises:
        ConfigurationError: It is something else.
    """
    if isinstance(count, int) and not isinstance(count, bool) and count > 0:
        return count
    raise ConfigurationError(f"{name} is a whole number from 1 on, not {count!r}")


def check_changes(
    *, title: Any = ..., tags: Any = ..., owner: Any = ..., metadata: Any = ...
) -> Changes:
    """Return what to change of a session, as back ends take it; ``...`` for what stays.

    Raises:
        ConfigurationError: One of them is none, is too long, or cannot be JSON.
    """
    changes: Changes = {}
    if title is not ...:
        changes["title"] = None if title is None else json_text(_text(title, "a title"), "title")
    if owner is not ...:
        changes["owner"] = None if owner is None else check_id(owner, "an owner")
    if tags is not ...:
        if isinstance(tags, (str, bytes)) or not isinstance(tags, Iterable):
            raise ConfigurationError(f"tags are a list of strings, not {type(tags).__name__}")
        changes["tags"] = sorted({check_id(tag, "a tag") for tag in tags})
    if metadata is not ...:
        if metadata is not None and not isinstance(metadata, Mapping):
            raise ConfigurationError(f"metadata is a dict or None, not {type(metadata).__name__}")
        changes["metadata"] = json_text(dict(metadata), "metadata") if metadata else None
    return changes


def _text(text: object, name: str) -> str:
    if not isinstance(text, str):
        raise ConfigurationError(f"{name} is a string or None, not {type(text).__name__}")
    return text


def json_text(value: Any, name: str) -> str:
    """Return the JSON of a value, in ASCII, from which the same value is read again.

    Raises:
        ConfigurationError: There is none, or it is longer than 64 KiB.
    """
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        is_exact = json.loads(text) == value
    except (TypeError, ValueError, RecursionError):
        is_exact, text = False, ""
    if not is_exact:
        raise ConfigurationError(f"{name} holds what JSON does not: {name} is kept as JSON")
    if len(text) > MAX_TEXT_BYTES:
        raise ConfigurationError(
            f"{name} has {len(text)} bytes of JSON; at most {MAX_TEXT_BYTES} are kept"
        )
    return text


def no_such_page(after: str) -> ConfigurationError:
    """Return the error for a list that is to go on after a session that is not there."""
    return ConfigurationError(f"after={after!r}: there is no such session (any more)")


def check_limit(limit: object) -> int | None:
    """Return *limit* if it can be one.

    Raises:
        ConfigurationError: It is negative or no whole number.
    """
    if limit is None or (isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0):
        return limit
    raise ConfigurationError(f"a limit is a whole number from 0 on, or None for all, not {limit!r}")


class _UnknownSetting(ConfigurationError, TypeError):
    """A `TypeError` too, as for any argument that a class does not know."""


def check_settings(settings: Any) -> Any:
    """Return *settings* as an object with a ``limit``, or None.

    Raises:
        ConfigurationError: It is neither None, a dict, nor such an object.
    """
    if isinstance(settings, dict):
        if unknown := sorted(str(name) for name in settings if name != "limit"):
            raise _UnknownSetting(
                f"Unknown session settings: {', '.join(unknown)}; SessionSettings has a `limit`"
            )
        settings = SessionSettings(**settings) if settings else None
    if settings is None:
        return None
    if not hasattr(settings, "limit"):
        raise ConfigurationError(
            "session_settings is None or has a `limit` and nothing else, as"
            f" SessionSettings(limit=50) has; got {type(settings).__name__}"
        )
    check_limit(settings.limit)
    return settings


def as_runners_take(settings: Any) -> Any:
    """Return settings in the class that runners of other programs know, once it is imported.

    They take settings of no other class, and without any they expect such as set nothing.
    """
    if settings is not None and type(settings) is not SessionSettings:
        return settings
    kind = settings_class()
    if kind is None:
        return settings
    return kind(limit=None if settings is None else settings.limit)

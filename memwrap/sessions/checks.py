"""What the sessions of this package refuse: ids, limits and settings that can be none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from memwrap.dialects import settings_class
from memwrap.exceptions import ConfigurationError

__all__ = [
    "MAX_ID_BYTES",
    "SessionSettings",
    "as_runners_take",
    "check_id",
    "check_limit",
    "check_settings",
    "no_such_page",
]

MAX_ID_BYTES = 1024
"""How long a session id may be, in UTF-8."""


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

"""What errors of the driver mean for who uses a store, told without anybody's content.

A server quotes values in its errors, and whole rows in their details. What is told here is the
kind of error, its code, and the first line of those that speak of the server itself.
"""

from __future__ import annotations

from typing import Any

from memwrap.exceptions import ConfigurationError, Lost, StoreError

__all__ = [
    "failure",
    "is_damaged",
    "is_missing",
    "is_refused",
    "is_taken",
    "is_unprepared",
    "raised",
    "sqlstate",
]

# Classes of SQLSTATE whose first lines name parts of the server: connection, state of the
# transaction, who may log in, database, schema, what is missing or forbidden, resources, limits,
# state of objects, intervention of operators, disks and the server's own mistakes.
_TELLING = ("08", "25", "28", "3D", "3F", "42", "53", "54", "55", "57", "58", "XX")

# The server, a pooler or the network ended the connection or shut down; or the statement was
# undone to let another go first. Either way it is worth another try.
_PASSING = ("08", "40", "57P0")
_HINTS = {
    "25006": "it is read-only: point the store at the primary",
    "42501": "its role may not do this; `await store.setup()` under a role that may create the"
    " schema, and grants on it, let others use it",
    "53100": "its disk is full, and nothing of this was stored",
    "53200": "it is out of memory, and nothing of this was stored",
    "53300": "it takes no more connections: lower pool_size, or raise max_connections",
    "57014": "the statement took longer than the server allows, or was cancelled",
}

# Behind a pooler the next statement may meet another server, which has not prepared it.
_UNPREPARED = ("26000", "42P05")
_MISSING = ("3F000", "42P01")  # no such schema, no such table


def sqlstate(error: BaseException) -> str:
    """Return the code of an error that a server has told; empty for others."""
    code = getattr(error, "sqlstate", None)
    return code if isinstance(code, str) else ""


def is_unprepared(error: BaseException) -> bool:
    """Tell whether the server does not know the statement that it has been told to run."""
    return sqlstate(error) in _UNPREPARED


def raised(place: str, error: BaseException, seconds: float, *, is_sent: bool) -> BaseException:
    """Return what to raise for anything that came out of the driver.

    Args:
        place: Names the server.
        error: What came.
        seconds: How long was waited.
        is_sent: Whether the statement may have reached the server.
    """
    if isinstance(error, TimeoutError):
        what = "gave no answer" if is_sent else "took no connection"
        return StoreError(f"PostgreSQL at {place}: the server {what} in {seconds:g} s")
    if not isinstance(error, Exception):
        return error
    if not is_sent and type(error).__name__ == "ClientConfigurationError":
        return ConfigurationError(f"the DSN of PostgreSQL at {place} cannot be used")
    return failure(place, error, is_sent=is_sent)


def failure(place: str, error: BaseException, *, is_sent: bool) -> StoreError:
    """Return the error to raise for one of the driver's.

    Args:
        place: Names the server.
        error: What the driver raised.
        is_sent: Whether the statement may have reached the server.
    """
    code = sqlstate(error)
    if code and not (is_sent and code.startswith("08")):
        told = _told(error, code)
        kind = Lost if code.startswith(_PASSING) else StoreError
        found = kind(f"PostgreSQL at {place}: {told}")
        found.__cause__ = _without_content(error, told)
        return found
    if is_sent:
        found = Lost(
            f"PostgreSQL at {place}: the connection was lost before an answer came; what was asked"
            " for may have been done"
        )
    elif isinstance(error, ConnectionError):
        found = Lost(f"PostgreSQL at {place}: no connection ({type(error).__name__})")
    else:
        found = StoreError(f"PostgreSQL at {place}: no connection ({_named(error)})")
    found.__cause__ = error if isinstance(error, OSError) else None
    return found


def _told(error: BaseException, code: str) -> str:
    kind = type(error).__name__
    hint = f"; {_HINTS[code]}" if code in _HINTS else ""
    first: Any = error.args[0] if error.args else ""
    said = f": {first}" if code.startswith(_TELLING) and first else ""
    return f"{kind} ({code}){said}{hint}"


def _named(error: BaseException) -> str:
    """Return the error's kind and what it says of names and certificates."""
    text = str(error).partition("\n")[0] if isinstance(error, OSError) else ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _without_content(error: BaseException, told: str) -> BaseException:
    return type(error)(told)


def is_refused(error: BaseException) -> bool:
    """Tell whether the server has done nothing, and would not do it again either."""
    code = sqlstate(error)
    return bool(code) and not code.startswith(_PASSING)


def is_missing(error: BaseException) -> bool:
    """Tell whether an error of a store says that there are no such tables."""
    cause = error.__cause__
    return cause is not None and sqlstate(cause) in _MISSING


def is_damaged(error: BaseException) -> bool:
    """Tell whether an error of a store says that the server cannot read a value."""
    cause = error.__cause__
    return cause is not None and sqlstate(cause).startswith("22")


def is_taken(error: BaseException) -> bool:
    """Tell whether an error of a store says that what should be new is there already."""
    cause = error.__cause__
    return cause is not None and sqlstate(cause) == "23505"

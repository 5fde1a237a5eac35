"""What errors of the driver mean for who uses a store, told without anybody's content."""

from __future__ import annotations

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ConnectionError,  # noqa: A004  (the driver calls it so)
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004
)

from memwrap.exceptions import Lost, StoreError

__all__ = ["DRIVER_ERRORS", "failure"]

DRIVER_ERRORS = (RedisError, RedisClusterException, OSError)
"""What the driver raises when a server or the way to it fails."""

_HINTS = {
    "READONLY": "it is read-only: point the store at the primary",
    "OOM": "its memory is full, and nothing of this was stored",
    "MISCONF": "it cannot write to its disk, and stores nothing until it can",
    "NOREPLICAS": "too few replicas are there, and nothing of this was stored",
    "NOAUTH": "it wants a password: redis://:password@host:6379",
    "NOPERM": "its user may not run scripts on these keys",
    "CLUSTERDOWN": "the cluster does not serve this part of its keys now",
    "CROSSSLOT": "it is a cluster: use a URL that begins with redis+cluster://",
    "MOVED": "it is a cluster: use a URL that begins with redis+cluster://",
    "WRONGTYPE": "another program uses keys with this prefix",
}
_PASSING = frozenset({"CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN", "BUSY"})


def failure(place: str, error: BaseException) -> StoreError:
    """Return the error to raise for one of the driver's.

    Args:
        place: Names the server.
        error: What the driver raised.
    """
    if isinstance(error, (AuthenticationError, AuthorizationError)):
        return StoreError(f"Redis at {place}: it does not let this user in")
    code = _code(error)
    if code == "UNKNOWN" or not isinstance(error, (ConnectionError, TimeoutError, OSError)):
        kind = Lost if code in _PASSING else StoreError
        hint = f": {_HINTS[code]}" if code in _HINTS else ""
        return kind(f"Redis at {place}: {type(error).__name__} ({code}){hint}")
    return Lost(
        f"Redis at {place}: no answer came ({type(error).__name__}); what was asked for may have"
        " been done"
    )


def _code(error: BaseException) -> str:
    """Return the server's word for an error: the driver has classes of its own for some."""
    name = type(error).__name__.removesuffix("Error").upper()
    word = _CLASSES.get(name)
    if word is not None:
        return word
    if isinstance(error, ResponseError):
        said = str(error).split(" ", 1)[0].strip("-:")
        if said.isalpha() and said.isupper():
            return said
        return next((code for code in _HINTS if code in str(error)), "ERR")
    return "" if isinstance(error, (ConnectionError, TimeoutError, OSError)) else "UNKNOWN"


_CLASSES = {
    "READONLY": "READONLY",
    "OUTOFMEMORY": "OOM",
    "CLUSTERDOWN": "CLUSTERDOWN",
    "MASTERDOWN": "MASTERDOWN",
    "TRYAGAIN": "TRYAGAIN",
    "BUSYLOADING": "LOADING",
    "CLUSTERCROSSSLOT": "CROSSSLOT",
    "MOVED": "MOVED",
    "NOPERMISSION": "NOPERM",
    "AUTHENTICATIONREQUIRED": "NOAUTH",
}

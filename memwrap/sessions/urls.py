"""Stores by URL: the scheme tells which, and its package is imported then."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from memwrap.exceptions import ConfigurationError

if TYPE_CHECKING:
    from memwrap.sessions.database_store import DatabaseStore

__all__ = ["file_of", "store_from_url", "store_of"]

_POSTGRES = "memwrap.sessions.postgres", "PostgresStore"
_REDIS = "memwrap.sessions.redis", "RedisStore"
_KINDS = {
    "memory": ("memwrap.sessions.in_memory", "InMemoryStore"),
    "sqlite": ("memwrap.sessions.sqlite", "SQLiteStore"),
    **dict.fromkeys(("postgresql", "postgres", "postgresql+asyncpg"), _POSTGRES),
    **dict.fromkeys(("redis", "rediss", "valkey", "valkeys"), _REDIS),
    **dict.fromkeys(("redis+cluster", "rediss+cluster"), _REDIS),
    **dict.fromkeys(("valkey+cluster", "valkeys+cluster"), _REDIS),
}
_FORMS = (
    "memory://, sqlite:///relative.db, sqlite:////absolute.db, sqlite:///:memory:,"
    " postgresql://user@host/name, redis://host:port/0, rediss://, valkey://, valkeys://,"
    " redis+cluster://host:port,host:port"
)


def store_from_url(url: str, **options: Any) -> DatabaseStore:
    """Return the store that a URL names; nothing is opened before it is used.

    Args:
        url: ``memory://``, ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``sqlite://``
            (in memory), ``postgresql://``, ``redis://`` or ``valkey://``, with ``+cluster`` too.
            The path of a file is percent-decoded.
        **options: Those of that store's class, such as ``ttl=``.

    Raises:
        ConfigurationError: There is no such store, the URL or an option is not what it should be,
            or the package that the store needs is not installed. No message has the URL in it.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"a store's URL is a string, not {type(url).__name__}")
    scheme, found, _ = url.partition("://")
    if not found or scheme.lower() not in _KINDS:
        raise ConfigurationError(f"the URL names no store; there are: {_FORMS}")
    module, name = _KINDS[scheme.lower()]
    store: Any = getattr(import_module(module), name)
    if unknown := sorted(set(options) - set(inspect.signature(store).parameters)):
        raise ConfigurationError(f"{name} has no option {', '.join(unknown)}")
    if scheme.lower() == "memory":
        if url.partition("://")[2]:
            raise ConfigurationError("memory:// has nothing behind it: there is one store in it")
        return cast("DatabaseStore", store(**options))
    place = _path(url) if scheme.lower() == "sqlite" else url
    return cast("DatabaseStore", store(place, **options))


def file_of(url: str) -> str | None:
    """Return the path of the SQLite file that a URL names; None if it names another store.

    Raises:
        ConfigurationError: It is no URL as SQLite's are.
    """
    path = _path(url) if url.partition("://")[0].lower() == "sqlite" else None
    return None if path == ":memory:" else path


def store_of(store: Any) -> Any:
    """Return the store of a URL, and anything else as it is.

    Raises:
        ConfigurationError: It is a string and no URL of a store.
    """
    if not isinstance(store, str):
        return store
    if "://" not in store:
        raise ConfigurationError(
            f"store is of type str, and no URL; it is a store, a function from id to session, or"
            f" one of: {_FORMS}"
        )
    return store_from_url(store)


def _path(url: str) -> str:
    """Return the file that a SQLite URL names."""
    host, _, path = url.partition("://")[2].partition("/")
    if host or "?" in path or "#" in path:
        raise ConfigurationError(
            "a SQLite URL is sqlite:///relative.db, sqlite:////absolute.db or sqlite:///:memory:,"
            " without a host, a query (?) or a fragment (#); in a path these are %3F and %23"
        )
    return unquote(path, errors="surrogateescape") or ":memory:"

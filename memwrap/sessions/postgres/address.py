"""The address of a PostgreSQL server: checked when it is given, and named without its password."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from memwrap.exceptions import ConfigurationError

__all__ = ["Address", "address_of"]

_SCHEME = re.compile(r"(postgres|postgresql|postgresql\+asyncpg)://", re.IGNORECASE)
_PORT = re.compile(r"[0-9]{0,5}\Z")
_SSL = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class Address(NamedTuple):
    """Where a server is.

    Attributes:
        dsn: What the driver takes, password included.
        place: Hosts, ports and database, for people.
    """

    dsn: str
    place: str

    def __repr__(self) -> str:
        return f"Address({self.place!r})"


def address_of(dsn: str) -> Address:
    """Return the address in a DSN.

    Raises:
        ConfigurationError: It is none; its password is not shown.
    """
    scheme = _SCHEME.match(dsn)
    if scheme is None:
        raise ConfigurationError(
            "the DSN of a PostgreSQL server begins with postgresql://, postgres:// or"
            " postgresql+asyncpg://, as in postgresql://user:password@host:5432/database"
        )
    text = "postgresql://" + dsn[scheme.end() :]
    try:
        parts = urlsplit(text)
        query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ConfigurationError(
            "the DSN of the PostgreSQL server is no URL; percent-encode what stands for itself"
            " in its user and password"
        ) from None
    hosts = parts.netloc.rpartition("@")[2] or query.get("host", "")
    for host in parts.netloc.rpartition("@")[2].split(","):
        port = host.rpartition("]")[2].rpartition(":")[2] if ":" in host else ""
        if not _PORT.match(port):
            raise ConfigurationError(
                "the port of the PostgreSQL server is no number; percent-encode what stands for"
                " itself in the user and password of the DSN"
            )
    if (mode := query.get("sslmode")) is not None and mode not in _SSL:
        raise ConfigurationError(f"sslmode is one of {', '.join(_SSL)}, not {mode!r}")
    database = parts.path.lstrip("/") or query.get("database", query.get("dbname", ""))
    return Address(text, f"{unquote(hosts) or 'localhost'}/{unquote(database)}".rstrip("/"))

"""Where a server is: a URL, taken apart, and told without its password."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from memwrap.exceptions import ConfigurationError

__all__ = ["Address", "address_of"]

_FORMS = (
    "redis://, rediss://, valkey:// or valkeys:// with host:port/database, or redis+cluster://,"
    " rediss+cluster://, valkey+cluster:// or valkeys+cluster:// with host:port[,host:port...]"
)
_SCHEME = re.compile(r"(redis|valkey)(s?)(\+cluster)?\Z")
_DATABASE = re.compile(r"/?(\d{0,4})\Z")
_LAST_PORT = 65535


class Address(NamedTuple):
    """Where a server or a cluster is.

    Attributes:
        hosts: The hosts and ports: one, or those that a cluster is asked at.
        database: The number of the database.
        username: Who logs in, or None.
        password: The password, or None.
        is_secure: Whether TLS is used.
        is_cluster: Whether it is a cluster.
    """

    hosts: tuple[tuple[str, int], ...]
    database: int = 0
    username: str | None = None
    password: str | None = None
    is_secure: bool = False
    is_cluster: bool = False

    def __repr__(self) -> str:
        return f"<Address {self.place}>"

    @property
    def place(self) -> str:
        """The hosts and the database, for errors."""
        hosts = ",".join(f"{host}:{port}" for host, port in self.hosts)
        return hosts if self.is_cluster else f"{hosts}/{self.database}"


def address_of(url: str) -> Address:
    """Return where a URL says that the server is.

    Raises:
        ConfigurationError: It is no URL of a server.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _no_url() from None
    scheme = _SCHEME.match(parts.scheme.lower())
    database = _DATABASE.match(parts.path)
    user, has_user, hosts = parts.netloc.rpartition("@")
    if scheme is None or database is None or parts.query or parts.fragment:
        raise _no_url()
    is_cluster = bool(scheme[3])
    found = tuple(_host(host) for host in hosts.split(","))
    if not is_cluster and len(found) > 1:
        raise ConfigurationError(
            "a URL of a single server names one host; several are those of a cluster, as in"
            " redis+cluster://one:6379,two:6379"
        )
    if is_cluster and database[1] not in {"", "0"}:
        raise ConfigurationError("a cluster has the database 0 only; leave the number out")
    username, has_password, password = user.partition(":")
    return Address(
        found,
        int(database[1] or 0),
        unquote(username) or None if has_user else None,
        unquote(password) if has_password else None,
        bool(scheme[2]),
        is_cluster,
    )


def _host(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":") if re.search(r":\d*\Z", text) else (text, "", "")
    host = host.strip("[]") or "localhost"
    if not (port or "6379").isdecimal() or not 0 < int(port or 6379) <= _LAST_PORT:
        raise _no_url()
    if re.search(r"[\s/@]", host) or (":" in host and not text.startswith("[")):
        raise _no_url()
    return host, int(port or 6379)


def _no_url() -> ConfigurationError:
    return ConfigurationError(
        f"the URL of the server can be none: it begins with {_FORMS}; percent-encode what stands"
        " for itself in the user and password"
    )

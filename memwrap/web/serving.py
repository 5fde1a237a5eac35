"""The page on this machine, for who has its address."""

from __future__ import annotations

import secrets
import socket
import sys
import webbrowser

import uvicorn

from memwrap.exceptions import ConfigurationError
from memwrap.sessions.database_store import DatabaseStore
from memwrap.web.application import app

__all__ = ["serve"]


def serve(
    store: DatabaseStore,
    *,
    host: str = "127.0.0.1",
    port: int = 8321,
    read_only: bool = True,
    open: bool = False,
) -> None:
    """Serve the page until it is interrupted; its address, with a token, is told on stderr.

    Args:
        store: The store.
        host: Where to listen; other machines reach it only if it is not this one.
        port: The port; 0 for a free one.
        read_only: Whether nothing can be renamed, undone or deleted.
        open: Whether a browser is opened.

    Raises:
        ConfigurationError: The port is taken, or it is no store of memwrap.
    """
    token = secrets.token_urlsafe(24)
    try:
        listener = socket.create_server((host, port))
    except OSError as exc:
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({exc.strerror}): pass another port"
        ) from None
    with listener:
        port = listener.getsockname()[1]
        hosts = {f"{name}:{port}" for name in (host, "127.0.0.1", "localhost")}
        page = app(store, read_only=read_only, token=token, hosts=hosts)
        address = f"http://{host}:{port}/?token={token}"
        print(f"memwrap: {address}", file=sys.stderr, flush=True)  # noqa: T201
        if open:
            webbrowser.open(address)
        config = uvicorn.Config(page, log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])

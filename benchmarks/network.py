"""A network between a benchmark and a server: each way takes a time, and trips are counted.

Run as a program it stands before a server's socket, prints its port, and answers each line with
the number of round trips since the line before. It is a process of its own, so that its work is
not the contenders'.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

__all__ = ["Network"]


class Network:
    """A network in a process of its own.

    Args:
        socket: The path of the server's socket.
        seconds: What each way takes.
    """

    def __init__(self, socket: str, seconds: float) -> None:
        command = [sys.executable, __file__, socket, str(seconds)]
        self._process: Any = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._process.stdout.readline())

    def trips(self) -> int:
        """Return how many round trips there were since it was asked before."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class _Way(asyncio.Protocol):
    """One side of a connection: what comes here goes out on the other side a while later."""

    def __init__(self, seconds: float, counts: list[int], *, is_client: bool) -> None:
        self.seconds = seconds
        self.counts = counts
        self.is_client = is_client
        self.other: _Way | None = None
        self.transport: Any = None
        self.waiting: list[bytes] = []
        self.was_last = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self.waiting.append(data)
            return
        if self.is_client and not self.was_last:
            self.counts[0] += 1
        self.was_last, self.other.was_last = True, False
        if self.seconds:
            asyncio.get_running_loop().call_later(self.seconds, self.other.transport.write, data)
        else:
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            self.other.transport.close()


class _Front(_Way):
    """The side of the client, which opens the side of the server."""

    def __init__(self, socket: str, seconds: float, counts: list[int]) -> None:
        super().__init__(seconds, counts, is_client=True)
        self._socket = socket
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._task = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        back = _Way(self.seconds, self.counts, is_client=False)
        await asyncio.get_running_loop().create_unix_connection(lambda: back, self._socket)
        back.other, self.other = self, back
        for data in self.waiting:
            self.data_received(data)


async def _serve(socket: str, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    counts = [0]
    server = await loop.create_server(lambda: _Front(socket, seconds, counts), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(counts[0], flush=True)
        counts[0] = 0


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], float(sys.argv[2])))

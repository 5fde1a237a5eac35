"""What stands between a program and a server in tests, and does what networks do."""

import asyncio
import struct
import threading
from urllib.parse import parse_qs, urlsplit


class _Thread:
    """A server on an event loop in a thread of its own, on a port of this machine."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._server = None
        self.port = 0
        self._tasks = set()

    def __enter__(self):
        self._thread.start()
        self.listen()
        return self

    def __exit__(self, *error):
        self.run(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def listen(self):
        """Take connections, on the same port as before."""

        async def start():
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

        self.run(start())

    async def _stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await self.handle(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def handle(self, reader, writer):
        raise NotImplementedError

    def dsn(self, user="postgres"):
        return f"postgresql://{user}:secret-word@127.0.0.1:{self.port}/postgres"


def socket_of(url):
    """Return the path of a PostgreSQL server's socket."""
    return parse_qs(urlsplit(url).query)["host"][0] + "/.s.PGSQL.5432"


class Proxy(_Thread):
    """Hands on what a server on a socket and its clients say, or does not.

    Attributes:
        trips: How often clients have spoken after they had an answer.
        cut_after: So many more bytes of answers are handed on, then the connection is dropped.
        is_silent: Nothing that the server says is handed on, nor what clients say.
        is_deaf: Nothing that the server says is handed on.
        delay: Seconds that each way takes.
    """

    def __init__(self, socket):
        super().__init__()
        self._socket = socket
        self._writers = set()
        self.trips = 0
        self.cut_after = None
        self.is_silent = self.is_deaf = False
        self.delay = 0.0

    async def handle(self, reader, writer):
        upstream, up = await asyncio.open_unix_connection(self._socket)
        self._writers |= {writer, up}
        state = {"answered": True}
        try:
            await asyncio.gather(
                self._pump(reader, up, state, is_client=True),
                self._pump(upstream, writer, state, is_client=False),
            )
        finally:
            self._writers -= {writer, up}
            up.transport.abort()

    async def _pump(self, reader, writer, state, *, is_client):
        while data := await reader.read(65536):
            if is_client and state["answered"]:
                self.trips += 1
            state["answered"] = not is_client
            if self.delay:
                await asyncio.sleep(self.delay)
            while self.is_silent or (self.is_deaf and not is_client):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            if not is_client and self.cut_after is not None:
                data, self.cut_after = data[: self.cut_after], self.cut_after - len(data)
                if self.cut_after <= 0:
                    self.cut_after = None
                    writer.write(data)
                    await writer.drain()
                    raise ConnectionResetError
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    def drop(self):
        """Drop all connections."""

        async def drop():
            for writer in list(self._writers):
                writer.transport.abort()
            await asyncio.sleep(0.02)

        self.run(drop())

    def refuse(self):
        """Take no more connections, and drop those there are."""

        async def close():
            self._server.close()

        self.run(close())
        self.drop()


class Pooler(_Thread):
    """Lends each transaction one of few connections to the server, and knows no statements."""

    def __init__(self, socket, size=2):
        super().__init__()
        self._socket = socket
        self._size = size
        self._free = None
        self._opened = []

    async def _open(self):
        reader, writer = await asyncio.open_unix_connection(self._socket)
        self._opened.append(writer)
        words = b"user\0postgres\0database\0postgres\0client_encoding\0utf-8\0\0"
        writer.write(struct.pack("!ii", len(words) + 8, 196608) + words)
        greeting = b""
        while not greeting.endswith(b"Z\0\0\0\5I"):
            greeting += await reader.read(65536)
        return reader, writer, greeting

    async def _stop(self):
        await super()._stop()
        for writer in self._opened:
            writer.transport.abort()
        await asyncio.sleep(0.01)

    async def handle(self, reader, writer):
        if self._free is None:
            self._free = asyncio.Queue()
            for _ in range(self._size):
                self._free.put_nowait(await self._open())
        (size,) = struct.unpack("!i", await reader.readexactly(4))
        (code,) = struct.unpack("!i", (await reader.readexactly(size - 4))[:4])
        if code == 80877103:  # asks for TLS
            writer.write(b"N")
            return await self.handle(reader, writer)
        if code == 80877102:  # a cancellation
            return None
        server = await self._free.get()
        greeting = server[2]
        self._free.put_nowait(server)
        writer.write(greeting)
        said = asyncio.ensure_future(self._message(reader))
        try:
            while True:
                await asyncio.wait({said})
                said = await self._transaction(said, reader, writer)
        finally:
            said.cancel()

    async def _transaction(self, said, reader, writer):
        """Hand on what the client has said, and all until the server is idle again."""
        said.result()  # it may be the end
        server = await self._free.get()
        upstream, up, _ = server
        answer = asyncio.ensure_future(self._message(upstream))
        try:
            while True:
                await asyncio.wait({said, answer}, return_when=asyncio.FIRST_COMPLETED)
                if said.done():
                    up.write(said.result())
                    said = asyncio.ensure_future(self._message(reader))
                if answer.done():
                    writer.write(answer.result())
                    if answer.result() == b"Z\0\0\0\5I":
                        return said
                    answer = asyncio.ensure_future(self._message(upstream))
        finally:
            if answer.done():
                self._free.put_nowait(server)
            else:
                answer.cancel()
                up.transport.abort()
                self._free.put_nowait(await self._open())

    @staticmethod
    async def _message(reader):
        head = await reader.readexactly(5)
        if head[:1] == b"X":
            raise EOFError
        return head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)

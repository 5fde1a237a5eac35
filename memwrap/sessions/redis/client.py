"""The connections to a server or a cluster on one event loop, or a client that a caller has."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Any, cast

import redis.asyncio
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.maint_notifications import MaintNotificationsConfig

from memwrap.exceptions import ConfigurationError, StoreError
from memwrap.sessions import loops
from memwrap.sessions.redis.address import Address
from memwrap.sessions.redis.failures import DRIVER_ERRORS, failure
from memwrap.sessions.redis.scripts import Script
from memwrap.sessions.shared import SharedResource

__all__ = ["Client", "GivenClient", "check_client", "client_for", "found_client", "load", "setting"]

Call = Callable[[Any], Awaitable[Any]]


class GivenClient:
    """A client that belongs to the caller, who closes it.

    Args:
        client: A ``redis.asyncio.Redis`` or ``redis.asyncio.RedisCluster``.
        size: How many calls at most are under way at once.
        seconds: How long an operation may take, waiting for its turn included.
    """

    place = "the given client"

    def __init__(self, client: Any, size: int, seconds: float) -> None:
        self.size = size
        self.seconds = seconds
        self.known: set[Hashable] = set()  # the prefixes whose version has been looked at
        self._client = client
        self._is_ready = False
        self._first = asyncio.Lock()
        self._row: asyncio.Semaphore | None = None

    async def call(self, work: Call) -> Any:
        """Return what *work* returns of the driver's client.

        Raises:
            StoreError: It failed; `Lost` if it may have been done.
        """
        deadline = time.monotonic() + self.seconds
        await self._wait_in_row()
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0.001)):
                client = await self._opened()
                if not self._is_ready:
                    await self._get_ready(client)
                return await work(client)
        except TimeoutError:
            error: StoreError = StoreError(
                f"Redis at {self.place}: no answer in {self.seconds:g} s"
            )
        except DRIVER_ERRORS as exc:
            error = failure(self.place, exc)
        finally:
            self._semaphore.release()
        raise error

    @property
    def _semaphore(self) -> asyncio.Semaphore:
        if self._row is None:
            self._row = asyncio.Semaphore(self.size)
        return self._row

    async def _wait_in_row(self) -> None:
        if not self._semaphore.locked():
            await self._semaphore.acquire()
            return
        try:
            async with asyncio.timeout(self.seconds):
                await self._semaphore.acquire()
        except TimeoutError:
            raise StoreError(
                f"Redis at {self.place}: all {self.size} connections were in use for"
                f" {self.seconds:g} s; raise pool_size={self.size}, or keep fewer turns under way"
            ) from None

    async def _opened(self) -> Any:
        return self._client

    async def _get_ready(self, client: Any) -> None:
        """Ask a cluster where its keys are, once: its client may not do so for several at once."""
        async with self._first:
            if not self._is_ready:
                await client.initialize()
                self._is_ready = True

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run a script, and return its answer."""

        async def ran(client: Any) -> Any:
            try:
                return await client.evalsha(script.sha, len(keys), *keys, *args)
            except NoScriptError:
                return await client.eval(script.text, len(keys), *keys, *args)

        return await self.call(ran)

    async def run_all(self, script: Script, calls: Sequence[tuple[str, Sequence[Any]]]) -> Any:
        """Run a script that reads for many keys in one round trip a server; return the answers."""

        async def sent(client: Any, wanted: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
            pipeline = client.pipeline(transaction=False)
            for key, args in wanted:
                pipeline.execute_command(
                    "EVALSHA", script.sha, 1, key, *args
                )  # a cluster takes no other
            return cast("list[Any]", await pipeline.execute(raise_on_error=False))

        async def ran(client: Any) -> list[Any]:
            answers = await sent(client, calls)
            if any(isinstance(answer, NoScriptError) for answer in answers):
                await client.script_load(script.text)
                answers = await sent(client, calls)
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
            return answers

        return await self.call(ran)


class Client(GivenClient, SharedResource):
    """Connections to a server or a cluster, on one event loop.

    Args:
        address: Where it is.
        size: How many connections at most.
        seconds: How long an operation may take, waiting for a connection included.
    """

    def __init__(self, address: Address, size: int, seconds: float) -> None:
        GivenClient.__init__(self, None, size, seconds)
        SharedResource.__init__(self, _key(address, size, seconds))
        self.address = address
        self.place = address.place

    async def call(self, work: Call) -> Any:
        """Return what *work* returns of the driver's client; see `GivenClient`."""
        self._begin_call()
        try:
            return await super().call(work)
        finally:
            self._end_call()

    async def _opened(self) -> Any:
        if self._client is None:
            await self._live_with_loop()
            self._client = _driver(self.address, self.size, self.seconds)
        return self._client

    async def close(self) -> None:
        """Wait for what is under way, and close all connections."""
        await self._wait_until_quiet()
        loops.forget(self)
        client, self._client, self._is_ready = self._client, None, False
        if client is not None:
            await client.aclose()

    def stop(self) -> None:
        """Let go without the event loop, which has ended, and its sockets with it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            self._client, self._is_ready = None, False
        self._leave_loop()

    def abandon(self) -> None:
        """Let go of connections that belong to another process."""
        loops.inherited.append((self._client, self._closer, self.loop))
        self._client, self._is_ready = None, False


def client_for(address: Address, size: int, seconds: float) -> Client:
    """Return the client of this address on the running event loop."""
    found = loops.find(_key(address, size, seconds))
    return cast("Client", found or loops.remember(Client(address, size, seconds)))


def found_client(address: Address, size: int, seconds: float) -> Client | None:
    """Return the client of this address on the running event loop, if there is one."""
    return cast("Client | None", loops.find(_key(address, size, seconds)))


def _key(address: Address, size: int, seconds: float) -> Hashable:
    return "redis", address, size, seconds


def _driver(address: Address, size: int, seconds: float) -> Any:
    """Return a client of the driver that never tries again by itself: it would write twice."""
    options: dict[str, Any] = {
        "username": address.username,
        "password": address.password,
        "ssl": address.is_secure,
        "max_connections": size,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
        # With them on, the driver does not look whether a connection was dropped meanwhile.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if address.is_cluster:
        nodes = [ClusterNode(host, port) for host, port in address.hosts]
        return redis.asyncio.RedisCluster(startup_nodes=nodes, **options)
    host, port = address.hosts[0]
    return redis.asyncio.Redis(host=host, port=port, db=address.database, **options)


async def load(driver: Any, scripts: Iterable[Script]) -> None:
    """Let a server know scripts in one round trip; a cluster gets each when it is first run."""
    if not isinstance(driver, redis.asyncio.RedisCluster):
        pipeline = driver.pipeline(transaction=False)
        for one in scripts:
            pipeline.script_load(one.text)
        await pipeline.execute()


async def setting(driver: Any, name: str) -> Any:
    """Return a setting of the server; None where it may not be read."""
    try:
        found = await driver.execute_command("CONFIG GET", name, target_nodes="random")
    except RedisError:
        return None
    return next((v if isinstance(v, bytes) else str(v).encode() for v in found.values()), None)


def check_client(client: Any) -> None:
    """Refuse what is no client of the driver, or hands out texts instead of bytes.

    Raises:
        ConfigurationError: It is such a client.
    """
    if not isinstance(client, (redis.asyncio.Redis, redis.asyncio.RedisCluster)):
        raise ConfigurationError(
            "a Redis store takes a URL as a string, or a redis.asyncio.Redis or RedisCluster, not"
            f" {type(client).__name__}"
        )
    if client.get_encoder().decode_responses:
        raise ConfigurationError(
            "the given client has decode_responses=True, which changes what is stored; make it"
            " without"
        )

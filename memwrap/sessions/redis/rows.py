"""Rows on a Redis server, and the turns that they were stored in."""

from __future__ import annotations

import contextlib
import secrets
import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from memwrap.exceptions import StoreError
from memwrap.sessions.backend import LINGER_SECONDS, Claim, Held, RecordedRows, Rows, RowWindow
from memwrap.sessions.base import Durability, Promises
from memwrap.sessions.lives import Life, begin_anew, go_on
from memwrap.sessions.records import TurnRow
from memwrap.sessions.redis.address import Address
from memwrap.sessions.redis.client import (
    Client,
    GivenClient,
    client_for,
    found_client,
    load,
    setting,
)
from memwrap.sessions.redis.scripts import NAMES, script
from memwrap.sessions.redis.values import (
    Keys,
    answered_record,
    escaped,
    record_text,
    rows_of,
    turn_of,
)
from memwrap.sessions.rows import is_readable
from memwrap.sessions.turns import OpenTurn, TurnRecord

__all__ = ["Options", "RedisRows"]

_VERSION = 1
_FSYNC: dict[bytes, Durability] = {b"always": "power", b"everysec": "process", b"no": "process"}


class Options(NamedTuple):
    """How a store uses a server.

    Attributes:
        prefix: What all keys begin with.
        tenant: Whose sessions it sees.
        ttl: Seconds after the newest write when a session expires; None for never.
        pool_size: How many connections at most, on each event loop.
        timeout: Seconds for a connection, the wait for one, and an answer together.
        read_only: Whether nothing may be made.
    """

    prefix: str
    tenant: str
    ttl: float | None
    pool_size: int
    timeout: float
    read_only: bool = False


class RedisRows:
    """Rows on a server.

    Args:
        source: The address, or a client that belongs to the caller.
        options: How the server is used.
    """

    def __init__(self, source: Address | GivenClient, options: Options) -> None:
        self._source = source
        self._options = options
        self._keys = Keys(options.prefix, escaped(options.tenant))
        self._ttl = "" if options.ttl is None else str(round(options.ttl * 1_000_000))
        self._joined = 0  # the number of the client that it joined last
        self._secret = b""
        self.promises = Promises(
            shared=True, isolated=True, settles=True, turns=True, expires=options.ttl is not None
        )

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        return "redis", self._source, self._options.prefix, self._options.tenant, session_id

    def place(self, session_id: str) -> str:
        """Name the session for an error."""
        return (
            f"Redis at {self._source.place}, prefix {self._options.prefix!r}, session"
            f" {session_id!r}"
        )

    async def client(self) -> GivenClient:
        """Return the connections of the running event loop, with the version looked at."""
        source, options = self._source, self._options
        client = source
        if isinstance(source, Address):
            client = client_for(source, options.pool_size, options.timeout)
            if client.number != self._joined:
                client.shares.take(self)
                self._joined = client.number
        assert isinstance(client, GivenClient)  # noqa: S101
        if options.prefix not in client.known:
            await self._check(client)
        return client

    async def _check(self, client: GivenClient) -> None:
        """Look whether another version has written with this prefix, and what gets lost here."""

        async def looked(driver: Any) -> tuple[Any, Any]:
            version = await driver.get(self._keys.version)
            if version is None and not self._options.read_only:
                with contextlib.suppress(ResponseError):  # one that only reads can still be read
                    await driver.set(self._keys.version, _VERSION, nx=True)
                version = await driver.get(self._keys.version)
            await load(driver, map(script, NAMES))
            return version, await setting(driver, "maxmemory-policy")

        version, policy = await client.call(looked)
        if int(version or _VERSION) > _VERSION:
            raise StoreError(
                f"Redis at {client.place}: keys with the prefix {self._options.prefix!r} are of"
                f" version {int(version)}, and this memwrap knows version {_VERSION}; use a newer"
                " one"
            )
        if policy not in {b"noeviction", None} and not client.known:
            warnings.warn(
                f"Redis at {client.place} has maxmemory-policy {policy.decode()}: when its memory"
                " is full it removes keys, and parts of conversations with them; set noeviction",
                stacklevel=2,
            )
        client.known.add(self._options.prefix)

    async def run(self, name: str, session_id: str, *args: Any) -> Any:
        """Run a script on a session, and return its answer."""
        client = await self.client()
        named = escaped(session_id)
        return await client.run(script(name), self._keys.of(named), [named, self._ttl, *args])

    async def setup(self) -> None:
        """Check the version of what is there."""
        source, options = self._source, self._options
        if isinstance(source, Address):
            found = found_client(source, options.pool_size, options.timeout)
            if found is not None:
                found.known.discard(options.prefix)
        else:
            source.known.discard(options.prefix)
        await self.client()

    async def durability(self) -> Durability:
        """Return what acknowledged rows survive, as the server is set up.

        Without its log of appends the server forgets what came after its last snapshot; with
        ``everysec`` a power cut takes about a second; of a server that does not tell nothing is
        promised.
        """

        async def looked(driver: Any) -> tuple[Any, Any]:
            return await setting(driver, "appendonly"), await setting(driver, "appendfsync")

        is_kept, fsync = await (await self.client()).call(looked)
        found: Durability = _FSYNC.get(fsync, "none") if is_kept == b"yes" else "none"
        self.promises = replace(self.promises, durability=found)
        return found

    async def add(
        self, session_id: str, rows: Sequence[bytes], token: str = "", *, again: bool = False
    ) -> None:
        """Append *rows*, once under their token."""
        await self.run("add", session_id, token, int(again), *rows)

    async def get(
        self,
        session_id: str,
        limit: int | None,
        *,
        joined: bool,  # noqa: ARG002  (the server has them apart)
        before: int | None = None,
    ) -> Rows:
        """Return the newest *limit* rows."""
        if before is not None:
            version, found = await self.run("page", session_id, _or(limit), before)
        else:
            keys = self._keys.of(escaped(session_id))[:2]
            client = await self.client()
            version, found = await client.run(script("get"), keys, [_or(limit)])
        return Rows(*rows_of(found), version)

    async def pop(
        self, session_id: str, readable: Callable[[bytes], bool], own: Sequence[OpenTurn] = ()
    ) -> tuple[int, bytes] | None:
        """Remove and return the newest row; one that is not readable stays."""
        # The server can tell of most rows whether they hold an item, and of nothing else.
        known: int | str = "" if readable is is_readable else 0
        while found := await self.run("pop", session_id, known):
            number, row, is_done, *version = found
            if is_done:
                go_on(own, version[0])
                return number, row
            if not readable(row):
                return number, row
            known = number
        return None

    async def clear(self, session_id: str, own: Sequence[OpenTurn] = ()) -> None:
        """Remove the session with its rows, but its owner, and end the turns that are not *own*."""
        leases = [turn.lease_token for turn in own if turn.lease_token is not None]
        old, new = await self.run("clear", session_id, int(bool(own)), *leases)
        if old is not None:
            begin_anew(own, old.decode(), Life(new.decode(), 0))

    async def close(self, linger: float = LINGER_SECONDS) -> None:
        """Give back the share in the connections of this event loop."""
        source, options = self._source, self._options
        self._joined = 0
        if isinstance(source, Address):
            found = found_client(source, options.pool_size, options.timeout)
            if isinstance(found, Client):
                await found.shares.give_back(self, linger)

    async def begin(
        self,
        session_id: str,
        token: str,
        lease: float | None,
        window: RowWindow,
        dead: str | None = None,
    ) -> Rows | Held:
        """Take the lease, if there is to be one, and return the rows of the window."""
        micros = "" if lease is None else str(round(lease * 1_000_000))
        found = await self.run(
            *("begin", session_id, token, micros, _or(window.limit), dead or ""),
            *(_or(window.most), *window.names),
        )
        if found[0]:
            return Held(found[1].decode())
        _, life, version, marks, rows = found
        text = None if marks is None else marks.decode()
        return Rows(*rows_of(rows), version, Life(life.decode(), version), text)

    async def renew(self, session_id: str, token: str, lease: float) -> None:
        """Let the lease begin anew."""
        await self.run("renew", session_id, token, round(lease * 1_000_000))

    async def release(self, session_id: str, token: str, life: Any = None) -> None:  # noqa: ARG002
        """Give the lease back; the turn may still be stored later."""
        await self.run("release", session_id, token)

    async def commit(
        self, session_id: str, rows: Sequence[bytes], record: TurnRecord, claim: Claim
    ) -> bool:
        """Append *rows* with their record and give the lease back."""
        life = claim.life if isinstance(claim.life, Life) else None
        done = await self.run(
            *("commit", session_id, claim.token, claim.lease or "", _or(claim.head)),
            *(int(claim.again), "" if life is None else life.life),
            *("" if life is None else life.version, record.turn_id or "", record.answers),
            record_text(record, claim.token, marks=record.marks),
            *(int(bool(record.marks)), ",".join(map(str, record.usage)), *rows),
        )
        return bool(done)

    async def find(self, session_id: str, turn_id: str) -> RecordedRows | None:
        """Return the newest recorded turn of that id, with those of its rows that are there."""
        return _recorded(await self.run("find", session_id, turn_id))

    async def newest(self, session_id: str) -> RecordedRows | None:
        """Return the recorded turn that ends with the session's newest row, if one does."""
        return _recorded(await self.run("newest", session_id))

    async def ranges(self, session_id: str, first: int = 0) -> Sequence[tuple[int, int]]:
        """Return the first and the last row's number of each recorded turn."""
        found = map(turn_of, await self.run("ranges", session_id, first))
        return [(turn.first, turn.last) for turn in found]

    async def turns(
        self, session_id: str, limit: int | None, before: int | None = None
    ) -> list[TurnRow]:
        """Return the newest recorded turns, oldest first."""
        found = await self.run("turns", session_id, -1 if limit is None else limit, _or(before))
        return [turn_of(member) for member in reversed(found)]

    async def cut(self, session_id: str, first: int, last: int, count: int | None) -> bool:
        """Remove rows, and the turns that they were of."""
        return bool(await self.run("cut", session_id, first, last, _or(count)))

    async def key(self) -> bytes:
        """Return the secret of the tenant; empty if a store that is only read has none."""
        if not self._secret:
            client = await self.client()

            async def made(driver: Any) -> Any:
                if not self._options.read_only:
                    await driver.set(self._keys.secret, secrets.token_bytes(32), nx=True)
                return await driver.get(self._keys.secret)

            self._secret = await client.call(made) or b""
        return self._secret


def _or(number: int | None) -> int | str:
    return "" if number is None else number


def _recorded(found: Sequence[Any]) -> RecordedRows | None:
    answer = answered_record(found)
    return None if answer is None else RecordedRows(answer[0].record, answer[1], answer[0].size)

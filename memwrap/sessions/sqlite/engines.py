"""The engine of a file: found, or made by whoever needs it first, and its log emptied."""

from __future__ import annotations

import asyncio
import time
from typing import cast

from memwrap.exceptions import StoreError
from memwrap.sessions import loops
from memwrap.sessions.sqlite.connection import BUSY_SECONDS, Durability, pause
from memwrap.sessions.sqlite.engine import Engine, engine_key
from memwrap.sessions.sqlite.schema import Tables

__all__ = ["empty_log", "engine_for", "found_engine"]


def engine_for(path: str, tables: Tables, durability: Durability = "power") -> Engine:
    """Return the engine of this file on the running event loop."""
    loop = asyncio.get_running_loop()
    found = loops.find(engine_key(path, tables, durability), loop)
    return cast("Engine", found or loops.remember(Engine(path, tables, loop, durability)))


def found_engine(path: str, tables: Tables, durability: Durability) -> Engine | None:
    """Return the engine of this file on the running event loop, if there is one."""
    return cast("Engine | None", loops.find(engine_key(path, tables, durability)))


async def empty_log(engine: Engine) -> None:
    """Move what the log holds to its place in the file, and leave nothing in the log.

    Raises:
        StoreError: Another connection has been reading it all the time.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while (await engine.write("PRAGMA wal_checkpoint(TRUNCATE)", ()))[0][0]:
        if time.monotonic() > deadline:
            raise StoreError(
                f"SQLite file {engine.path!r}: what was cleared is still in the log beside the"
                " file, which another connection reads; clear the session again"
            )
        await asyncio.sleep(pause())

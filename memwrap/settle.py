"""Wait for what must not be left half done, whoever cancels the waiting task meanwhile."""

from __future__ import annotations

import asyncio
import importlib
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

__all__ = ["settle"]


async def settle(future: asyncio.Future[Any]) -> asyncio.CancelledError | None:
    """Wait until *future* is done; return the cancellation that came meanwhile, if one did.

    Raises nothing, whatever becomes of the future.
    """
    cancellation: asyncio.CancelledError | None = None
    while not future.done():
        try:
            if cancellation is None:
                await asyncio.wait({future})
            else:
                with _shield(cancellation):
                    await asyncio.wait({future})
        except asyncio.CancelledError as exc:
            cancellation = exc
    return cancellation


def _shield(cancellation: asyncio.CancelledError) -> AbstractContextManager[Any]:
    """Return a block in which a cancelled scope of anyio leaves the task alone.

    Such a scope cancels its tasks in each step of the event loop until they are out of it, so
    that a task that waits on keeps a processor busy. Its own shield is what it listens to.
    """
    if "cancel scope" in str(cancellation):  # as such a scope says of itself
        with suppress(ImportError, AttributeError):
            return importlib.import_module("anyio").CancelScope(shield=True)  # type: ignore[no-any-return]
    return nullcontext()

"""Waiting for what must not be left half done."""

import asyncio
import time

import anyio
import pytest

from memwrap.settle import settle


async def waiting(future):
    task = asyncio.create_task(settle(future))
    await asyncio.sleep(0)
    return task


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_waits_however_often_it_is_cancelled(count):
    """The wait ends with the future, and hands out the cancellation that came meanwhile."""
    future = asyncio.get_running_loop().create_future()
    task = await waiting(future)
    for _ in range(count):
        task.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
        assert not task.done()
    future.set_exception(ValueError())
    result = await task
    assert isinstance(result, asyncio.CancelledError) if count else result is None
    future.exception()


async def test_cancelled_scope_of_anyio_rests():
    """A scope that cancels in each step of the loop stops doing so while its task waits."""
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.3, future.set_result, None)
    with anyio.CancelScope() as scope:
        scope.cancel()
        begin = time.process_time()
        cancellation = await settle(future)
        assert time.process_time() - begin < 0.15
        assert cancellation is not None
        raise cancellation
    assert scope.cancelled_caught

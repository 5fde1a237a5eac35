"""One turn at a time for each key, whatever the loop or thread."""

import asyncio
import gc
import threading
from contextlib import contextmanager

import pytest
from support import TIMEOUT

from memwrap import SessionBusy
from memwrap.memory import locks


@pytest.fixture(autouse=True)
def table():
    """The table, which every test has to leave as it found it."""
    gc.collect()
    before = set(locks._held)
    yield locks._held
    assert set(locks._held) == before


async def acquire(key, seconds=TIMEOUT):
    await locks.acquire(key, seconds, f"key {key!r}")


def test_no_time_means_no_waiting(table):
    """With no time to wait a held key is refused at once."""

    async def refused():
        await acquire("k")
        with pytest.raises(SessionBusy):
            await locks.acquire("k", 0, "s")
        locks.release("k")

    asyncio.run(refused())


async def waiting(key, seconds=TIMEOUT):
    """A task that waits for *key*, behind those that wait already."""
    task = asyncio.create_task(acquire(key, seconds))
    await asyncio.sleep(0)
    assert not task.done()
    return task


@contextmanager
def stopped_loop():
    """A loop with a task that waits for the key "k", and does not run at the moment."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(acquire("k"))
    loop.run_until_complete(asyncio.sleep(0))
    assert not task.done()
    task._log_destroy_pending = False
    try:
        yield loop, task
    finally:
        loop.close()


async def test_free_key(table):
    """A free key is taken at once, and the table holds it until it is released."""
    await acquire("k")
    assert list(table) == ["k"]
    locks.release("k")
    assert not table


async def test_other_keys_never_wait():
    """A held key is no obstacle to any other."""
    await acquire("k")
    for key in ("l", ("k",), 1):
        await acquire(key, 0)
        locks.release(key)
    locks.release("k")


async def test_first_come_first_served():
    """Waiters get the key in the order they came, one at a time."""
    served = []

    async def use(number):
        await acquire("k")
        served.append(number)
        await asyncio.sleep(0)
        assert served[-1] == number
        locks.release("k")

    await acquire("k")
    tasks = [asyncio.create_task(use(number)) for number in range(20)]
    await asyncio.sleep(0)
    assert served == []
    locks.release("k")
    await asyncio.gather(*tasks)
    assert served == list(range(20))


async def test_released_key_goes_to_the_waiter():
    """A newcomer does not overtake a waiter that was granted the key but has yet to run."""
    await acquire("k")
    first = await waiting("k")
    locks.release("k")
    late = asyncio.create_task(acquire("k"))
    await first
    assert not late.done()
    locks.release("k")
    await late
    locks.release("k")


async def test_cancelled_waiter_leaves_the_queue():
    """A waiter that is cancelled is gone, and the next is served."""
    await acquire("k")
    first, second = await waiting("k"), await waiting("k")
    first.cancel()
    await asyncio.wait({first})
    locks.release("k")
    await second
    locks.release("k")
    assert first.cancelled()


async def test_cancelled_in_the_moment_of_the_grant():
    """A waiter that is cancelled just after it was granted the key hands it on."""
    await acquire("k")
    first, second = await waiting("k"), await waiting("k")
    locks.release("k")
    first.cancel()
    await second
    locks.release("k")
    assert first.cancelled()


async def test_timeout():
    """Who waits too long gets SessionBusy, which names what is kept and is a TimeoutError."""
    await acquire("k")
    with pytest.raises(SessionBusy, match=r"key 'k'.*more than 0\.001 s") as caught:
        await acquire("k", 0.001)
    assert isinstance(caught.value, TimeoutError)
    locks.release("k")


async def test_timeout_leaves_the_queue():
    """Who waited too long is no longer served; the next is."""
    await acquire("k")
    with pytest.raises(SessionBusy):
        await acquire("k", 0)
    patient = await waiting("k")
    locks.release("k")
    await patient
    locks.release("k")


async def test_granted_in_the_last_moment():
    """A grant that comes together with the end of the time counts."""
    await acquire("k")
    task = await waiting("k", 1e-9)  # its timer is due in the next step of the loop
    locks.release("k")
    await task
    locks.release("k")


def test_across_threads():
    """Turns in several threads, each with its own event loop, never overlap."""
    inside, most, rounds = 0, 0, []

    async def use():
        nonlocal inside, most
        for _ in range(25):
            await acquire("k")
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            rounds.append(1)
            locks.release("k")

    threads = [threading.Thread(target=asyncio.run, args=(use(),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert (most, len(rounds)) == (1, 150)


def test_fifo_across_threads():
    """A waiter in another thread is served before one that came later in the holder's."""
    served = []
    queued, end = threading.Event(), threading.Event()

    async def other():
        task = asyncio.create_task(acquire("k"))
        await asyncio.sleep(0)
        queued.set()
        await task
        served.append("other")
        locks.release("k")

    async def main():
        await acquire("k")
        thread = threading.Thread(target=asyncio.run, args=(other(),))
        thread.start()
        await asyncio.to_thread(queued.wait, TIMEOUT)
        late = await waiting("k")
        locks.release("k")
        await late
        served.append("late")
        locks.release("k")
        end.set()
        await asyncio.to_thread(thread.join, TIMEOUT)

    asyncio.run(main())
    assert served == ["other", "late"]


def test_waiter_on_a_closed_loop_is_passed_over():
    """The key goes past a waiter whose loop has been closed."""
    asyncio.run(acquire("k"))
    with stopped_loop() as (loop, task):
        loop.close()
        locks.release("k")
        assert not task.done()
    asyncio.run(acquire("k", 0))
    locks.release("k")


def test_collected_waiter_frees_nothing():
    """A waiter that was passed over, and is collected later, does not free another's key."""
    asyncio.run(acquire("k"))
    with stopped_loop() as (loop, task):
        loop.close()
        locks.release("k")
    asyncio.run(acquire("k"))
    del loop, task
    gc.collect()
    with pytest.raises(SessionBusy):
        asyncio.run(acquire("k", 0))
    locks.release("k")


def test_waiter_on_a_stopped_loop_goes_last():
    """A waiter whose loop does not run gets the key when nobody else wants it, and keeps it."""
    asyncio.run(acquire("k"))
    with stopped_loop() as (loop, task):

        async def main():
            running = await waiting("k")
            locks.release("k")
            await running
            locks.release("k")

        asyncio.run(main())
        assert not task.done()
        loop.run_until_complete(task)
        with pytest.raises(SessionBusy):
            asyncio.run(acquire("k", 0))
        locks.release("k")


async def test_collector_inside_the_table():
    """Collecting a waiting turn in the middle of a change to the table does not dead-lock."""
    done = threading.Event()

    def change():
        with locks._guard:
            locks._withdraw("k", locks._held["k"][0])
        done.set()

    await acquire("k")
    task = await waiting("k")
    threading.Thread(target=change, daemon=True).start()
    assert await asyncio.to_thread(done.wait, TIMEOUT)
    task.cancel()
    await asyncio.wait({task})
    locks.release("k")


def test_forked_child_starts_free(script):
    """What is held in the parent is free in a forked child, where the parent's turns do not run."""
    code = """
import asyncio, os
from memwrap.memory import locks

async def child():
    await locks.acquire("k", 0, "k")
    locks.release("k")

asyncio.run(locks.acquire("k", 0, "k"))
if pid := os.fork():
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert list(locks._held) == ["k"]
else:
    asyncio.run(child())
"""
    assert script(code) == ""

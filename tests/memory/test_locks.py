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


@contextmanager
def held_elsewhere():
    """The key "k" is held by a turn in another thread; yields a function that releases it."""
    holds, ready, end = [], threading.Event(), threading.Event()

    async def hold():
        holds.append(await locks.acquire("k", TIMEOUT, "k"))
        ready.set()
        await asyncio.to_thread(end.wait, TIMEOUT)

    thread = threading.Thread(target=asyncio.run, args=(hold(),))
    thread.start()
    assert ready.wait(TIMEOUT)
    try:
        yield lambda: locks.release(holds[0])
    finally:
        end.set()
        thread.join(TIMEOUT)


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
    with held_elsewhere() as release, stopped_loop() as (loop, task):
        loop.close()
        release()
        assert not task.done()
    asyncio.run(acquire("k", 0))
    locks.release("k")


def test_collected_waiter_frees_nothing():
    """A waiter that was passed over, and is collected later, does not free another's key."""
    with held_elsewhere() as release, stopped_loop() as (loop, task):
        loop.close()
        release()
    with held_elsewhere() as release:
        del loop, task
        gc.collect()
        with pytest.raises(SessionBusy):
            asyncio.run(acquire("k", 0))
        release()


def test_waiter_on_a_stopped_loop_goes_last():
    """A waiter whose loop does not run gets the key when nobody else wants it, and keeps it."""
    with held_elsewhere() as release, stopped_loop() as (loop, task):

        async def main():
            running = await waiting("k")
            release()
            await running
            locks.release("k")

        asyncio.run(main())
        assert not task.done()
        loop.run_until_complete(task)
        (hold,) = locks._held.values()
        assert hold.loop is loop
        locks.release("k")


async def test_collector_inside_the_table():
    """Collecting a waiting turn in the middle of a change to the table does not dead-lock."""
    done = threading.Event()

    def change():
        with locks._guard:
            locks._withdraw("k", locks._held["k"].queue[0])
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

loop = asyncio.new_event_loop()
loop.run_until_complete(locks.acquire("k", 0, "k"))
if pid := os.fork():
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert list(locks._held) == ["k"]
else:
    asyncio.run(child())
loop.close()
"""
    assert script(code) == ""


class TestLostHolders:
    """A turn that cannot end by itself any more does not keep its key."""

    def held_on(self, loop):
        return loop.run_until_complete(locks.acquire("k", 0, "k"))

    def taken(self, seconds=TIMEOUT):
        async def take():
            hold = await locks.acquire("k", seconds, "k")
            locks.release(hold)

        asyncio.run(take())

    @pytest.mark.parametrize("seconds", [0, TIMEOUT])
    def test_closed_loop(self, seconds):
        """A key goes to the next when the holder's loop has been closed."""
        loop = asyncio.new_event_loop()
        self.held_on(loop)
        loop.close()
        self.taken(seconds)

    @pytest.mark.parametrize("seconds", [0, TIMEOUT])
    def test_loop_that_stands_still_in_this_thread(self, seconds):
        """A loop that cannot go on while this thread waits keeps no key."""
        loop = asyncio.new_event_loop()
        self.held_on(loop)
        self.taken(seconds)
        loop.close()

    def test_loop_of_a_thread_that_has_ended(self):
        """A loop that nobody runs or closes keeps no key when its thread has ended."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self.held_on, args=(loop,))
        thread.start()
        thread.join(TIMEOUT)
        self.taken(0)
        loop.close()

    def test_loop_between_two_steps_in_a_living_thread(self):
        """A loop that another thread runs step by step keeps its key between the steps."""
        held, end = threading.Event(), threading.Event()

        def steps():
            loop = asyncio.new_event_loop()
            hold = self.held_on(loop)
            held.set()
            end.wait(TIMEOUT)
            locks.release(hold)
            loop.close()

        thread = threading.Thread(target=steps)
        thread.start()
        assert held.wait(TIMEOUT)
        with pytest.raises(SessionBusy):
            self.taken(0)
        end.set()
        thread.join(TIMEOUT)

    def test_loop_that_is_closed_while_others_wait(self):
        """Who waits already gets the key soon after the holder's loop is closed."""
        closing = threading.Event()

        def hold():
            loop = asyncio.new_event_loop()
            self.held_on(loop)
            held.set()
            closing.wait(TIMEOUT)
            loop.close()

        async def main():
            task = await waiting("k")
            await asyncio.sleep(0.15)
            closing.set()
            await task
            locks.release("k")

        held = threading.Event()
        thread = threading.Thread(target=hold)
        thread.start()
        assert held.wait(TIMEOUT)
        asyncio.run(main())
        thread.join(TIMEOUT)

    def test_late_release_frees_nothing(self):
        """A lost holder that is collected later does not free the key of who took it over."""
        loop = asyncio.new_event_loop()
        lost = self.held_on(loop)
        loop.close()

        async def main():
            hold = await locks.acquire("k", 0, "k")
            locks.release(lost)
            assert list(locks._held.values()) == [hold]
            locks.release(hold)

        asyncio.run(main())

    def test_late_release_by_key_frees_nothing(self):
        """A release by key from nowhere does not free the key of a turn that runs elsewhere."""
        with held_elsewhere() as release:
            locks.release("k")
            assert list(locks._held) == ["k"]
            release()

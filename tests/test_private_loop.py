"""The event loop that callers without one share."""

import asyncio
import threading
import time

import pytest

from memwrap import InMemorySession, with_session
from memwrap.private_loop import private_loop
from memwrap.sync_tasks import CallingThread


class Work:
    def __init__(self, seconds=30.0):
        self.seconds = seconds
        self.has_begun = False
        self.over = threading.Event()

    async def main(self):
        self.has_begun = True
        await asyncio.sleep(self.seconds)

    def prepared(self):
        return private_loop().prepare(self.main, self.over.set, lambda: None)


def test_work_ends():
    """Work that is over says so."""
    work = Work(seconds=0)
    start, _ = work.prepared()
    start()
    assert work.over.wait(5)
    assert work.has_begun


def test_cancelled_in_the_middle():
    """Work that is cancelled says so."""
    work = Work()
    start, cancel = work.prepared()
    start()
    while not work.has_begun:
        time.sleep(0.001)
    cancel()
    assert work.over.wait(5)


def test_cancelled_before_its_first_step():
    """Work that is cancelled before the loop comes to it says so, and does nothing."""
    work = Work()
    start, cancel = work.prepared()
    private_loop()._loop.call_soon_threadsafe(time.sleep, 0.1)
    start()
    cancel()
    assert work.over.wait(5)
    assert not work.has_begun


def test_cancelled_without_a_start():
    """Work that is cancelled and was never started is over."""
    work = Work()
    _, cancel = work.prepared()
    cancel()
    assert work.over.wait(5)
    assert not work.has_begun


@pytest.mark.parametrize("is_busy", [False, True])
def test_interrupted_at_once(monkeypatch, is_busy):
    """A synchronous call that is interrupted while it starts ends, and leaves the session free."""
    session = InMemorySession("s")

    @with_session(session=session)
    def agent(items):
        return "answer"

    assert agent("Hello") == "answer"
    prepare = type(private_loop()).prepare

    def interrupting(self, *args, **options):
        start, cancel = prepare(self, *args, **options)

        def begin():
            if is_busy:
                self._loop.call_soon_threadsafe(time.sleep, 0.05)
            start()
            raise KeyboardInterrupt

        return begin, cancel

    with monkeypatch.context() as patch:
        patch.setattr(type(private_loop()), "prepare", interrupting)
        with pytest.raises(KeyboardInterrupt):
            agent("Lost")
    assert agent("Hello") == "answer"
    assert asyncio.run(session.get_items())[0]["content"] == "Hello"
    assert len(asyncio.run(session.get_items())) == 4


def test_end_is_told_once():
    """A turn that has told of its end is not said to be over again."""
    caller = CallingThread()
    caller.over()
    caller.over()
    assert caller.inbox.qsize() == 1

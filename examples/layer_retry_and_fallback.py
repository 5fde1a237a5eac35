"""A model that fails twice, and one that stands in for another."""

import asyncio

from memwrap import InMemoryStore, with_session
from memwrap.middleware import Fallback, Retry

failures = [ConnectionError(), ConnectionError()]


async def small(items):
    return f"the small model answers, having seen {len(items)} items"


retry = Retry(on=ConnectionError, wait_initial=0.01, wait_jitter=0.01)


@with_session(store=InMemoryStore(), middleware=[Fallback(small), retry])
async def agent(items):
    if "hard" in items[-1]["content"]:
        raise ConnectionError
    if failures:
        raise failures.pop()
    return "the third attempt answers"


async def main():
    print(await agent("An easy question", session="ada"))
    print(await agent("A hard question", session="ada"))


asyncio.run(main())

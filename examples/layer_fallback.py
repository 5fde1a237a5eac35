"""An agent that stands in for another, in the same conversation."""

import asyncio

from memwrap import InMemoryStore, with_session
from memwrap.middleware import Fallback


async def small(items):
    return f"the small model answers, having seen {len(items)} items"


@with_session(store=InMemoryStore(), middleware=[Fallback(small, on=ConnectionError)])
async def agent(items):
    if "hard" in items[-1]["content"]:
        raise ConnectionError
    return "the large model answers"


async def main():
    print(await agent("An easy question", session="ada"))
    print(await agent("A hard question", session="ada"))
    print(await agent("Another easy question", session="ada"))


asyncio.run(main())

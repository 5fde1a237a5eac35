"""Two turns a minute, and what the third gets."""

import asyncio

from memwrap import InMemoryStore, RateLimited, with_session
from memwrap.middleware import RateLimit


@with_session(store=InMemoryStore(), middleware=[RateLimit("2/minute")])
async def agent(items):
    return f"I see {len(items)} items"


async def main():
    for _ in range(3):
        try:
            print(await agent("Hello", session="ada"))
        except RateLimited as error:
            print(f"too many turns; there is room in {error.retry_after:.0f} s")


asyncio.run(main())

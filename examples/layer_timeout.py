"""A stream that stops sending."""

import asyncio

from memwrap import InMemoryStore, TurnTimeout, with_session
from memwrap.middleware import Timeout


@with_session(store=InMemoryStore(), middleware=[Timeout(60, between_events=0.1)])
async def agent(items):
    yield f"{len(items)} "
    yield "two "
    await asyncio.sleep(60)


async def main():
    try:
        async for word in agent("Count.", session="ada"):
            print(word)
    except TurnTimeout as error:
        print(error)


asyncio.run(main())

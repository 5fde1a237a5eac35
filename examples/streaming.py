"""A stream is stored when it has ended, and not at all when it is left early."""

import asyncio
from contextlib import aclosing

from tiny_model import answer

from memwrap import InMemorySession, with_session


@with_session
async def agent(items):
    for word in answer(item["content"] for item in items if item["role"] == "user").split():
        await asyncio.sleep(0)  # a model would take its time here
        yield word + " "


async def main():
    session = InMemorySession("conversation_123")
    async for word in agent("My name is Ada.", session=session):
        print(word, end="", flush=True)
    print(f"\n  stored: {len(await session.get_items())} items")

    async with aclosing(agent("My city is Turin.", session=session)) as words:
        async for word in words:
            print(word, end="... enough.")
            break
    print(f"\n  stored: {len(await session.get_items())} items")

    async for word in agent("What is my name?", session=session):
        print(word, end="", flush=True)
    print(f"\n  stored: {len(await session.get_items())} items")


asyncio.run(main())

"""Layers around a turn: two that come with memwrap, and one of our own."""

import asyncio
import logging
import sys
from time import perf_counter

from tiny_model import answer

from memwrap import InMemoryStore, with_session
from memwrap.middleware import Log, Redact, Trim

logging.basicConfig(level=logging.INFO, format="  %(message)s", stream=sys.stdout)


async def timed(turn, send, handler):
    start = perf_counter()
    try:
        await handler(turn, send)
    finally:
        print(f"  {turn.session_id}: {perf_counter() - start:.3f} s")


store = InMemoryStore()


@with_session(
    store=store,
    middleware=[timed, Log(), Redact(r"\b\d{4}\b", agent=False), Trim(max_turns=2)],
)
async def agent(items):
    return answer(item["content"] for item in items if item["role"] == "user")


async def main():
    for text in ("My pin is 1234.", "My name is Ada.", "My city is Turin.", "What is my pin?"):
        print(await agent(text, session="user_123"))
    print((await store.session("user_123").get_items())[0])


asyncio.run(main())

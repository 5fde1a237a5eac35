"""A summary in place of what is long past; the store keeps all."""

import asyncio

from memwrap import InMemoryStore, with_session
from memwrap.items import text_of
from memwrap.middleware import Summarize

store = InMemoryStore()


async def summarizer(items):  # your model
    return " / ".join(text_of(item)[:12] for item in items)


layer = Summarize(summarizer, trigger=("turns", 3), keep=("turns", 1))


@with_session(store=store, middleware=[layer])
async def agent(items):
    return f"I see {len(items)} items, first: {text_of(items[0])[:50]!r}"


async def main():
    for number in range(6):
        print(await agent(f"Message {number}", session="ada"))
    print(len(await store.session("ada").get_items()), "items are stored")


asyncio.run(main())

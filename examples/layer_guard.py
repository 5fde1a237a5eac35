"""A check of what is asked, with an answer in place of the agent."""

import asyncio

from memwrap import InMemoryStore, with_session
from memwrap.items import text_of
from memwrap.middleware import Guard

store = InMemoryStore()


def polite(items):
    return "Please stay polite." if "fool" in text_of(items[-1]) else None


layer = Guard(polite, on_violation="replace", keep="quarantine")


@with_session(store=store, middleware=[layer])
async def agent(items):
    return f"I see {len(items)} items"


async def main():
    print(await agent("You fool!", session="ada"))
    print(await agent("Excuse me.", session="ada"))
    print(len(await store.session("ada").get_items()), "items are stored")


asyncio.run(main())

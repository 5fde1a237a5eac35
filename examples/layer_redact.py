"""Personal data by its form: masked for the agent and in the store."""

import asyncio

from memwrap import InMemoryStore, with_session
from memwrap.middleware import Redact

store = InMemoryStore()
layer = Redact("email", "credit_card", "iban", "phone", strategy="mask")


@with_session(store=store, middleware=[layer])
async def agent(items):
    return f"You said: {items[-1]['content']}"


async def main():
    print(await agent("I am ada@example.org, card 4111 1111 1111 1111", session="ada"))
    print((await store.session("ada").get_items())[0]["content"])


asyncio.run(main())

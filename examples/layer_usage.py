"""What each turn cost, and what a conversation cost in all."""

import asyncio

from memwrap import InMemoryStore, with_session
from memwrap.middleware import Usage

store = InMemoryStore()


def price(tokens):
    return tokens.input_tokens * 2e-6 + tokens.output_tokens * 8e-6


def tell(turn):
    print(f"{turn.session_id}: {turn.usage.output_tokens} tokens written")


@with_session(store=store, middleware=[Usage(price=price, on_usage=tell)])
async def agent(items):
    text = {"type": "message", "role": "assistant", "content": f"Fine, {len(items)}."}
    usage = {"input_tokens": 50 * len(items), "output_tokens": 30}
    return {"id": "r", "object": "response", "model": "m", "output": [text], "usage": usage}


async def main():
    for _ in range(2):
        await agent("How are you?", session="ada")
    for turn in await store.turns("ada"):
        print(turn.number, turn.usage.input_tokens, f"{turn.metadata['cost']:.5f}")
    info = await store.info("ada")
    print(f"in all: {info.usage.input_tokens} in, {info.usage.output_tokens} out")


asyncio.run(main())

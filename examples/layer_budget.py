"""What turns cost, and a budget that is spent."""

import asyncio

from memwrap import BudgetExceeded, InMemoryStore, with_session
from memwrap.middleware import Budget, Usage

store = InMemoryStore()


def price(tokens):
    return tokens.input_tokens * 2e-6 + tokens.output_tokens * 8e-6


@with_session(store=store, middleware=[Budget(max_tokens=250), Usage(price=price)])
async def agent(items):
    text = {"type": "message", "role": "assistant", "content": f"Fine, {len(items)}."}
    usage = {"input_tokens": 100, "output_tokens": 30}
    return {"id": "r", "object": "response", "model": "m", "output": [text], "usage": usage}


async def main():
    for _ in range(3):
        try:
            await agent("How are you?", session="ada")
        except BudgetExceeded as error:
            print(error)
    for turn in await store.turns("ada"):
        print(turn.number, turn.usage.input_tokens, f"{turn.metadata['cost']:.5f}")


asyncio.run(main())

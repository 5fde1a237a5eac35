"""A model that fails twice, in one turn that is stored once."""

import asyncio

from memwrap import InMemoryStore, record, with_session
from memwrap.middleware import Retry

store = InMemoryStore()
failures = [ConnectionError(), ConnectionError()]


@with_session(
    store=store,
    middleware=[Retry(on=ConnectionError, attempts=3, wait_initial=0.01, wait_jitter=0.01)],
)
async def agent(items):
    record({"role": "assistant", "content": f"I read {len(items)} item(s)."})
    if failures:
        raise failures.pop()
    return "the third attempt answers"


async def main():
    print(await agent("A question", session="ada"))
    # What the failed attempts had recorded is gone.
    for item in await store.session("ada").get_items():
        print(item["role"], "-", item["content"])


asyncio.run(main())

"""A plain function remembers its conversation."""

import asyncio

from tiny_model import answer

from memwrap import SQLiteSession, with_session


@with_session
async def agent(items):  # items: the history and the new input
    return answer(item["content"] for item in items if item["role"] == "user")


async def main():
    session = SQLiteSession("conversation_123")  # add a path to keep it: "chat.db"
    print(await agent("Hello, my name is Ada.", session=session))
    print(await agent("And my city is Turin.", session=session))
    print(await agent("What is my name?", session=session))

    # No session, no memory.
    print(await agent("What is my name?"))


asyncio.run(main())

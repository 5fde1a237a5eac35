"""Conversations that LangChain's chat histories have stored go on here: import them once."""

import asyncio
import json
import sqlite3

from langchain_core.messages import AIMessage, HumanMessage, message_to_dict
from tiny_model import answer

from memwrap import SQLiteStore, with_session
from memwrap.adapters.langchain import import_histories

store = SQLiteStore("chats.db")


@with_session(store=store)
async def assistant(items):
    return answer([item["content"] for item in items if item["role"] == "user"])


def written_by_langchain():
    """Stand in for the file that SQLChatMessageHistory has written."""
    connection = sqlite3.connect("langchain.db")
    connection.execute("CREATE TABLE message_store (id INTEGER PRIMARY KEY, session_id, message)")
    said = [HumanMessage("My name is Ada."), AIMessage("Nice to meet you.", id="run-1")]
    connection.executemany(
        "INSERT INTO message_store (session_id, message) VALUES ('user_123', ?)",
        [(json.dumps(message_to_dict(message)),) for message in said],
    )
    connection.commit()
    return connection


async def main():
    connection = written_by_langchain()
    query = "SELECT session_id, message FROM message_store ORDER BY id"
    for _ in range(2):  # the second time everything is there
        print(await import_histories(connection.execute(query), store))
    connection.close()
    print(await assistant("What is my name?", session="user_123"))
    await store.close()


asyncio.run(main())

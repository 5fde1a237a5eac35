"""What memory costs in LangChain: memwrap beside what it replaces, interleaved in one process.

A chain of a prompt and a model that answers at once remembers by `RunnableWithMessageHistory` on
LangChain's SQL history, and by memwrap on SQLite; a created agent by a checkpointer on SQLite, and
by memwrap. Each turn is timed; the files' sizes are read when all have ended.
"""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import tempfile
import time
import warnings
from pathlib import Path

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables.history import RunnableWithMessageHistory
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from sqlalchemy.ext.asyncio import create_async_engine

from memwrap import SQLiteStore, with_session
from memwrap.adapters.langchain import from_runnable_with_history

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_community.chat_message_histories import SQLChatMessageHistory

TURNS = 200
QUESTION = "A question of an ordinary length, as users ask them. " * 3
ANSWER = "An answer of an ordinary length, as models write them. " * 4
CONFIG = {"configurable": {"session_id": "one", "thread_id": "one"}}
KEYS = {"input_messages_key": "question", "history_messages_key": "history"}


def model() -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=(AIMessage(ANSWER) for _ in range(TURNS)))


def chain():
    prompt = ChatPromptTemplate([MessagesPlaceholder("history"), ("human", "{question}")])
    return prompt | model()


def wrapper(path: Path):
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")

    def history(session_id: str):
        return SQLChatMessageHistory(session_id, connection=engine, async_mode=True)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return engine, RunnableWithMessageHistory(chain(), history, **KEYS)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = {name: Path(folder) / f"{name}.db" for name in "abcd"}
        async with (
            AsyncSqliteSaver.from_conn_string(str(path["c"])) as saver,
            SQLiteStore(path["b"]) as first,
            SQLiteStore(path["d"]) as second,
        ):
            engine, wrapped = wrapper(path["a"])
            said, state = {"question": QUESTION}, {"messages": QUESTION}
            created = with_session(create_agent(model(), []), store=second, key="thread_id")
            contenders = {
                "RunnableWithMessageHistory, SQL history": (wrapped, said, "a"),
                "from_runnable_with_history, SQLite": (
                    from_runnable_with_history(chain(), first, **KEYS),
                    said,
                    "b",
                ),
                "created agent, SQLite checkpointer": (
                    create_agent(model(), [], checkpointer=saver),
                    state,
                    "c",
                ),
                "created agent, memwrap on SQLite": (created, state, "d"),
            }
            times: dict[str, list[float]] = {name: [] for name in contenders}
            for _ in range(TURNS):
                for name, (agent, given, _) in contenders.items():
                    start = time.perf_counter()
                    await agent.ainvoke(given, CONFIG)
                    times[name].append((time.perf_counter() - start) * 1e3)
            await engine.dispose()
        text = TURNS * len(QUESTION + ANSWER)
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
        print(f"{TURNS} turns of one conversation      ms a turn: first 20, last 20   file / text")
        for name, (_, _, file) in contenders.items():
            begun, ended = times[name][:20], times[name][-20:]
            size = sum(found.stat().st_size for found in Path(folder).glob(f"{file}.db*"))
            print(
                f"{name:42}{statistics.median(begun):10.1f}{statistics.median(ended):12.1f}"
                f"{size / text:16.1f}"
            )


if __name__ == "__main__":
    asyncio.run(main())

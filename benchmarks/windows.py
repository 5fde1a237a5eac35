"""What a turn costs over the number of stored items: with a window, and as others cut a history.

Prints a table of medians in ms and of the turn's peak memory, and draws
`benchmarks/results/windows.png`. Rivals run up to lengths that end in a sensible time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from workload import build_folder, turn_items

from memwrap import Item, SQLiteStore, with_session
from memwrap.middleware import Memory, Trim

RESULTS = Path(__file__).resolve().parent / "results"
LENGTHS = (100, 1_000, 10_000, 100_000, 1_000_000)
KEPT = 20
CALLS = 15
BATCH = 20_000

Turn = Callable[[], Awaitable[Any]]


async def agent(items: list[Item]) -> str:
    return "An answer of an ordinary length, as models write them. " * 4


def question() -> str:
    return "A question of an ordinary length, as people ask them?"


def memwrap_turn(store: SQLiteStore, name: str, *layers: Any) -> Turn:
    call = with_session(agent, store=store, middleware=list(layers))
    return lambda: call(question(), session=name)


def sdk_turn(path: str, name: str) -> Turn:
    from agents import Agent, Runner, SessionSettings, SQLiteSession, set_tracing_disabled
    from agents.testing import ScriptedModel, assistant_message

    set_tracing_disabled(True)
    session = SQLiteSession(name, path)
    session.session_settings = SessionSettings(limit=KEPT)

    async def turn() -> None:
        model = ScriptedModel([[assistant_message(await agent([]))]])
        await Runner.run(Agent(name="a", model=model), question(), session=session)

    return turn


def langchain_turn(path: str, name: str) -> Turn:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_community.chat_message_histories import SQLChatMessageHistory
        from langchain_core.messages import AIMessage, HumanMessage, trim_messages
        from langchain_core.runnables import RunnableLambda
        from langchain_core.runnables.history import RunnableWithMessageHistory
        from sqlalchemy.ext.asyncio import create_async_engine

        cut = trim_messages(max_tokens=KEPT, token_counter=len, start_on="human")
        history = SQLChatMessageHistory(name, connection=create_async_engine(path))
        chain = RunnableWithMessageHistory(
            cut | RunnableLambda(lambda messages: AIMessage("An answer. " * 20)), lambda _: history
        )

    async def turn() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            await chain.ainvoke([HumanMessage(question())], {"configurable": {"session_id": name}})

    return turn


def langgraph_turn(saver: Any, name: str) -> tuple[Turn, Any]:
    from langchain_core.messages import AIMessage, trim_messages
    from langgraph.graph import START, MessagesState, StateGraph

    def node(state: Any) -> Any:
        trim_messages(state["messages"], max_tokens=KEPT, token_counter=len, start_on="human")
        return {"messages": [AIMessage("An answer. " * 20)]}

    building = StateGraph(MessagesState)
    building.add_node("model", node)
    building.add_edge(START, "model")
    graph = building.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": name}}
    return (lambda: graph.ainvoke({"messages": [("human", question())]}, config)), (graph, config)


async def filled(store: SQLiteStore, lengths: tuple[int, ...]) -> None:
    for length in lengths:
        for begin in range(0, length, BATCH):
            size = min(BATCH, length - begin)
            items = [item for n in range(size // 2 + 1) for item in turn_items(5 * (begin + n))]
            await store.session(f"length-{length}").add_items(items[:size])


async def peak_of(turn: Turn) -> float:
    """Return the most memory that a turn held at once, in MB."""
    tracemalloc.start()
    await turn()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak


async def measured(turns: dict[str, Turn], calls: int) -> dict[str, tuple[float, float]]:
    """Return the median time in ms and the peak memory of each, run in turn."""
    times: dict[str, list[float]] = {name: [] for name in turns}
    for turn in turns.values():
        await turn()
    for _ in range(calls):
        for name, turn in turns.items():
            start = time.perf_counter()
            await turn()
            times[name].append((time.perf_counter() - start) * 1e3)
    return {
        name: (statistics.median(times[name]), await peak_of(turn)) for name, turn in turns.items()
    }


async def main(lengths: tuple[int, ...], folder: str) -> None:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    store = SQLiteStore(os.path.join(folder, "memwrap.db"))
    await filled(store, lengths)
    found: dict[str, dict[int, tuple[float, float]]] = {}
    saver_path = os.path.join(folder, "saver.db")
    async with AsyncSqliteSaver.from_conn_string(saver_path) as saver:
        for length in lengths:
            name = f"length-{length}"
            trims = {
                "memwrap, Trim(max_items=20)": Trim(max_items=KEPT),
                "memwrap, Trim(max_turns=20)": Trim(max_turns=KEPT),
                "memwrap, Memory(window=20)": Memory(window=KEPT),
            }
            turns = {what: memwrap_turn(store, name, layer) for what, layer in trims.items()}
            turns["Agents SDK, limit=20"] = sdk_turn(os.path.join(folder, "memwrap.db"), name)
            whole = await turns_of_all(store, name, length, folder, saver)
            calls = CALLS if length <= 10_000 else 7
            # Those that read all leave so much behind that others beside them would pay for it.
            for group in (turns, whole):
                for what, value in (await measured(group, calls)).items():
                    found.setdefault(what, {})[length] = value
    await store.close(linger=0)
    report(found, lengths)
    draw(found)


async def turns_of_all(
    store: SQLiteStore, name: str, length: int, folder: str, saver: Any
) -> dict[str, Turn]:
    """Return the turns that read the whole history, up to the lengths that they end soon at."""
    from langchain_core.messages import AIMessage, HumanMessage

    turns: dict[str, Turn] = {}
    if length <= 100_000:
        turns["memwrap, all of it"] = memwrap_turn(store, name)
    if length <= 10_000:
        url = f"sqlite+aiosqlite:///{folder}/langchain.db"
        await fill_langchain(url, name, length)
        turns["LangChain, trim_messages"] = langchain_turn(url, name)
    if length <= 1_000:
        turn, (graph, config) = langgraph_turn(saver, name)
        messages = [(HumanMessage, AIMessage)[n % 2]("x" * 300) for n in range(length)]
        await graph.aupdate_state(config, {"messages": messages}, as_node="model")
        turns["LangGraph, checkpointer"] = turn
    return turns


async def fill_langchain(url: str, name: str, length: int) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_community.chat_message_histories import SQLChatMessageHistory
        from langchain_core.messages import AIMessage, HumanMessage
        from sqlalchemy.ext.asyncio import create_async_engine

        history = SQLChatMessageHistory(name, connection=create_async_engine(url))
        messages = [(HumanMessage, AIMessage)[n % 2]("x" * 300) for n in range(length)]
        await history.aadd_messages(messages)


def report(found: dict[str, dict[int, tuple[float, float]]], lengths: tuple[int, ...]) -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print("ms a turn (MB at its peak), by the number of stored items")
    print(f"{'':30}" + "".join(f"{length:>18,}" for length in lengths) + f"{'last : first':>14}")
    for what, row in found.items():
        cells = [f"{row[n][0]:.2f} ({row[n][1]:.2f})" if n in row else "–" for n in lengths]
        ratio = row[max(row)][0] / row[min(row)][0]
        print(f"{what:30}" + "".join(f"{cell:>18}" for cell in cells) + f"{ratio:>13.2f}×")


def draw(found: dict[str, dict[int, tuple[float, float]]]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5))
    for what, row in found.items():
        style = "-" if what.startswith("memwrap") else "--"
        axes.plot(list(row), [ms for ms, _ in row.values()], style, marker="o", label=what)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("stored items")
    axes.set_ylabel("ms a turn (log scale): less is faster")
    axes.set_title("What a turn costs that sees the newest 20")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(RESULTS / "windows.png", dpi=130)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to 10,000 items")
    most = 10_000 if parser.parse_args().quick else LENGTHS[-1]
    with tempfile.TemporaryDirectory(dir=build_folder()) as place:
        asyncio.run(main(tuple(n for n in LENGTHS if n <= most), place))

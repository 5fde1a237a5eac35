"""Summaries in place of what is long past."""

import asyncio
import logging
import sqlite3

import pytest
from support import HandWritten

from memwrap import ConfigurationError, InMemoryStore, SQLiteStore, undo, with_session
from memwrap.items import assistant, system, text_of, user
from memwrap.middleware import Redact, Summarize, Trim
from memwrap.testing import ScriptedAgent

INTRODUCTION = "Summary of the conversation so far:\n\n"


class Summarizer:
    """Counts what it is given."""

    def __init__(self, *answers):
        self.calls = []
        self.answers = list(answers)

    def __call__(self, items):
        self.calls.append([text_of(item) for item in items])
        answer = self.answers.pop(0) if self.answers else f"summary {len(self.calls)}"
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, path):
    store = InMemoryStore() if request.param == "memory" else SQLiteStore(path)
    async with store:
        yield store


def talk(store, layer, *, layers=()):
    seen = []

    async def agent(items):
        seen.append(
            [
                text_of(item).removeprefix("Summary of the conversation so far:\n\n")
                for item in items
            ]
        )
        return f"answer {text_of(items[-1])}"

    return with_session(agent, store=store, middleware=[*layers, layer]), seen


def short(summarizer, **options):
    return Summarize(summarizer, trigger=("turns", 3), keep=("turns", 1), **options)


async def test_summary_stands_for_old_turns(store):
    """Beyond the trigger the agent sees the summary and the newest turns; nothing is removed."""
    summarizer = Summarizer()
    agent, seen = talk(store, short(summarizer))
    for number in range(1, 8):
        await agent(str(number), session="s")
    assert seen[2] == ["1", "answer 1", "2", "answer 2", "3"]
    assert seen[3] == ["summary 1", "3", "answer 3", "4"]
    assert seen[4] == ["summary 1", "3", "answer 3", "4", "answer 4", "5"]
    assert summarizer.calls[0] == ["1", "answer 1", "2", "answer 2"]
    assert summarizer.calls[1][0].endswith("summary 1")
    assert len(await store.session("s").get_items()) == 14


async def test_prefix_is_stable_between_summaries(store):
    """Each turn is shown what the turn before was, and more, until the next summary."""
    agent, seen = talk(store, Summarize(Summarizer(), trigger=("items", 20), keep=("items", 4)))
    for number in range(30):
        await agent(str(number), session="s")
    breaks = sum(
        after[: len(before)] != before for before, after in zip(seen, seen[1:], strict=False)
    )
    assert breaks <= 5


async def test_other_processes_find_it(path):
    """Another object on the same file shows the same summary, without making one."""
    for number, summarizer in enumerate((Summarizer(), Summarizer())):
        async with SQLiteStore(path) as store:
            agent, seen = talk(store, short(summarizer))
            for text in ("1", "2", "3", "4") if not number else ("5",):
                await agent(text, session="s")
    assert summarizer.calls == []
    assert seen == [["summary 1", "3", "answer 3", "4", "answer 4", "5"]]


@pytest.mark.parametrize("answer", [RuntimeError("hush"), "", "  "])
async def test_failed_summary_keeps_all(store, answer, caplog):
    """A summarizer that fails or says nothing leaves the history as it is, and is logged."""
    caplog.set_level(logging.WARNING)
    agent, seen = talk(store, short(Summarizer(answer)))
    for number in range(1, 5):
        await agent(str(number), session="s")
    assert len(seen[3]) == 7
    assert "no summary (" in caplog.text
    assert "hush" not in caplog.text


async def test_failure_may_fail_the_turn(store):
    """With `raise` the error of the summarizer reaches the caller."""
    agent, _ = talk(store, short(Summarizer(RuntimeError("down")), on_failure="raise"))
    for number in range(1, 4):
        await agent(str(number), session="s")
    with pytest.raises(RuntimeError, match="down"):
        await agent("4", session="s")


async def test_changed_source_takes_the_summary_away(path):
    """When a source is edited in the store, the summary of it is not shown any more."""
    summarizer = Summarizer()
    async with SQLiteStore(path) as store:
        agent, seen = talk(store, short(summarizer))
        for number in range(1, 5):
            await agent(str(number), session="s")
        assert seen[-1][0] == "summary 1"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE agent_messages SET message_data = replace(message_data, 'answer 1', '[gone]')"
        )
    connection.close()
    async with SQLiteStore(path) as store:
        agent, seen = talk(store, short(summarizer))
        await agent("5", session="s")
    assert summarizer.calls[-1][:2] == ["1", "[gone]"]
    assert seen[-1][0] == "summary 2"


async def test_clearing_takes_the_summary_away(store):
    """A session that is cleared has no summary."""
    agent, seen = talk(store, short(Summarizer()))
    for number in range(1, 5):
        await agent(str(number), session="s")
    await store.session("s").clear_session()
    await agent("anew", session="s")
    assert seen[-1] == ["anew"]


async def test_undo_takes_the_summary_back(store):
    """Undoing the turn that made a summary leaves the one before, or none."""
    agent, seen = talk(store, short(Summarizer()))
    for number in range(1, 5):
        await agent(str(number), session="s")
    await undo(store.session("s"), turns=2)
    await agent("3 again", session="s")
    assert seen[-1] == ["1", "answer 1", "2", "answer 2", "3 again"]


async def test_fork_is_summarised_anew(store):
    """A fork has all items of its own, and makes a summary of them."""
    summarizer = Summarizer()
    agent, seen = talk(store, short(summarizer))
    for number in range(1, 5):
        await agent(str(number), session="s")
    await store.fork("s", "t")
    await agent("5", session="t")
    assert seen[-1][0] == "summary 2"
    assert summarizer.calls[-1][0] == "1"


async def test_background(store):
    """A summary in the background delays no turn, and is shown in the next."""
    ready = asyncio.Event()

    async def slowly(items):
        await ready.wait()
        return "made aside"

    agent, seen = talk(store, short(slowly, background=True))
    for number in range(1, 6):
        await agent(str(number), session="s")
    assert len(seen[-1]) == 9
    ready.set()
    await asyncio.sleep(0.05)
    await agent("6", session="s")
    assert seen[-1][0] == "made aside"
    assert seen[-1][-1] == "6"


async def test_instructions_stay(store):
    """Instructions in the history are neither summarised nor lost."""
    summarizer = Summarizer()
    await store.session("s").add_items([system("Be brief."), user("0"), assistant("a")])
    agent, seen = talk(store, short(summarizer))
    for number in range(1, 4):
        await agent(str(number), session="s")
    assert seen[-1][:2] == ["Be brief.", "summary 1"]
    assert "Be brief." not in summarizer.calls[0]


async def test_redactions_come_first(store):
    """A summarizer sees no more than the agent, and its text is redacted as what is stored."""
    summarizer = Summarizer("it is sk-9")
    agent, seen = talk(store, short(summarizer), layers=[Redact(r"sk-\d")])
    await store.session("s").add_items([user("sk-1"), assistant("x")])
    for number in range(1, 4):
        await agent(str(number), session="s")
    assert summarizer.calls[0][0] == "[REDACTED]"
    assert seen[-1][0] == "it is [REDACTED]"


async def test_agents_as_summarizers(store):
    """An async function is a summarizer, and what it returns may be a message."""
    agent, seen = talk(store, short(ScriptedAgent(assistant("by an agent"))))
    for number in range(1, 5):
        await agent(str(number), session="s")
    assert seen[-1][0] == "by an agent"


async def test_calls_are_not_parted(store):
    """A cut never stands between a call and its output."""
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "done"}
    await store.session("s").add_items([user("1"), call, output, assistant("x"), user("2")])
    shown = []

    async def agent(items):
        shown.append(items)
        return "x"

    layer = Summarize(Summarizer(), trigger=("items", 4), keep=("items", 3))
    await with_session(agent, store=store, middleware=[layer])("3", session="s")
    kinds = [item.get("type") for item in shown[0]]
    assert kinds.count("function_call") == kinds.count("function_call_output")


async def test_another_attempt_sees_the_same(store):
    """A layer around that tries again shows the same, and makes no second summary."""
    summarizer = Summarizer()
    failures = []

    async def again(turn, send, handler):
        try:
            await handler(turn, send)
        except ConnectionError:
            await handler(turn, send)

    async def agent(items):
        if len(failures) == 1:
            failures.append(items)
            raise ConnectionError
        return "x"

    layers = [again, short(summarizer)]
    agent = with_session(agent, store=store, middleware=layers)
    for number in range(1, 4):
        await agent(str(number), session="s")
    failures.append(1)
    await agent("4", session="s")
    assert len(summarizer.calls) <= 2


async def test_sessions_without_a_secret():
    """A session of four methods is told once there is something to summarise."""
    session = HandWritten("s")
    session.items = [user("1"), assistant("x")] * 4
    agent = with_session(ScriptedAgent("x"), middleware=[short(Summarizer())])
    with pytest.raises(ConfigurationError, match="HandWritten keeps no secret"):
        await agent("y", session=session)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"trigger": 60_000}, "trigger"),
        ({"trigger": ("words", 3)}, "trigger"),
        ({"keep": ("turns", 0)}, "keep"),
        ({"on_failure": "drop"}, "on_failure"),
        ({"count_tokens": 3}, "count_tokens"),
    ],
)
def test_wrong_options_are_refused(options, says):
    """What an option cannot be is told when the layer is made."""
    with pytest.raises(ConfigurationError, match=says):
        Summarize(Summarizer(), **options)


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ([Trim(max_turns=3), Summarize(len)], "put Summarize before Trim"),
        ([Summarize(len), Redact("x")], "put Redact before Summarize"),
    ],
)
def test_wrong_order_is_refused(layers, says):
    """A summary is of what is redacted, and of all that will be cut."""
    with pytest.raises(ConfigurationError, match=says):
        with_session(ScriptedAgent(), middleware=layers)

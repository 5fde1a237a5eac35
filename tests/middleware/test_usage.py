"""What turns cost, noted with them, and turns that there is nothing left for."""

import asyncio
import logging
import time
from decimal import Decimal

import pytest
from support import HandWritten, gathered

from memwrap import BudgetExceeded, ConfigurationError, InMemoryStore, SQLiteStore, with_session
from memwrap.middleware import Budget, Memory, Retry, Usage
from memwrap.testing import FlakySession, ScriptedAgent
from memwrap.usage import Usage as Tokens


def answer(read=10, written=5, model="small-1"):
    """Return what a model answers that reports its usage."""
    text = {"type": "message", "role": "assistant", "content": "fine"}
    usage = {"input_tokens": read, "output_tokens": written}
    return {"id": "r", "object": "response", "model": model, "output": [text], "usage": usage}


def price(tokens):
    return tokens.input_tokens * 0.001 + tokens.output_tokens * 0.01


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, path):
    store = InMemoryStore() if request.param == "memory" else SQLiteStore(path)
    async with store:
        yield store


async def test_turns_tell_what_they_cost(store):
    """Tokens, model, duration and cost are stored with the turn, and sums with the session."""
    seen = []
    layer = Usage(price=price, on_usage=lambda turn: seen.append((turn.usage, turn.metadata)))
    agent = with_session(ScriptedAgent(answer(), answer(20, 1)), store=store, middleware=[layer])
    await agent("x", session="s")
    await agent("y", session="s")
    first, second = await store.turns("s")
    assert first.usage == Tokens(10, 5)
    assert first.metadata.pop("seconds") >= 0
    assert first.metadata == {"model": "small-1", "cost": pytest.approx(0.06)}
    assert second.usage == Tokens(20, 1)
    assert (await store.info("s")).usage == Tokens(30, 6)
    assert [usage for usage, _ in seen] == [
        Tokens(10, 5, model="small-1"),
        Tokens(20, 1, model="small-1"),
    ]
    assert seen[1][1]["cost"] == pytest.approx(0.03)


async def test_streams_and_several_calls_add_up(store):
    """A turn costs what all calls of its models cost."""
    script = ScriptedAgent([answer(), "text", answer(1, 2, "large")])
    agent = with_session(script.stream, store=store, middleware=[Usage()])
    await gathered(agent("x", session="s"))
    (turn,) = await store.turns("s")
    assert turn.usage == Tokens(11, 7)
    assert turn.metadata["model"] == "large"
    assert "cost" not in turn.metadata


async def test_nothing_is_noted_of_an_agent_that_reports_nothing(store):
    """A turn without a report has neither tokens nor metadata."""
    called = []
    layer = Usage(price=price, on_usage=called.append)
    await with_session(ScriptedAgent("x"), store=store, middleware=[layer])("x", session="s")
    (turn,) = await store.turns("s")
    assert (turn.usage, turn.metadata, called) == (None, {}, [])


async def test_without_a_session():
    """Usage is handed on of turns without memory too."""
    seen = []

    async def note(turn):
        await asyncio.sleep(0)
        seen.append(turn.usage.input_tokens)

    agent = with_session(ScriptedAgent(answer()), middleware=[Usage(on_usage=note)])
    await agent("x", session=None)
    assert seen == [10]


@pytest.mark.parametrize(("cost", "noted"), [(Decimal("0.5"), 0.5), (2, 2.0), (None, None)])
async def test_prices(store, cost, noted):
    """A price is any number, or None for a model whose price nobody knows."""
    layer = Usage(price=lambda tokens: cost)
    await with_session(ScriptedAgent(answer()), store=store, middleware=[layer])("x", session="s")
    (turn,) = await store.turns("s")
    assert turn.metadata.get("cost") == noted


async def test_price_that_is_no_number(store):
    """A price of another type is told, with the answer in the error."""
    layer = Usage(price=lambda tokens: "much")
    agent = with_session(ScriptedAgent(answer()), store=store, middleware=[layer])
    with pytest.raises(ConfigurationError, match="returned str") as caught:
        await agent("x", session="s")
    assert caught.value.result["id"] == "r"


async def test_budget_of_tokens(store):
    """Beyond the budget neither the session nor the agent is touched."""
    script = ScriptedAgent(*[answer()] * 3)
    layers = [Budget(max_tokens=30), Usage()]
    agent = with_session(script, store=store, middleware=layers)
    for _ in range(2):
        await agent("x", session="s")
    with pytest.raises(BudgetExceeded, match=r"30 of Budget\(max_tokens=30\) is spent"):
        await agent("x", session="s")
    assert len(script.calls) == 2
    await agent("x", session="other")


async def test_budget_of_money(store):
    """Costs are added up as they were noted."""
    script = ScriptedAgent(*[answer()] * 3)
    layers = [Budget(max_cost=0.1), Memory(), Usage(price=price)]
    agent = with_session(script, store=store, middleware=layers)
    for _ in range(2):
        await agent("x", session="s")
    with pytest.raises(BudgetExceeded, match="max_cost=0.1"):
        await agent("x", session="s")


async def test_budget_without_prices(store):
    """A budget of money is told when nobody notes any."""
    script = ScriptedAgent(*[answer()] * 2)
    layers = [Budget(max_cost=1), Usage()]
    agent = with_session(script, store=store, middleware=layers)
    await agent("x", session="s")
    with pytest.raises(ConfigurationError, match=r"Usage\(price=...\)"):
        await agent("x", session="s")


async def test_budget_survives_a_restart(path):
    """Another process finds what was spent before."""
    for number in range(2):
        async with SQLiteStore(path) as store:
            layers = [Budget(max_tokens=10), Usage()]
            agent = with_session(ScriptedAgent(answer()), store=store, middleware=layers)
            if number:
                with pytest.raises(BudgetExceeded):
                    await agent("x", session="s")
            else:
                await agent("x", session="s")


async def test_budget_of_an_owner(store):
    """A function names the owner whose sessions are counted together."""
    layers = [Budget(max_tokens=20, scope=lambda turn: turn.session_id[0]), Usage()]
    agent = with_session(ScriptedAgent(*[answer()] * 4), store=store, middleware=layers)
    for name in ("a1", "a2"):
        await agent("x", session=name)
        await store.update(name, owner="a")
    await agent("x", session="b1")
    with pytest.raises(BudgetExceeded):
        await agent("x", session="a3")


async def test_window(store):
    """What was spent before the window does not count."""
    layers = [Budget(max_tokens=10, window="1s"), Usage()]
    agent = with_session(ScriptedAgent(*[answer()] * 2), store=store, middleware=layers)
    await agent("x", session="s")
    with pytest.raises(BudgetExceeded):
        await agent("x", session="s")
    await asyncio.sleep(1.05)
    await agent("x", session="s")


async def test_many_turns_are_read_page_by_page(store):
    """All turns of the window count, however many."""
    agent = with_session(ScriptedAgent(*[answer(1, 0)] * 402), store=store, middleware=[Usage()])
    for _ in range(401):
        await agent("x", session="s")
    limited = with_session(
        ScriptedAgent("x"), store=store, middleware=[Budget(max_tokens=401), Usage()]
    )
    with pytest.raises(BudgetExceeded, match="401 of"):
        await limited("x", session="s")


async def test_what_was_undone_does_not_count(store):
    """Turns that are gone, whoever removed them, are not counted from an earlier reading."""
    layers = [Budget(max_tokens=30), Usage()]
    agent = with_session(ScriptedAgent(*[answer()] * 5), store=store, middleware=layers)
    for _ in range(2):
        await agent("x", session="s")
    with pytest.raises(BudgetExceeded):
        await agent("x", session="s")
    await store.session("s").undo_turns(1)
    await agent("x", session="s")
    with pytest.raises(BudgetExceeded, match="30 of"):
        await agent("x", session="s")
    await store.session("s").clear_session()
    await agent("x", session="s")


async def test_warnings(store, caplog):
    """From a part of the budget on turns are logged, and beyond it if they are not refused."""
    caplog.set_level(logging.WARNING)
    layers = [Budget(max_tokens=40, warn_at=0.5, on_exceeded="warn"), Usage()]
    agent = with_session(ScriptedAgent(*[answer()] * 5), store=store, middleware=layers)
    for expected in (0, 0, 1, 2, 3):
        await agent("x", session="s")
        assert len(caplog.records) == expected
    assert "60 of Budget(max_tokens=40) is spent" in caplog.text


@pytest.mark.parametrize("session", [HandWritten("s"), FlakySession("s")], ids=["four", "memory"])
async def test_sessions_that_keep_no_costs(session):
    """A session that has no place for costs is told, rather than taken for free."""
    layers = [Budget(max_tokens=10), Usage()]
    agent = with_session(ScriptedAgent("x"), middleware=layers)
    if isinstance(session, HandWritten):
        with pytest.raises(ConfigurationError, match="HandWritten keeps no costs"):
            await agent("x", session=session)
    else:
        await agent("x", session=session)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Budget(), "needs a limit"),
        (lambda: Budget(max_tokens=0), "max_tokens"),
        (lambda: Budget(max_cost="1"), "max_cost"),
        (lambda: Budget(max_tokens=1, window="a day"), "window"),
        (lambda: Budget(max_tokens=1, window=24), "window"),
        (lambda: Budget(max_tokens=1, scope="user"), "scope"),
        (lambda: Budget(max_tokens=1, warn_at=2), "warn_at"),
        (lambda: Budget(max_tokens=1, on_exceeded="stop"), "on_exceeded"),
        (lambda: Usage(price=3), "price"),
        (lambda: Usage(on_usage="x"), "on_usage"),
    ],
)
def test_wrong_options_are_refused(make, says):
    """What an option cannot be is told when the layer is made."""
    with pytest.raises(ConfigurationError, match=says):
        make()


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ([Budget(max_tokens=1)], "Budget does nothing without Usage"),
        ([Memory(), Budget(max_tokens=1), Usage()], "put Budget before Memory"),
        ([Usage(), Memory()], "Usage.*behind Memory"),
    ],
)
def test_wrong_places_are_refused(layers, says):
    """Layers that would count nothing are refused at decoration."""
    with pytest.raises(ConfigurationError, match=says):
        with_session(ScriptedAgent(), middleware=layers)


async def test_budget_is_quick(path):
    """A budget reads a time's turns, not a conversation's."""
    async with SQLiteStore(path) as store:
        layers = [Budget(max_tokens=10_000), Usage(), Retry(on=OSError)]
        agent = with_session(ScriptedAgent(*[answer()] * 50), store=store, middleware=layers)
        begun = time.perf_counter()
        for _ in range(50):
            await agent("x", session="s")
        assert time.perf_counter() - begun < 20

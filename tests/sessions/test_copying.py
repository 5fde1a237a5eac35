"""Copies of conversations, and stores by URL."""

import asyncio
from pathlib import Path

import pytest

from memwrap import (
    ConfigurationError,
    CopyReport,
    InMemoryStore,
    PostgresStore,
    RedisStore,
    SQLiteStore,
    StoreError,
    TurnIdReused,
    copy,
    run,
    store_from_url,
    with_session,
)
from memwrap.items import assistant, user
from memwrap.middleware import Memory
from memwrap.sessions.in_memory import MemoryBackend
from memwrap.sessions.turns import carried, made_with
from memwrap.testing import ScriptedAgent


@pytest.fixture(
    params=[
        *("memory to file", "file to memory", "file to file"),
        *("file to postgres", "postgres to file", "postgres to postgres"),
        *("postgres to redis", "redis to file", "redis to redis"),
    ]
)
def stores(request, path):
    source, target = request.param.split(" to ")
    make = {
        "memory": lambda name: InMemoryStore(),
        "file": lambda name: SQLiteStore(path + name),
        "postgres": lambda name: PostgresStore(
            request.getfixturevalue("postgres_url"), tenant=path + name
        ),
        "redis": lambda name: RedisStore(request.getfixturevalue("redis_url"), tenant=path + name),
    }
    return make[source]("source"), make[target]("target")


async def long_turn(store, session_id, size):
    """Store a turn that begins in one batch of a copy and ends in another."""

    @with_session(store=store)
    async def agent(items):
        return [assistant(str(number)) for number in range(size)]

    await agent("q", session=session_id, turn_id="long")


async def test_interrupted_copy_goes_on(stores):
    """A copy that stops within a session goes on where it was, and stores nothing twice."""
    source, target = stores
    await source.session("s").add_items([user(str(number)) for number in range(40)])
    await long_turn(source, "s", 150)
    seen = []

    def stop(report):
        seen.append(report)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        await copy(source, target, progress=stop)
    assert len(await target.get_items("s")) == 64
    report = await copy(source, target)
    assert (report.sessions, report.items, report.skipped) == (1, 191 - 64, 0)
    assert await target.get_items("s") == await source.get_items("s")
    (turn,) = await target.turns("s")
    assert (turn.id, turn.item_count) == ("long", 151)
    agent = ScriptedAgent("x")
    await run(agent, "q", session=target.session("s"), turn_id="long")
    assert agent.calls == []
    assert await copy(source, target) == CopyReport(0, 0, 1)


async def test_other_items_under_an_id_are_left_alone(stores):
    """A session of the target that is not a part of the source's is named, and untouched."""
    source, target = stores
    await source.session("s").add_items([user("1"), user("2")])
    for theirs in ([user("x")], [user("1"), user("2"), user("3")]):
        await target.session("s").clear_session()
        await target.session("s").add_items(theirs)
        with pytest.raises(StoreError, match=r"'s': it holds other items"):
            await copy(source, target)
        assert await target.get_items("s") == theirs
    await target.session("s").clear_session()
    await target.session("s").add_items([user("1")])
    assert (await copy(source, target)).items == 1


async def test_repeated_requests_are_compared_in_the_copy(stores):
    """A copied turn is known by its input, whichever store's secret it was stored with."""
    source, target = stores
    await run(ScriptedAgent("2"), "1", session=source.session("s"), turn_id="t")
    await run(ScriptedAgent("2"), "1", session=target.session("own"), turn_id="t")
    await copy(source, target)
    other = InMemoryStore()
    await copy(target, other, prefix="s")
    for store in (target, other):
        agent = ScriptedAgent("never")
        assert await run(agent, "1", session=store.session("s"), turn_id="t") == "2"
        with pytest.raises(TurnIdReused):
            await run(agent, "another", session=store.session("s"), turn_id="t")
        assert agent.calls == []


async def test_secret_of_the_layer_counts_in_the_copy(stores):
    """Turns of a memory with a secret of its own are known to such a memory only."""
    source, target = stores
    layers = [Memory(secret=b"x" * 32)]
    first = with_session(ScriptedAgent("2"), middleware=layers)
    await first("1", session=source.session("s"), turn_id="t")
    await copy(source, target)
    assert await first("1", session=target.session("s"), turn_id="t") == "2"
    with pytest.raises(TurnIdReused):
        await run(ScriptedAgent("never"), "1", session=target.session("s"), turn_id="t")


def test_fingerprints_carry_their_secret_once():
    """A fingerprint that comes from a third store keeps the secret it was made with."""
    once = carried("print", b"\x01")
    assert carried(once, b"\x02") == once
    assert made_with(once, b"\x03") == ("print", b"\x01")
    assert made_with("print", b"\x03") == ("print", b"\x03")
    assert made_with("=zz:print", b"\x03")[1] == b"\x03"
    assert carried("", b"\x01") == ""
    assert carried("~own:print", b"\x01") == "~own:print"


async def test_what_is_known_is_brought_up_to_date(stores):
    """A second copy brings titles and tags that were given since."""
    source, target = stores
    await source.session("s").add_items([user("1")])
    await copy(source, target)
    await source.update("s", title="T")
    await source.update("empty", owner="o")
    await copy(source, target)
    assert (await target.info("s")).title == "T"
    assert (await target.info("empty")).owner == "o"
    assert await copy(source, target) == CopyReport(0, 0, 2)


async def test_lists_have_the_order_of_the_source(stores):
    """Sessions of a copy are listed by the times of the original."""
    source, target = stores
    for number in range(20):
        await source.session(str(number)).add_items([user("x")])
        await asyncio.sleep(0.002)
    await copy(source, target)
    found, expected = await target.sessions(), await source.sessions()
    assert [one.session_id for one in found] == [one.session_id for one in expected]


async def test_target_that_lies_is_found_out(monkeypatch):
    """What is read back is compared with what was stored."""
    source, target = InMemoryStore(), InMemoryStore()
    await source.session("s").add_items([user("1")])
    insert = MemoryBackend.insert

    async def other(self, session_id, place, rows, turns, about):
        return await insert(self, session_id, place, [b"{}"] * len(rows), turns, about)

    monkeypatch.setattr(MemoryBackend, "insert", other)
    with pytest.raises(StoreError, match="it holds other items"):
        await copy(source, target)


async def test_copies_between_no_stores_are_refused(path):
    """Source and target are two stores of memwrap."""
    store = SQLiteStore(path)
    with pytest.raises(ConfigurationError, match="same store"):
        await copy(store, SQLiteStore(path, ttl=5))
    with pytest.raises(ConfigurationError, match="the target is of type dict"):
        await copy(store, {})


class TestURLs:
    def test_files_by_url(self, path, monkeypatch):
        """Paths are relative with three slashes, absolute with four, and percent-decoded."""
        folder = Path(path).parent
        monkeypatch.chdir(folder)
        for url, name in (
            ("sqlite:///a.db", "a.db"),
            (f"sqlite:///{folder}/b.db", "b.db"),
            ("sqlite:///c%20d%3F%23%25.db", "c d?#%.db"),
            ("SQLite:///e.db", "e.db"),
        ):
            store = store_from_url(url)
            assert not Path(name).exists()
            asyncio.run(store.session("s").add_items([user("1")]))
            assert Path(name).exists()

    @pytest.mark.parametrize("url", ["memory://", "sqlite://", "sqlite:///:memory:"])
    async def test_memory_by_url(self, url):
        """Such stores hold their sessions themselves."""
        one, other = store_from_url(url, ttl=100), store_from_url(url)
        await one.session("s").add_items([user("1")])
        assert await one.session("s").get_items() == [user("1")]
        assert await other.session("s").get_items() == []
        assert one.promises.expires
        assert one.promises.durability == "none"

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("mysql://u:hush@h/x", "the URL names no store; there are: memory://, sqlite:///"),
            ("chat.db", "the URL names no store"),
            ("", "the URL names no store"),
            ("sqlite:/x.db", "the URL names no store"),
            ("sqlite://hush/x.db", "a SQLite URL is"),
            ("sqlite:///x.db?mode=hush", "a SQLite URL is"),
            ("sqlite:///x.db#hush", "a SQLite URL is"),
            ("sqlite://[hush/x", "a SQLite URL is"),
            ("memory://hush", "memory:// has nothing behind it"),
            (5, "a store's URL is a string, not int"),
            (None, "not NoneType"),
        ],
    )
    def test_other_urls_are_refused(self, url, message):
        """The message lists the forms, and never has the URL in it."""
        with pytest.raises(ConfigurationError, match=message) as caught:
            store_from_url(url)
        assert "hush" not in str(caught.value)

    def test_unknown_options_are_refused(self):
        """An option is one of the store's class."""
        with pytest.raises(ConfigurationError, match="SQLiteStore has no option colour, size"):
            store_from_url("sqlite:///x.db", size=1, colour=2)

    async def test_agents_take_urls(self, path):
        """`with_session` makes the store of a URL, one for all its agents."""
        decorate = with_session(store=f"sqlite:///{path}")
        assert await decorate(ScriptedAgent("a"))("q", session="s") == "a"
        assert len(await SQLiteStore(path).session("s").get_items()) == 2
        shared = with_session(store="memory://")
        await shared(ScriptedAgent("a"))("q", session="s")
        agent = ScriptedAgent("b")
        await shared(agent)("r", session="s")
        assert len(agent.calls[0]) == 3
        with pytest.raises(ConfigurationError, match="store is of type str, and no URL"):
            with_session(agent, store="chat.db")
        with pytest.raises(ConfigurationError, match="the URL names no store") as caught:
            with_session(agent, store="mysql://u:hush@h")
        assert "hush" not in str(caught.value)

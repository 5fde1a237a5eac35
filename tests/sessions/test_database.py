"""What all sessions and stores of the package do alike, in memory and in a file."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from support import ids_of

from memwrap import (
    ConfigurationError,
    ConversionError,
    InMemorySession,
    InMemoryStore,
    SessionSettings,
    SQLiteSession,
    SQLiteStore,
)
from memwrap.items import assistant, user
from memwrap.sessions.base import Promises, identity, promises
from memwrap.sessions.checks import MAX_ID_BYTES, check_settings

ODD_IDS = [
    *(
        "it's",
        '"quoted"',
        "100%",
        "a_b",
        "a\x00b",
        "\x00",
        "emoji 😀",
        "naïve",
        "'; DROP TABLE x --",
    ),
    *(" ", "a ", "A", "a", "1", "None", "a:messages", "a\nb", "x" * MAX_ID_BYTES, "\U0010ffff"),
]
BAD_IDS = [
    *(("", "1 to 1024 bytes"), ("x" * (MAX_ID_BYTES + 1), "this has 1025"), ("é" * 513, "1026")),
    *(("a\ud800", "surrogates"), (None, "not NoneType"), (1, "not int"), (True, "not bool")),
    *((b"a", "not bytes"), (["a"], "not list")),
]
BAD_LIMITS = [-1, True, False, "5", 2.0, [1]]


@pytest.fixture(params=["memory", "file"])
def store(request, path):
    return InMemoryStore() if request.param == "memory" else SQLiteStore(path)


@pytest.fixture(params=[InMemorySession, SQLiteSession])
def kind(request):
    return request.param


async def fill(store, *ids):
    """Add an item to each session, so that the times of all of them differ."""
    for session_id in ids:
        await store.session(session_id).add_items([user(session_id)])
        await next_millisecond()


async def next_millisecond():
    await asyncio.sleep(0.002)


async def test_odd_ids_are_sessions_of_their_own(store):
    """Any text may be an id, and no two of them are one session."""
    sessions = [store.session(session_id) for session_id in ODD_IDS]
    for session in sessions:
        await session.add_items([user(session.session_id)])
    for session in sessions:
        assert await session.get_items() == [user(session.session_id)]
    assert sorted(await ids_of(store)) == sorted(ODD_IDS)
    await store.delete("a")
    assert sorted(await ids_of(store)) == sorted(set(ODD_IDS) - {"a"})


@pytest.mark.parametrize(("session_id", "says"), BAD_IDS)
async def test_what_is_no_id_is_refused(kind, store, session_id, says):
    """Ids that are no text, empty, too long or no Unicode are refused where they are named."""
    with pytest.raises(ConfigurationError, match=says):
        kind(session_id)
    with pytest.raises(ConfigurationError, match=says):
        store.session(session_id)
    with pytest.raises(ConfigurationError, match=says):
        await store.delete(session_id)
    assert await store.sessions() == []


@pytest.mark.parametrize("limit", BAD_LIMITS)
async def test_what_is_no_limit_is_refused(kind, store, limit):
    """A limit is a whole number from 0 on, wherever it is given."""
    says = re.escape(f"not {limit!r}")
    with pytest.raises(ConfigurationError, match=says):
        await kind("s").get_items(limit)
    with pytest.raises(ConfigurationError, match=says):
        await store.sessions(limit=limit)
    for settings in ({"limit": limit}, SessionSettings(limit)):
        with pytest.raises(ConfigurationError, match=says):
            kind("s", session_settings=settings)


def of_others(limit):
    """Somebody else's settings: an object with a limit."""
    return SimpleNamespace(limit=limit)


@pytest.mark.parametrize("make", [lambda n: {"limit": n}, SessionSettings, of_others])
async def test_settings_limit_what_is_returned(kind, make):
    """The limit of the settings holds when none is given, and a given one wins."""
    session = kind("s", session_settings=make(2))
    items = [user(str(n)) for n in range(5)]
    await session.add_items(items)
    assert await session.get_items() == items[-2:]
    assert await session.get_items(3) == items[-3:]
    assert await session.get_items(limit=0) == []
    nothing = kind("s", session_settings=make(0))
    await nothing.add_items(items)
    assert await nothing.get_items() == []
    everything = kind("s", session_settings=make(None))
    await everything.add_items(items)
    assert await everything.get_items() == items


@pytest.mark.parametrize("settings", [None, {}])
def test_no_settings(kind, settings):
    """Without settings the attribute is there, and sets nothing."""
    assert getattr(kind("s", session_settings=settings).session_settings, "limit", None) is None


def test_unknown_setting(kind):
    """A setting that nobody knows is named, as an argument would be."""
    with pytest.raises(TypeError, match="Unknown session settings: limitt") as error:
        kind("s", session_settings={"limitt": 1})
    assert isinstance(error.value, ConfigurationError)


@pytest.mark.parametrize(
    "settings", [5, "limit", {"limt": 5}, {"limit": 5, "more": 1}, [("limit", 5)]]
)
def test_what_are_no_settings_is_refused(kind, settings):
    """Settings are None, a dict with a limit, or an object with one."""
    with pytest.raises(ConfigurationError, match="SessionSettings"):
        kind("s", session_settings=settings)


def test_settings_of_a_run_win():
    """Settings are laid over each other as other runners do it for one run."""
    settings = SessionSettings(5)
    assert settings.resolve(SessionSettings(3)) == SessionSettings(3)
    assert settings.resolve({"limit": 3}) == SessionSettings(3)
    assert settings.resolve(SessionSettings(0)) == SessionSettings(0)
    for nothing in (None, {}, {"limit": None}, SessionSettings()):
        assert settings.resolve(nothing) == settings
    assert check_settings(settings) is settings


async def test_limit_may_be_huge(store):
    """A limit beyond what the back end can count returns everything."""
    session = store.session("s")
    await session.add_items([user("1"), user("2")])
    for limit in (2, 2**31, 2**63, 2**70):
        assert await session.get_items(limit) == [user("1"), user("2")]
        assert await ids_of(store, limit=limit) == ["s"]


@pytest.mark.parametrize(
    ("items", "says", "place"),
    [
        (None, "list of dicts", "$"),
        ("hello", "list of dicts", "$"),
        (user("hello"), "list of dicts", "$"),
        ([user("1"), None], "not None", "$[1]"),
        ([user("1"), "x"], "not a str", "$[1]"),
        ([*[user("1")] * 3, {"content": [b"x"]}], "a bytes", "$[3].content[0]"),
        ([user("1"), {"content": float("nan")}], "NaN", "$[1].content"),
        ([{"content": {1: 2}}], "key", "$[0].content"),
    ],
)
async def test_bad_items_are_refused_whole(store, items, says, place):
    """If one value of one item cannot be kept nothing is stored, and the place is told."""
    session = store.session("s")
    await session.add_items([user("before")])
    with pytest.raises(ConversionError, match=says) as caught:
        await session.add_items(items)
    assert caught.value.path == place
    assert await session.get_items() == [user("before")]


async def test_adding_nothing_makes_no_session(store):
    """An empty list is no item, and the session does not show in the list."""
    await store.session("s").add_items([])
    assert await store.sessions() == []


async def test_items_are_taken_when_they_are_given(store):
    """What happens to an item while it is being stored does not matter any more."""
    session = store.session("s")
    item = user("before")
    adding = asyncio.create_task(session.add_items([item]))
    await asyncio.sleep(0)
    item["content"] = "after"
    await adding
    assert await session.get_items() == [user("before")]


async def test_sessions_of_a_store_share_by_id(store):
    """Objects with one id are one session and have the same identity; other ids do not."""
    one, same, other = store.session("a"), store.session("a"), store.session("b")
    await one.add_items([user("1")])
    assert await same.get_items() == [user("1")]
    assert await other.get_items() == []
    assert identity(one) == identity(same) != identity(other)
    assert hash(identity(one)) == hash(identity(same))


async def test_list_is_newest_first(store):
    """The session whose items are newest comes first, with the count and times of its items."""
    begin = datetime.now(UTC) - timedelta(milliseconds=2)
    await fill(store, "a", "b", "c")
    assert await ids_of(store) == ["c", "b", "a"]
    await store.session("a").add_items([assistant("x"), user("y")])
    end = datetime.now(UTC) + timedelta(milliseconds=2)
    newest, *_ = found = await store.sessions()
    assert [info.session_id for info in found] == ["a", "c", "b"]
    assert [info.item_count for info in found] == [3, 1, 1]
    assert newest.created_at.tzinfo is newest.updated_at.tzinfo is UTC
    assert begin < newest.created_at < newest.updated_at < end


async def test_list_by_prefix(store):
    """A prefix is plain text: no character of it means anything else, and case counts."""
    ids = [
        "user:1",
        "user:2",
        "User:3",
        "use",
        "user%",
        "user_",
        "userX",
        "😀1",
        "😁",
        "\U0010ffff1",
    ]
    await fill(store, *ids)
    prefixes = ["", "u", "user:", "user%", "user_", "%", "_", "U", "user:1", "user:11", "'", "*"]
    for prefix in [*prefixes, "😀", "\U0010ffff", "\ud7ff", "\x00"]:
        expected = [session_id for session_id in reversed(ids) if session_id.startswith(prefix)]
        assert await ids_of(store, prefix=prefix) == expected


@pytest.mark.parametrize("prefix", [None, 1, b"a", "\ud800"])
async def test_prefix_that_is_no_text_is_refused(store, prefix):
    """A prefix is the beginning of an id, so it is text."""
    with pytest.raises(ConfigurationError, match="prefix"):
        await store.sessions(prefix=prefix)


async def test_list_in_pages(store):
    """Pages joined are the whole list, also of a prefix."""
    await fill(store, *(f"{kind}{number}" for number in range(3) for kind in "ab"))
    for prefix in ("", "a"):
        whole = await ids_of(store, prefix=prefix)
        pages, after = [], None
        while page := await ids_of(store, prefix=prefix, limit=2, after=after):
            assert len(page) <= 2
            pages += page
            after = page[-1]
        assert pages == whole
    assert await ids_of(store, limit=0) == []
    assert await ids_of(store, prefix="a", limit=2) == ["a2", "a1"]
    assert await ids_of(store, prefix="a", after="b1") == ["a1", "a0"]
    assert await ids_of(store, after="a0") == []


async def test_page_after_nothing_is_refused(store):
    """A page cannot begin behind a session that is not there, or at what is no id."""
    await fill(store, "a")
    with pytest.raises(ConfigurationError, match="after='gone'"):
        await store.sessions(after="gone")
    for after in (1, "", "\ud800"):
        with pytest.raises(ConfigurationError):
            await store.sessions(after=after)


async def test_session_without_items_is_not_listed(store):
    """A session whose items were all popped is not listed, but known until it is cleared."""
    session = store.session("s")
    await session.add_items([user("1")])
    assert await session.pop_item() == user("1")
    assert await store.sessions() == []
    assert (await store.info("s")).item_count == 0
    await session.clear_session()
    assert await store.sessions() == []
    assert await store.info("s") is None


async def test_deleted_session_begins_anew(store):
    """Deleting removes all items of one session, and what comes later is a new one."""
    await fill(store, "a", "b")
    before = (await store.sessions(prefix="a"))[0].created_at
    await store.delete("a")
    await store.delete("unknown")
    assert await store.session("a").get_items() == []
    assert await ids_of(store) == ["b"]
    await next_millisecond()
    await store.session("a").add_items([user("again")])
    assert await store.session("a").get_items() == [user("again")]
    assert (await store.sessions(prefix="a"))[0].created_at > before


async def test_closed_store_works_again(store):
    """Closing frees what is held; sessions handed out before and after go on."""
    session = store.session("s")
    async with store as same:
        assert same is store
        await session.add_items([user("1")])
    await store.close(linger=0)
    await store.close(linger=0)
    assert await session.get_items() == [user("1")]
    await session.add_items([user("2")])
    await store.close(linger=0)
    assert await store.session("s").get_items() == [user("1"), user("2")]
    await store.close(linger=0)


async def test_store_does_not_swallow_errors(store):
    """What is raised in the block comes out of it."""
    with pytest.raises(KeyError):
        async with store:
            raise KeyError("x")


async def test_reprs_show_the_id_only(kind, store):
    """A session's repr has its class and id, and nothing of the items."""
    session = store.session("s")
    await session.add_items([user("secret")])
    assert repr(session) == "DatabaseSession('s')"
    assert repr(kind("a'b")) == f'{kind.__name__}("a\'b")'
    assert "secret" not in repr(store) + repr(await store.sessions())


def test_back_ends_say_what_they_promise(path):
    """Every session and store has its promises; a foreign one promises nothing."""
    for there in (InMemorySession("s"), InMemoryStore(), SQLiteSession("s")):
        assert promises(there) == Promises(isolated=True, settles=True, turns=True)
    on_disk = Promises(durability="power", shared=True, isolated=True, settles=True, turns=True)
    for there in (SQLiteSession("s", path), SQLiteStore(path), SQLiteStore(path).session("s")):
        assert promises(there) == on_disk


def test_foreign_objects_promise_nothing():
    """A class that does not say stands for itself, object by object, whatever it answers."""

    class Foreign:
        session_id = "s"
        promises = "everything"

        def __getattr__(self, name):
            return name

    one, other = Foreign(), Foreign()
    assert promises(one) == Promises()
    assert identity(one) == identity(one) != identity(other)

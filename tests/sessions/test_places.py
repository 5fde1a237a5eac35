"""Objects that an application makes for each request are one conversation."""

import asyncio
import gc

import pytest
from support import FourMethods, HandWritten

from memwrap import InMemorySession, SQLiteSession, with_session
from memwrap.sessions import places
from memwrap.sessions.base import Promises, identity, promises
from memwrap.sessions.resolve import resolve

TABLE = {}


class PerRequest(FourMethods):
    """A new object for each request, over a list that all share."""

    def __init__(self, session_id):
        super().__init__(session_id)
        self.items = TABLE.setdefault(session_id, [])


class InFile(FourMethods):
    def __init__(self, session_id, db_path):
        super().__init__(session_id)
        self.db_path = db_path


class Around:
    """A session around another, which hands on what it has not itself."""

    def __init__(self, inside):
        self.underlying_session = inside

    def __getattr__(self, name):
        return getattr(self.underlying_session, name)

    async def get_items(self, limit=None):
        return await self.underlying_session.get_items(limit)

    async def add_items(self, items):
        await self.underlying_session.add_items(items)

    async def pop_item(self):
        return await self.underlying_session.pop_item()

    async def clear_session(self):
        await self.underlying_session.clear_session()


class Store:
    def session(self, session_id):
        return PerRequest(session_id)


class Slotted:
    __slots__ = ("session_id",)
    get_items = add_items = pop_item = clear_session = lambda self: None

    def __init__(self, session_id):
        self.session_id = session_id


@pytest.mark.parametrize(
    "store", [Store(), PerRequest, Store().session, lambda name: PerRequest(name)]
)
async def test_turns_of_objects_from_one_store_wait(store):
    """Turns at once on objects from one store by one id see each other's items."""
    TABLE.clear()
    seen = []

    @with_session(store=store)
    async def agent(items):
        seen.append(len(items))
        await asyncio.sleep(0.001)
        return "x"

    await asyncio.gather(*(agent(str(number), session="s") for number in range(4)))
    assert sorted(seen) == [1, 3, 5, 7]


def test_store_and_id_tell():
    """Objects are told by the store that gave them and the id that it was asked for."""
    store, other = Store(), Store()
    one = identity(resolve("s", store))
    assert one == identity(resolve("s", store)) == identity(resolve("s", store))
    assert hash(one) == hash(identity(resolve("s", store)))
    assert one != identity(resolve("t", store))
    assert one != identity(resolve("s", other))
    bound = (resolve("s", store.session), resolve("s", store.session))
    assert identity(bound[0]) == identity(bound[1])


def test_file_and_id_tell_without_a_store(tmp_path):
    """Objects of one class that name one file and id are one, however the path is written."""
    path = tmp_path / "s.db"
    one = identity(InFile("s", path))
    assert one == identity(InFile("s", str(path))) == identity(InFile("s", f"{tmp_path}/./s.db"))
    assert one == identity(resolve("s", lambda session_id: InFile(session_id, path)))
    assert one != identity(InFile("t", path))
    assert one != identity(InFile("s", tmp_path / "t.db"))
    for nowhere in (":memory:", "", None):
        assert identity(InFile("s", nowhere)) != identity(InFile("s", nowhere))


def test_object_of_which_nothing_is_known_stands_for_itself():
    """Two objects with one id and no place are two conversations."""
    one, other = HandWritten("s"), HandWritten("s")
    assert identity(one) == identity(one) != identity(other)


def test_what_is_known_of_an_object_stays():
    """One object has one identity, wherever it was first seen."""
    session = HandWritten("s")
    before = identity(session)
    assert identity(resolve("s", lambda session_id: session)) == before
    session = resolve("s", Store())
    before = identity(session)
    assert identity(resolve("t", lambda session_id: session)) == before


def test_session_around_another_is_that_conversation(tmp_path):
    """What stands around a session has its identity, and promises nothing that it hands on."""
    inside = SQLiteSession("s", tmp_path / "s.db")
    assert identity(Around(Around(inside))) == inside.identity
    assert promises(Around(inside)) == Promises()
    assert promises(inside).turns
    four = HandWritten("s")
    assert identity(Around(four)) == identity(four)


async def test_session_around_another_is_not_passed_by(tmp_path):
    """A turn uses the methods of what stands around a session, not those of the session inside."""

    class Shouting(Around):
        async def add_items(self, items):
            await super().add_items(
                [{**item, "content": item["content"].upper()} for item in items]
            )

    @with_session
    async def agent(items):
        return "answer"

    inside = SQLiteSession("s", tmp_path / "s.db")
    await agent("question", session=Shouting(inside))
    assert [item["content"] for item in await inside.get_items()] == ["QUESTION", "ANSWER"]


def test_nothing_is_kept_of_objects_that_are_gone():
    """The table of objects forgets each with its object."""
    gc.collect()
    before = len(places._known)
    for _ in range(100):
        identity(HandWritten("s"))
        identity(resolve("s", Store()))
    gc.collect()
    assert len(places._known) <= before


def test_object_without_weak_references():
    """A class with slots alone stands for itself, and nothing is kept of it."""
    before = len(places._known)
    session = Slotted("s")
    assert identity(session) == identity(session)
    assert len(places._known) == before


def test_memwraps_own_say_themselves():
    """What memwrap's sessions say goes before what can be seen of them."""
    session = InMemorySession("s")
    assert identity(resolve("s", lambda session_id: session)) == session.identity

"""What networks do to sessions on servers, whatever the server: tests to inherit."""

import asyncio
import itertools
import random
import time

import pytest

from memwrap import StoreError, TurnNotSaved, with_session
from memwrap.items import assistant, user
from memwrap.testing import ScriptedAgent


class NetworkFaults:
    """Subclasses have a fixture `network`, a `proxies.Proxy`, and say how stores are made.

    Attributes:
        shortest: How many bytes the shortest answer to an append has.
    """

    shortest = 60

    def made(self, *, is_direct=False, **options):
        """Return a store of this test: behind the proxy, or directly at the server."""
        raise NotImplementedError("return a store of the server under test")

    @pytest.fixture
    def store(self, network):
        """A store behind the proxy, with little patience."""
        return self.made(timeout=2)

    @pytest.fixture
    def direct(self, network):
        """A store that nothing stands before."""
        return self.made(is_direct=True)

    async def test_dropped_idle_connections_are_not_seen(self, store, network):
        """Connections that were dropped while idle are replaced without an error."""
        session = store.session("s")
        for number in range(3):
            await session.add_items([user(str(number)), user("again")])
            await asyncio.gather(*(session.get_items() for _ in range(5)))
            network.drop()
            await asyncio.sleep(0.01)  # what tells of it arrives
            assert await session.pop_item() == user("again")
            network.drop()
        assert len(await session.get_items()) == 3

    @pytest.mark.parametrize("size", [0, 1, 5, 14, 30])
    async def test_lost_answers_are_asked_for_again(self, store, network, direct, size):
        """An append, a turn and a read whose answer was cut are done once, without an error."""
        session = store.session("s")
        await session.add_items([user("0")])
        agent = with_session(ScriptedAgent("answer"))
        network.cut_after = size
        await session.add_items([user("1"), user("2")])
        network.cut_after = size
        assert [item["content"] for item in await session.get_items()] == ["0", "1", "2"]
        network.cut_after = size
        await agent("3", session=session)
        found = await direct.session("s").get_items()
        assert found == [user("0"), user("1"), user("2"), user("3"), assistant("answer")]

    async def test_cuts_at_random_store_everything_once(self, store, network, direct):
        """Connections that are cut at any byte of an answer lose and double nothing."""
        chance = random.Random(14)
        session = store.session("s")
        await session.add_items([user("first")])
        for number in range(40):
            network.cut_after = chance.randrange(self.shortest)
            await session.add_items([user(str(number))])
        found = [item["content"] for item in await direct.session("s").get_items()]
        assert found == ["first", *map(str, range(40))]

    async def test_cut_turns_are_stored_once(self, store, network, direct):
        """Turns whose connections are cut at any byte are stored once each."""
        chance = random.Random(15)
        await store.session("s").add_items([user("first")])
        agent = with_session(ScriptedAgent(*(f"answer {number}" for number in range(25))))
        for number in range(25):
            network.cut_after = chance.randrange(250)
            await agent(str(number), session=store.session("s"))
        network.cut_after = None
        found = [item["content"] for item in await direct.session("s").get_items()]
        pairs = [(str(number), f"answer {number}") for number in range(25)]
        assert found == ["first", *itertools.chain(*pairs)]
        assert [turn.number for turn in await direct.turns("s")] == [*range(1, 26)]

    async def test_pop_is_not_tried_again(self, store, network, direct):
        """A pop whose answer was lost is an error, since it may have popped."""
        session = store.session("s")
        await session.add_items([user("1"), user("2"), user("3")])
        assert await session.pop_item() == user("3")
        network.cut_after = 0
        with pytest.raises(StoreError, match="may have been done"):
            await session.pop_item()
        assert await direct.session("s").get_items() == [user("1")]

    async def test_refused_connections_are_errors_until_the_server_is_back(self, store, network):
        """A server that is gone is a StoreError in time, and the object works when it is back."""
        session = store.session("s")
        await session.add_items([user("1")])
        network.refuse()
        began = time.monotonic()
        with pytest.raises(StoreError) as told:
            await session.get_items()
        assert time.monotonic() - began < 2.5
        assert "secret-word" not in f"{told.value!r} {told.value.__cause__!r}"
        network.listen()
        assert await session.get_items() == [user("1")]

    async def test_answered_turn_is_stored_by_retry(self, store, network, direct):
        """A turn whose answer is there when the server goes is stored by retry, once."""
        session = store.session("s")
        await session.add_items([user("0")])

        async def agent(items):
            network.refuse()
            return "answer"

        with pytest.raises(TurnNotSaved) as told:
            await with_session(agent)("1", session=session)
        assert told.value.result == "answer"
        network.listen()
        await told.value.retry()
        await told.value.retry()
        found = await direct.session("s").get_items()
        assert found == [user("0"), user("1"), assistant("answer")]

    async def test_silent_network_ends_after_the_timeout(self, network):
        """A network that says nothing is a StoreError after the timeout, and others go on."""
        session = self.made(timeout=0.4).session("s")
        await session.add_items([user("1")])
        network.is_silent = True
        ticks = []

        async def tick():
            while True:
                ticks.append(time.monotonic())
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"0\.4 s"):
            await session.get_items()
        assert 0.3 < time.monotonic() - began < 1.5
        ticking.cancel()
        assert max(b - a for a, b in itertools.pairwise(ticks)) < 0.3
        network.is_silent = False
        assert await session.get_items() == [user("1")]

    async def test_silence_before_a_connection_ends_too(self, network):
        """A server that takes a connection and says nothing is a StoreError after the timeout."""
        network.is_silent = True
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"0\.3 s"):
            await self.made(timeout=0.3).session("s").get_items()
        assert time.monotonic() - began < 1.5

    async def test_callers_wait_in_a_row_for_connections(self, network):
        """Whoever finds all connections in use waits, and is told the option in the end."""
        session = self.made(timeout=0.5, pool_size=2).session("s")
        await session.add_items([user("1")])
        assert len(await asyncio.gather(*(session.get_items() for _ in range(50)))) == 50
        network.is_deaf = True
        calls = [asyncio.create_task(session.get_items()) for _ in range(4)]
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(error, StoreError) for error in errors)
        assert sum("pool_size=2" in str(error) for error in errors) == 2
        network.is_deaf = False
        assert await session.get_items() == [user("1")]

    async def test_connections_are_lent_in_the_order_of_asking(self, network):
        """With one connection, calls are answered in the order in which they came."""
        session, order = self.made(is_direct=True, pool_size=1).session("s"), []
        await session.add_items([user("1")])

        async def ask(number):
            await session.get_items()
            order.append(number)

        await asyncio.gather(*map(ask, range(30)))
        assert order == list(range(30))

    async def test_cancelled_append_has_ended(self, store, network, direct):
        """A cancelled append is done or not when the cancellation is raised, and never later."""
        session = store.session("s")
        await session.add_items([user("0")])
        network.delay = 0.05
        for number in range(6):
            task = asyncio.create_task(session.add_items([user(str(number))]))
            await asyncio.sleep(0.02 * number)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            found = await direct.session("s").get_items()
            await asyncio.sleep(0.12)
            assert await direct.session("s").get_items() == found

    async def test_one_round_trip_an_operation(self, store, network):
        """Each operation is one round trip, and a later turn is two."""
        session = store.session("s")
        agent = with_session(ScriptedAgent(*"abcdefgh"))

        async def trips(work):
            await work()
            before = network.trips
            await work()
            return network.trips - before

        await session.add_items([user("1"), user("2"), user("3")])
        assert await trips(lambda: session.get_items()) == 1
        assert await trips(lambda: session.get_items(2)) == 1
        assert await trips(lambda: session.add_items([user("4é")])) == 1
        assert await trips(lambda: session.pop_item()) == 1
        assert await trips(lambda: agent("hi", session=session)) == 2
        assert await trips(lambda: store.sessions()) == 1
        assert await trips(lambda: store.turns("s")) == 1
        assert await trips(lambda: session.clear_session()) == 1

"""The contract of layers, which must notice what is wrong with one."""

import asyncio

import pytest

from memwrap.testing import LayerContract


class Passes:
    """A layer that does nothing."""

    async def __call__(self, turn, send, handler, /):
        await handler(turn, send)


class CallsOnly(Passes):
    """Changes what a call returns, and no stream."""

    async def __call__(self, turn, send, handler, /):
        async def other(event):
            await send(event if turn.streaming else event + "!")

        await handler(turn, other)


class StoresTwice(Passes):
    async def __call__(self, turn, send, handler, /):
        await handler(turn, send)
        if turn.session is not None and not turn.run.is_open:
            await turn.session.add_items([*turn.input, *turn.new_items])


class Collects(Passes):
    """Hands a stream on at its end, in one piece and backwards."""

    async def __call__(self, turn, send, handler, /):
        events = []

        async def keep(event):
            events.append(event)

        await handler(turn, keep)
        for event in reversed(events):
            await send(event)


class KeepsDelivered(Passes):
    """Stores what was delivered of a turn that was left."""

    async def __call__(self, turn, send, handler, /):
        try:
            await handler(turn, send)
        except asyncio.CancelledError:
            await turn.session.add_items(turn.input)
            raise


class Swallows(Passes):
    """Makes an error of its own of a cancellation."""

    async def __call__(self, turn, send, handler, /):
        try:
            await handler(turn, send)
        except asyncio.CancelledError:
            raise TimeoutError from None


class TurnOnSelf(Passes):
    """Keeps what it hands on to, so that turns at once get each other's events."""

    async def __call__(self, turn, send, handler, /):
        self.send = send

        async def mine(event):
            await self.send(event)

        await handler(turn, mine)


class ListOnSelf(Passes):
    def __init__(self):
        self.turns = []

    async def __call__(self, turn, send, handler, /):
        self.turns.append({"input": turn.input})
        await handler(turn, send)


class Wraps(Passes):
    async def __call__(self, turn, send, handler, /):
        try:
            await handler(turn, send)
        except Exception as exc:
            raise RuntimeError("wrapped") from exc


class AddsToInput(Passes):
    """Assigns to the turn what a hook should do, so that a second attempt sees it twice."""

    async def __call__(self, turn, send, handler, /):
        turn.input = [*turn.input, {"role": "user", "content": "Be brief."}]
        await handler(turn, send)


class LooksBack(Passes):
    """Looks through all events for each event."""

    async def __call__(self, turn, send, handler, /):
        events = []

        async def look(event):
            events.append(event)
            for one in events:
                len(one)
            await send(event)

        await handler(turn, look)


class Slow(Passes):
    async def __call__(self, turn, send, handler, /):
        async def look(event):
            for _ in range(100):
                len(event)
            await send(event)

        await handler(turn, look)


class NowhereAtHome(Passes):
    """Says that it belongs behind `Memory`, and takes no turns there."""

    within_memory = True

    async def __call__(self, turn, send, handler, /):
        await send("no")


FLAWS = [
    ("test_call_is_a_stream_of_one", CallsOnly),
    ("test_both_sides_of_memory", StoresTwice),
    ("test_both_sides_of_memory", NowhereAtHome),
    ("test_events_keep_their_order", Collects),
    ("test_early_break", KeepsDelivered),
    ("test_cancellation", Swallows),
    ("test_two_turns_at_once", TurnOnSelf),
    ("test_no_state_of_a_turn_on_self", TurnOnSelf),
    ("test_no_state_of_a_turn_on_self", ListOnSelf),
    ("test_error_of_the_agent_is_unchanged", Wraps),
    ("test_handler_called_twice", AddsToInput),
    ("test_cost_of_an_event", LooksBack),
    ("test_cost_of_an_event", Slow),
]


def contract(kind):
    tests = LayerContract()
    tests.layer = kind
    return tests


@pytest.mark.parametrize(
    ("test", "kind"), FLAWS, ids=lambda value: getattr(value, "__name__", value)
)
def test_contract_notices(test, kind):
    """Each flaw is found by the test of the contract that is about it."""
    getattr(contract(Passes), test)()
    with pytest.raises((AssertionError, TimeoutError, RuntimeError)):
        getattr(contract(kind), test)()


def test_every_test_of_the_contract_can_fail():
    """There is a flawed layer for each test of the contract."""
    names = {name for name in dir(LayerContract) if name.startswith("test_")}
    assert names == {test for test, _ in FLAWS}


def test_contract_asks_for_a_layer():
    """Without a layer of its own class the contract says what is missing."""
    with pytest.raises(NotImplementedError, match="your own class"):
        LayerContract().test_early_break()

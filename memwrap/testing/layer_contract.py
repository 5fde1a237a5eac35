"""The contract that every layer has to keep, as tests to inherit."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from memwrap.decorator import with_session
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item, assistant, user
from memwrap.memory.layer import Memory
from memwrap.sessions import InMemorySession
from memwrap.testing.session_contract import same
from memwrap.testing.talk import Failure, Talk
from memwrap.turn import Handler, Middleware, Send, Turn

__all__ = ["LayerContract"]

_SECONDS = 20.0  # after which a turn that should have ended hangs
_EVENTS = (50, 100, 200)  # lengths of streams
_MOST_CALLS = 60  # of functions for each event, on the way through the layer
_DEPTH = 6  # how far a layer's attributes are searched


class LayerContract:
    """What every layer has to do: subclass it, say how to make one, and let pytest run it.

    The contract's turns are harmless: the layer has nothing to refuse or to change in them.

    Attributes:
        changes_nothing: Whether agent, caller and store get in such turns what they would get
            without the layer.
    """

    changes_nothing = True

    def layer(self) -> Middleware:
        """Return a new layer, with nothing to do in harmless turns.

        Raises:
            NotImplementedError: The test class does not say how its layers are made.
        """
        raise NotImplementedError("return a layer of your own class here")

    def behind(self) -> Sequence[Middleware]:
        """Return new layers that the layer needs behind it; none, unless a test class says so."""
        return ()

    def _chains(self) -> Iterator[list[Middleware]]:
        """Yield the layer in front of `Memory` and behind it, where it takes either."""
        found = False
        chains: tuple[list[Middleware], ...] = (
            [self.layer(), Memory(), *self.behind()],
            [Memory(), self.layer(), *self.behind()],
        )
        for chain in chains:
            try:
                with_session(_echo, middleware=chain)
            except ConfigurationError:  # it says on which side it belongs
                continue
            found = True
            yield chain
        _fail_unless(found, "the layer takes neither side of Memory")

    def test_call_is_a_stream_of_one(self) -> None:
        """A call gives its caller, its agent and its store what a stream of one event gives."""

        async def test(chain: list[Middleware]) -> None:
            called, streamed = Talk(chain), Talk(chain)
            for text in ("one", "two"):
                answer = await called.agent(text, session=called.session)
                events = [e async for e in streamed.stream(text, session=streamed.session)]
                same(events, [answer])
            same(streamed.seen, called.seen)
            same(await streamed.session.get_items(), await called.session.get_items())

        self._each(test)

    def test_both_sides_of_memory(self) -> None:
        """On each side of `Memory` that the layer takes, the conversation is stored once."""

        async def test(chain: list[Middleware]) -> None:
            talk, plain = Talk(chain), Talk([])
            for one in (talk, plain):
                for text in ("one", "two", "three"):
                    await one.agent(text, session=one.session)
            stored = await talk.session.get_items()
            same(len(stored), 6)
            if self.changes_nothing:
                same(stored, await plain.session.get_items())
                same(talk.seen, plain.seen)

        self._each(test)

    def test_events_keep_their_order(self) -> None:
        """Each event of a stream arrives once and in its place."""

        async def test(chain: list[Middleware]) -> None:
            talk = Talk(chain, words=30)
            events = [e async for e in talk.stream("Go", session=talk.session)]
            same(len(events), 30)
            if self.changes_nothing:
                same(events, talk.said("Go"))

        self._each(test)

    def test_early_break(self) -> None:
        """A stream that is left early stores nothing and leaves the session free."""

        async def test(chain: list[Middleware]) -> None:
            talk = Talk(chain, words=10)
            stream = talk.stream("Go", session=talk.session)
            async for _ in stream:
                break
            await stream.aclose()
            same(talk.closed, 1)
            same(await talk.session.get_items(), [])
            await talk.agent("Again", session=talk.session)
            same(len(await talk.session.get_items()), 2)

        self._each(test)

    def test_cancellation(self) -> None:
        """A cancelled turn ends as cancelled, stores nothing and leaves the session free."""

        async def test(chain: list[Middleware]) -> None:
            talk = Talk(chain)
            talk.waits = asyncio.Event()
            task = asyncio.create_task(talk.agent("Go", session=talk.session))
            await talk.reached.wait()
            task.cancel()
            await asyncio.wait([task])
            _fail_unless(task.cancelled(), "the layer swallows or changes a cancellation")
            same(await talk.session.get_items(), [])
            talk.waits = None
            await talk.agent("Again", session=talk.session)

        self._each(test)

    def test_two_turns_at_once(self) -> None:
        """Turns that one instance runs at once get their own histories and answers."""

        async def test(chain: list[Middleware]) -> None:
            talk = Talk(chain, words=3)
            talk.pauses = True
            names = [f"s{number}" for number in range(4)]
            sessions = {name: InMemorySession(name) for name in names}

            async def run(name: str) -> None:
                for text in ("one", "two"):
                    said = f"{name} {text}"
                    events = [e async for e in talk.stream(said, session=sessions[name])]
                    same(len(events), 3)
                    if self.changes_nothing:
                        same(events, talk.said(said))

            await asyncio.gather(*map(run, names))
            for name in names:
                items = await sessions[name].get_items()
                same(len(items), 4)
                _fail_unless(all(name in str(item) for item in items), "turns at once get mixed up")

        self._each(test)

    def test_no_state_of_a_turn_on_self(self) -> None:
        """After a turn the instance has the attributes it had, and holds nothing of the turn."""

        async def test(chain: list[Middleware]) -> None:
            talk = Talk(chain)
            layer = next(one for one in chain if not isinstance(one, Memory))
            await talk.agent("first", session=talk.session)
            before = dict(getattr(layer, "__dict__", {}))
            await talk.agent("second", session=talk.session)
            after = getattr(layer, "__dict__", {})
            same(list(after), list(before))
            for name, value in after.items():
                _fail_unless(value is before[name], f"a turn sets self.{name}")
                _fail_unless(not _holds_turn(value), f"self.{name} holds a turn or its items")

        self._each(test)

    def test_error_of_the_agent_is_unchanged(self) -> None:
        """What the agent raises reaches the caller as the same object, with nothing stored."""

        async def test(chain: list[Middleware]) -> None:
            for delivered in (0, 2):
                talk = Talk(chain, words=4)
                talk.error, talk.delivered = Failure("of the agent"), delivered
                for run in (talk.run, talk.read):
                    try:
                        await run("Go")
                    except Exception as caught:  # noqa: BLE001
                        _fail_unless(caught is talk.error, f"the caller gets {type(caught)}")
                    else:
                        _fail_unless(False, "the layer swallows an error")
                same(await talk.session.get_items(), [])

        self._each(test)

    def test_handler_called_twice(self) -> None:
        """A layer around this one may try again: the turn is as if tried once."""

        async def test(chain: list[Middleware]) -> None:
            is_inside = isinstance(chain[0], Memory)
            twice = Talk([chain[0], _again, chain[1]] if is_inside else [_again, *chain])
            once = Talk(chain)
            twice.error, twice.failures = Failure("the first attempt"), 1
            for text in ("one", "two"):
                answer = await twice.agent(text, session=twice.session)
                same(answer, await once.agent(text, session=once.session))
            same(twice.seen[1:], once.seen)
            same(await twice.session.get_items(), await once.session.get_items())

        self._each(test)

    def test_cost_of_an_event(self) -> None:
        """An event costs as many calls of functions in a long stream as in a short one, and few."""

        async def test(chain: list[Middleware]) -> None:
            counts = []
            for words in _EVENTS:
                talk, plain = Talk(chain, words=words), Talk([], words=words)
                for one in (talk, plain):
                    await one.read("Go")
                counts.append(await _calls(talk) - await _calls(plain))
            first, last = counts[1] - counts[0], counts[2] - counts[1]
            most = _MOST_CALLS * (_EVENTS[1] - _EVENTS[0])
            _fail_unless(first <= most, f"an event costs more than {_MOST_CALLS} calls")
            _fail_unless(last <= 2 * first + most // 10, "an event costs more in longer streams")

        self._each(test)

    def _each(self, test: Callable[[list[Middleware]], Coroutine[Any, Any, None]]) -> None:
        for chain in self._chains():
            asyncio.run(asyncio.wait_for(test(chain), _SECONDS))


async def _echo(items: list[Any]) -> str:
    return str(items[-1]["content"])


async def _again(turn: Turn, send: Send, handler: Handler) -> None:
    try:
        await handler(turn, send)
    except Failure:
        await handler(turn, send)


async def _calls(talk: Talk) -> int:
    """Return how many functions are called while a stream is read to its end."""
    count = 0

    def note(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    with _profiled(note):
        await talk.read("Go")
    return count


@contextmanager
def _profiled(note: Callable[[Any, str, Any], None]) -> Iterator[None]:
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)


_ITEMS: tuple[Item, ...] = (user("second"), assistant("second 0;"))


def _holds_turn(value: Any, depth: int = 0) -> bool:
    """Tell whether a value holds a turn, or an item of the contract's last turn."""
    if isinstance(value, Turn):
        return True
    if depth > _DEPTH or isinstance(value, (str, bytes, int, float, type, ModuleType)):
        return False
    if isinstance(value, dict):
        if value in _ITEMS:
            return True
        members = [*value, *value.values()]
    elif isinstance(value, (list, tuple, set, frozenset)):
        members = list(value)
    else:
        members = list(getattr(value, "__dict__", {}).values())
    return any(_holds_turn(member, depth + 1) for member in members)


def _fail_unless(is_right: bool, what: str) -> None:
    if not is_right:
        raise AssertionError(what)

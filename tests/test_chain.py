"""A list of middleware becomes one handler."""

import functools

import pytest

from memwrap import ConfigurationError
from memwrap.adapters import plain
from memwrap.chain import build_chain
from memwrap.turn import Turn


def new_turn():
    return Turn(lambda items: None, [], adapter=plain)


def layer(name, log):
    async def named(turn, send, handler):
        log.append(f"{name} in")
        try:
            await handler(turn, send)
        finally:
            log.append(f"{name} out")

    return named


def endpoint(log):
    async def innermost(turn, send):
        log.append("endpoint")
        await send("event")

    return innermost


async def run(handler, turn=None):
    sent = []

    async def send(event):
        sent.append(event)

    await handler(turn or new_turn(), send)
    return sent


def test_no_layers():
    """Without layers the endpoint is the handler."""
    innermost = endpoint([])
    assert build_chain([], innermost) is innermost


async def test_first_is_outermost():
    """The first layer of the list sees the turn first and last."""
    log = []
    handler = build_chain([layer("a", log), layer("b", log), layer("c", log)], endpoint(log))
    assert await run(handler) == ["event"]
    assert log == ["a in", "b in", "c in", "endpoint", "c out", "b out", "a out"]


async def test_list_is_read_once():
    """Changing the list afterwards changes nothing: the chain is built once."""
    log = []
    layers = [layer("a", log)]
    handler = build_chain(layers, endpoint(log))
    layers.append(layer("b", log))
    await run(handler)
    assert log == ["a in", "endpoint", "a out"]


async def test_one_instance_in_many_chains():
    """One layer may stand in several chains, and twice in one, each with its own handler."""
    log = []
    shared = layer("a", log)
    one = build_chain([shared, shared], endpoint(log))
    other = build_chain([shared], endpoint(log))
    await run(one)
    await run(other)
    assert log == [*["a in"] * 2, "endpoint", *["a out"] * 2, "a in", "endpoint", "a out"]


async def test_what_a_layer_may_be():
    """Functions, methods, objects, partials and plain functions of an awaitable are layers."""

    class Object:
        async def __call__(self, turn, send, handler):
            await handler(turn, send)

        async def method(self, turn, send, handler, times=1):
            await handler(turn, send)

    async def function(turn, send, handler):
        await handler(turn, send)

    async def greedy(*args):
        turn, send, handler = args
        await handler(turn, send)

    async def configured(times, turn, send, handler):
        await handler(turn, send)

    layers = [
        function,
        greedy,
        Object(),
        Object().method,
        functools.partial(configured, 2),
        lambda turn, send, handler: handler(turn, send),
    ]
    assert await run(build_chain(layers, endpoint([]))) == ["event"]


async def test_layer_decides():
    """A layer may answer itself, try again, or change what passes it."""
    log = []

    async def cached(turn, send, handler):
        await send("cached")

    async def twice(turn, send, handler):
        await handler(turn, send)
        await handler(turn, send)

    async def shouting(turn, send, handler):
        async def louder(event):
            await send(event.upper())

        await handler(turn, louder)

    assert await run(build_chain([cached], endpoint(log))) == ["cached"]
    assert log == []
    assert await run(build_chain([shouting, twice], endpoint(log))) == ["EVENT", "EVENT"]


@pytest.mark.parametrize("wrong", [None, "log", 3, object(), {"a": 1}])
def test_not_callable(wrong):
    """What cannot be called is refused when the chain is built, with the shape of a layer."""
    with pytest.raises(ConfigurationError) as caught:
        build_chain([layer("a", []), wrong], endpoint([]))
    assert type(wrong).__name__ in str(caught.value)
    assert "async def layer(turn, send, handler)" in str(caught.value)


def test_class_instead_of_instance():
    """A class in the list is refused with the way to write the instance."""

    class Limit:
        async def __call__(self, turn, send, handler): ...

    with pytest.raises(ConfigurationError, match=r"put an instance there: Limit\(\.\.\.\)"):
        build_chain([Limit], endpoint([]))


def test_wrong_parameters():
    """A layer of another shape is refused when the chain is built, by its name."""

    async def dispatch(turn, call_next): ...

    async def demanding(turn, send, handler, option): ...

    class Starlette:
        async def __call__(self, scope, receive, send, app): ...

    for wrong, name in ((dispatch, "dispatch"), (demanding, "demanding"), (Starlette(), "Starl")):
        with pytest.raises(ConfigurationError, match=rf"{name}.*\(turn, send, handler\)"):
            build_chain([wrong], endpoint([]))

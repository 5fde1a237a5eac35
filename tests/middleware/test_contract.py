"""Each layer in the box keeps the contract of layers."""

import pytest

from memwrap.memory.layer import Memory
from memwrap.middleware import (
    Budget,
    Clear,
    Fallback,
    Guard,
    Log,
    RateLimit,
    Redact,
    Retry,
    Summarize,
    Timeout,
    Trace,
    Trim,
    Usage,
)
from memwrap.testing import LayerContract


async def other(items):
    return "another agent"


async def allowed(items):
    return None


LAYERS = {
    "Budget": lambda: Budget(max_tokens=10**9),
    "Budget of all": lambda: Budget(max_cost=10**9, scope=lambda turn: "all", window="24h"),
    "Fallback": lambda: Fallback(other, on=ConnectionError),
    "Usage": lambda: Usage(price=lambda tokens: 1),
    "Guard input": lambda: Guard(lambda items: True),
    "Guard output": lambda: Guard(allowed, on="output", keep="quarantine"),
    "Log": Log,
    "Log with content": lambda: Log(content=True),
    "RateLimit": lambda: RateLimit("1000/second;100000/day", key=lambda turn: "all"),
    "RateLimit by session": lambda: RateLimit("1000/second", on_exceeded="wait"),
    "Redact": lambda: Redact(r"sk-\w+"),
    "Redact by a function": lambda: Redact(lambda text: text.replace("hush", "")),
    "Retry": lambda: Retry(on=ConnectionError),
    "Summarize": lambda: Summarize(lambda items: "summary"),
    "Timeout": lambda: Timeout(60, first_event=50, between_events=40),
    "Timeout of all": lambda: Timeout(60),
    "Trace": lambda: Trace(agent_name="a"),
    "Trim items": lambda: Trim(max_items=50),
    "Trim turns": lambda: Trim(max_turns=20, tool_outputs=Clear(keep=2)),
    "Trim tokens": lambda: Trim(max_tokens=8000, count_tokens="chars/4"),
}
TESTS = sorted(name for name in dir(LayerContract) if name.startswith("test_"))


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("name", LAYERS)
def test_layers_keep_the_contract(name, test):
    """A layer is the same for calls and streams, is shared by turns, and stands aside when idle."""

    class Contract(LayerContract):
        def layer(self):
            return LAYERS[name]()

        def behind(self):
            return [Usage()] if name.startswith("Budget") else []

    getattr(Contract(), test)()


def test_memory_is_no_layer_of_the_contract():
    """`Memory` is what the contract puts layers around."""
    assert not any(isinstance(make(), Memory) for make in LAYERS.values())

"""What the tracks of the matrix share: steps of a scripted model, tools, and what it was shown."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple


class Call(NamedTuple):
    """A call of a tool, as a model makes it or is shown it."""

    id: str
    name: str
    arguments: dict[str, Any]


class Output(NamedTuple):
    """The output of a call, as a model is shown it."""

    id: str
    text: str


class Text(NamedTuple):
    """What a user or the assistant said."""

    role: str
    text: str


@dataclass(frozen=True)
class Step:
    """One answer of a model: it thinks, calls tools, or says something."""

    text: str = ""
    thought: str = ""
    calls: tuple[Call, ...] = ()


TOOLS = {
    "weather": lambda city: f"sunny in {city}",
    "clock": lambda zone: f"noon in {zone}",
}


def run_tool(call):
    """Return the output of a call of one of the tools."""
    return TOOLS[call.name](**call.arguments)


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return TOOLS["weather"](city)


def clock(zone: str) -> str:
    """Tell the time of a zone."""
    return TOOLS["clock"](zone)


def arguments_of(text):
    """Return the arguments that a JSON text is."""
    return json.loads(text)


class Script:
    """The steps that a model takes next, and what it was shown before the last of them."""

    def __init__(self):
        self.steps = []
        self.seen = []

    def next(self, seen):
        """Take the next step, having been shown *seen*."""
        self.seen = [
            one._replace(text=one.text.strip()) if isinstance(one, Text) else one for one in seen
        ]
        return self.steps.pop(0)

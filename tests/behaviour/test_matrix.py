"""Any framework, one conversation: what was begun in one goes on in every other."""

import importlib
import random
from itertools import product
from pathlib import Path

import pytest
from support import ROOT
from tracks.said import Call, Output, Step, Text

from memwrap import SQLiteStore

TRACKS = [
    *("plain", "chat", "anthropic", "openai_agents", "langchain", "langgraph", "pydantic_ai"),
    *("agent_framework", "llama_index", "strands", "genai", "adk"),
]

CALLS = (
    Call("call_Rome", "weather", {"city": "Rome"}),
    Call("call_Oslo", "clock", {"zone": "Oslo"}),
)
OUTPUTS = [Output("call_Rome", "sunny in Rome"), Output("call_Oslo", "noon in Oslo")]


def made(name, session):
    return importlib.import_module(f"tracks.{name}").make(session)


async def asks(track, text, *steps):
    """Let a track's agent answer a text by these steps of its model."""
    agent, script = track
    script.steps += steps
    await agent(text)
    assert not script.steps


async def begins(track, number=0):
    """Let a track have a turn with thoughts, two calls at once and a text; return what it said."""
    calls = tuple(call._replace(id=f"{call.id}{number}") for call in CALLS)
    asked, answer = f"Rome and Oslo {number}?", f"Sunny, and noon {number}."
    await asks(track, asked, Step(thought="I look.", calls=calls), Step(answer))
    outputs = [output._replace(id=f"{output.id}{number}") for output in OUTPUTS]
    return [Text("user", asked), *calls, *outputs, Text("assistant", answer)]


def table():
    """Return the pairs of tracks as the docs show them: the test below holds for each."""
    head = ["begun in", *(f"`{name}`" for name in TRACKS)]
    rows = [[f"`{first}`", *("✓" for _ in TRACKS)] for first in TRACKS]
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def test_the_docs_show_the_pairs():
    """The table of the docs has all pairs that are tested here."""
    print(table())
    assert table() in (Path(ROOT) / "docs" / "adapters.md").read_text()


@pytest.mark.parametrize(("first", "second"), list(product(TRACKS, TRACKS)))
async def test_a_conversation_goes_on(first, second, tmp_path):
    """A model of one framework sees all that another's agent said, called and got, in order."""
    store = SQLiteStore(tmp_path / "chat.db")
    said = await begins(made(first, store.session("s")))
    track = made(second, store.session("s"))
    await asks(track, "And now?", Step("Later."))
    assert track[1].seen == [*said, Text("user", "And now?")]
    await store.close()


async def test_a_conversation_hops_through_all(tmp_path):
    """One conversation goes through all frameworks, forth and back, and each sees all of it."""
    store = SQLiteStore(tmp_path / "chat.db")
    said = []
    for number, name in enumerate([*TRACKS, *reversed(TRACKS)]):
        track = made(name, store.session("s"))
        turn = await begins(track, number)
        assert track[1].seen == [*said, *turn[:-1]]
        said += turn
    await store.close()


@pytest.mark.parametrize("seed", range(4))
async def test_a_conversation_hops_at_random(seed, tmp_path):
    """In whatever order frameworks take turns, each sees all that was said before."""
    store = SQLiteStore(tmp_path / "chat.db")
    said = []
    for number, name in enumerate(random.Random(seed).choices(TRACKS, k=12)):
        track = made(name, store.session("s"))
        turn = await begins(track, number)
        assert track[1].seen == [*said, *turn[:-1]]
        said += turn
    await store.close()

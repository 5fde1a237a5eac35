"""How tokens are counted."""

import sys

import pytest
import tiktoken

from memwrap import ConfigurationError, InMemorySession, with_session
from memwrap.items import assistant, user
from memwrap.middleware import Trim
from memwrap.testing import ScriptedAgent
from memwrap.tokens import counter_for


class Words:
    """An encoding that needs no table."""

    def encode_ordinary(self, text):
        return text.split()


@pytest.fixture
def words(monkeypatch):
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: Words())


def test_an_encoding_by_name(words):
    """The texts that a model reads are encoded, and neither ids nor hidden data."""
    count = counter_for("o200k_base")
    bare = count({"role": "user", "content": "one two three"})
    assert bare == 3 + 4
    parts = [{"type": "input_text", "text": "one two"}, {"type": "input_text", "text": "three"}]
    assert count({"role": "user", "id": "a b c d", "content": parts}) == bare
    hidden = {"role": "user", "content": "one two three", "provider_data": {"x": "a b c"}}
    assert count(hidden) == bare
    call = {"type": "function_call", "call_id": "a b", "name": "f", "arguments": "one two"}
    assert count(call) == 1 + 2 + 4


def test_characters():
    """A quarter of the characters is a guess that has to be asked for by name."""
    assert counter_for("chars/4")(user("x" * 400)) == 104


async def test_each_item_is_counted_once():
    """A turn counts its new items; the past has been counted by the turns before."""
    counted = []

    def count(item):
        counted.append(item["content"])
        return 1

    script = ScriptedAgent(*(f"a{n}" for n in range(10)))
    agent = with_session(script, middleware=[Trim(max_tokens=1000, count_tokens=count)])
    session = InMemorySession("s")
    for n in range(10):
        await agent(f"q{n}", session=session)
    assert sorted(counted) == sorted([*(f"q{n}" for n in range(10)), *(f"a{n}" for n in range(9))])


def test_the_counts_are_bounded(monkeypatch):
    """Of endless different items not all counts are kept."""
    monkeypatch.setattr("memwrap.tokens._MOST_COUNTS", 5)
    counted = []
    count = counter_for(lambda item: counted.append(item) or 1)
    for n in range(9):
        count(user(f"{n}"))
    count(user("8"))
    assert len(counted) == 9
    count(user("0"))
    assert len(counted) == 10


def test_a_table_that_cannot_be_had(monkeypatch):
    """Without its table an encoding is refused at decoration, and the ways are named."""

    def offline(name):
        raise ConnectionError("https://secret.example")

    monkeypatch.setattr(tiktoken, "get_encoding", offline)
    with pytest.raises(ConfigurationError, match="TIKTOKEN_CACHE_DIR") as caught:
        Trim(max_tokens=5, count_tokens="o200k_base")
    assert "chars/4" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_wrong_counters(monkeypatch):
    """What is no counter is refused, and the message says what is one."""
    with pytest.raises(ConfigurationError, match="is no encoding of tiktoken, which has .*o200k"):
        counter_for("gpt-9")
    with pytest.raises(ConfigurationError, match="not int"):
        counter_for(4)
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'memwrap\[tokens\]'"):
        counter_for("o200k_base")


async def test_an_odd_object_is_counted_all_the_same():
    """What a layer put into the history need not be JSON."""
    assert counter_for(lambda item: 7)({"role": "user", "content": object()}) == 7
    assert counter_for("chars/4")(assistant("x" * 8)) == 6

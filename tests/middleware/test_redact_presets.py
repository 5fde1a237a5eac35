"""Personal data that is known by its form, and what stands in its place."""

import pickle
import re
import sys
import time

import pytest

from memwrap import ConfigurationError, GuardViolation, TurnError, with_session
from memwrap.items import assistant, text_of, user
from memwrap.middleware import Memory, Redact
from memwrap.testing import ScriptedAgent

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/=\n-----END RSA PRIVATE KEY-----"

FOUND = [
    ("email", "ada@example.org", "mail <{}>, please"),
    ("email", "ada.l+x@mail.example.co.uk", "({})"),
    ("email", "ädä@exämple.de", "an {}."),
    ("credit_card", "4111111111111111", "card {}."),
    ("credit_card", "4111 1111 1111 1111", "card {} 12/29"),
    ("credit_card", "5500-0000-0000-0004", "12 {}"),
    ("credit_card", "378282246310005", "{}, thanks"),
    ("iban", "DE89370400440532013000", "to {}."),
    ("iban", "GB82 WEST 1234 5698 7654 32", "{} and more"),
    ("iban", "gb82west12345698765432", "{}"),
    ("ip", "192.168.0.1", "at {}."),
    ("ip", "10.0.0.1", "http://{}:8080/x"),
    ("ip", "2001:db8::ff00:42:8329", "[{}]"),
    ("phone", "+49 30 1234567", "call {}!"),
    ("phone", "+1 (415) 555-2671", "{}"),
    ("phone", "415-555-2671", "call {} now"),
    ("phone", "0049301234567", "{}"),
    ("secret", "sk-proj-abcdefgh12345678ABCD", "key {}"),
    ("secret", "ghp_" + "a1B2" * 9, "{}"),
    ("secret", "AKIAIOSFODNN7EXAMPLE", "id {},"),
    ("secret", "xoxb-1234567890-abcdef", "{}"),
    ("secret", "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", "{}"),
    ("secret", PEM, "{}"),
    ("secret", "hunter2!", "my password is {}"),
    ("secret", "hunter2!", "PASSWORD={}"),
    ("secret", "abcdefghijklmnop", "Authorization: Bearer {}"),
]

NOT_FOUND = [
    ("email", "a @ b, x@y, @ada"),
    ("credit_card", "4111111111111112 and 0000000000000000 and 1234567890123"),
    ("credit_card", "an order of 2024-01-01 10:00:00 1700000000000"),
    ("iban", "DE89370400440532013001 and AB12"),
    ("ip", "at 12:30, version 1.2.3, 300.1.1.1, Class::method"),
    ("phone", "in 2024-01-01, 10 000 000 people, 3.14159265"),
    ("secret", "the token is new, a password? sk-1"),
]


async def seen(layer, text):
    """Return what an agent sees of a text."""
    script = ScriptedAgent("ok")
    await with_session(script, middleware=[Memory(), layer])(text, session=None)
    return text_of(script.calls[0][0])


@pytest.mark.parametrize(("kind", "value", "around"), FOUND)
async def test_presets_find(kind, value, around):
    """A preset finds its kind of data, all of it and nothing around it."""
    assert await seen(Redact(kind), around.format(value)) == around.format("[REDACTED]")


@pytest.mark.parametrize(("kind", "text"), NOT_FOUND)
async def test_presets_do_not_find(kind, text):
    """What only looks like it stays."""
    assert await seen(Redact(kind), text) == text


async def test_presets_and_expressions_together(session):
    """Presets, expressions and detectors are looked for by one layer, in what is stored too."""
    layer = Redact("email", [r"\d{4}", "ip"], detector=lambda text: [(0, 2)])
    script = ScriptedAgent("write to bob@example.org")
    await with_session(script, middleware=[layer])("Hm ada@example.org 1234", session=session)
    assert await session.get_items() == [
        user("[REDACTED] [REDACTED] [REDACTED]"),
        assistant("[REDACTED]ite to [REDACTED]"),
    ]


@pytest.mark.parametrize(
    ("kind", "text", "masked"),
    [
        ("credit_card", "4111 1111 1111 1111", "**** **** **** 1111"),
        ("email", "ada@example.org", "***@******e.org"),
        ("secret", "password: abcdef", "password: ******"),
    ],
)
async def test_mask(kind, text, masked):
    """Masked data shows its last four signs, if they are a small part of it."""
    assert await seen(Redact(kind, strategy="mask"), text) == masked


async def test_hash():
    """The same value has the same digest under one key, and another under another."""
    layer = Redact("email", strategy="hash", secret=b"one")
    first = await seen(layer, "ada@example.org")
    assert re.fullmatch(r"\[email:[0-9a-f]{16}\]", first)
    same = Redact("email", strategy="hash", secret=b"one")
    assert await seen(same, "ada@example.org") == first
    assert await seen(layer, "bob@example.org") != first
    assert await seen(Redact("email", strategy="hash"), "ada@example.org") != first


async def test_block(session):
    """With `block` a turn that holds such data does not happen, and the error quotes nothing."""
    script = ScriptedAgent("mail ada@example.org", "fine", "fine")
    agent = with_session(script, middleware=[Redact("email", strategy="block")])
    for text in ("ada@example.org", "harmless, but the answer is not"):
        with pytest.raises(GuardViolation, match="email") as caught:
            await agent(text, session=session)
        assert "ada" not in str(caught.value)
    assert await session.get_items() == []
    assert len(script.calls) == 1
    await session.add_items([user("from before: ada@example.org")])
    assert await agent("go on", session=session) == "fine"


class Result:
    def __init__(self, start, end):
        self.start, self.end = start, end


@pytest.mark.parametrize(
    "found", [[(3, 6)], [{"start": 3, "end": 6}], [Result(3, 6)], [(4, 6), (3, 5), (3, 6)]]
)
async def test_detectors(found):
    """A detector tells places by pairs, mappings or objects; they may overlap."""
    assert await seen(Redact(detector=lambda text: found, replacement="_"), "Hi Ada!") in {
        "Hi _!",
        "Hi __!",
        "Hi ___!",
    }


async def test_failing_detector_keeps_the_agent_out(session):
    """What a detector raises refuses the turn, without its text."""

    def fail(text):
        raise LookupError(f"no model for {text}")

    script = ScriptedAgent()
    with pytest.raises(TurnError, match="LookupError") as caught:
        await with_session(script, middleware=[Redact(detector=fail)])("hush", session=session)
    assert "hush" not in str(caught.value)
    assert script.calls == []


FOREVER = ["(a+)+$", "(a|aa)+$", "(a?a){2,50}$", "((?:a+)*)*$", re.compile("(A+)+$", re.IGNORECASE)]


@pytest.mark.parametrize("pattern", FOREVER)
async def test_expressions_that_backtrack_for_ever_are_bounded(pattern):
    """An expression that would look for hours refuses the turn after its time."""
    begun = time.monotonic()
    with pytest.raises(TurnError, match="TimeoutError"):
        await seen(Redact(pattern, timeout=0.05), "a" * 5000 + "!")
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("pattern", FOREVER)
def test_expressions_that_nobody_bounds_are_refused(pattern, monkeypatch):
    """Without regex such an expression is refused, and what installs it is named."""
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(ConfigurationError, match=r"memwrap\[redact\]"):
        Redact(pattern)
    for harmless in (
        r"sk-\w+",
        r"\d+-\d+",
        r"[(*+)]+x",
        r"\(a+\)+",
        r"(a+)b",
        r"(?:ab)+",
        r"(?i:x)*",
        r"a?b",
    ):
        Redact(harmless)


@pytest.mark.parametrize("kind", ["email", "credit_card", "iban", "ip", "phone", "secret"])
@pytest.mark.parametrize(
    "part",
    ["a", "1", "1 ", "a.", "a@", "a@a.", "DE89 ", "+1-", "1:", "-----BEGIN ", "eyJa.", "sk-"],
)
async def test_presets_are_quick_on_long_texts(kind, part):
    """No text makes a preset look for long."""
    begun = time.monotonic()
    await seen(Redact(kind), part * (20_000 // len(part)))
    assert time.monotonic() - begun < 5


def test_layers_can_be_pickled():
    """A layer goes to other processes with what it looks for."""
    layer = pickle.loads(pickle.dumps(Redact("email", r"sk-\w+", r"(a+)+$")))
    assert layer._redact([user("ada@example.org sk-1")]) == [user("[REDACTED] [REDACTED]")]


@pytest.mark.parametrize(
    ("args", "options", "says"),
    [
        ((), {}, "needs a pattern"),
        (("x",), {"strategy": "drop"}, "strategy"),
        (("x",), {"timeout": 0}, "timeout"),
        (("x",), {"secret": "text"}, "secret"),
        ((str.upper,), {"strategy": "mask"}, "detector="),
        ((3,), {}, "no regular expression"),
        ((), {"detector": 3}, "detector"),
    ],
)
def test_wrong_options_are_refused(args, options, says):
    """What an option cannot be is told when the layer is made."""
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        Redact(*args, **options)

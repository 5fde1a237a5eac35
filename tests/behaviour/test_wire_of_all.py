"""What any dialect wrote, odd messages and all, goes to each API in a form that it takes."""

import importlib
import json
import random
import re
from itertools import product

import pytest
from agents import set_tracing_disabled
from corpus.readers import READERS

from memwrap import InMemoryStore
from memwrap.adapters import NAMES
from memwrap.hidden.sidecar import settled
from memwrap.middleware import Trim

set_tracing_disabled(True)

# Where the corpora of the adapters keep odd messages, and conversations of them.
KEPT = ("MESSAGES", "CONVERSATIONS", "CONTENTS", "EVENTS")

# What clients refuse whatever the conversation: half characters, numbers that are none, files and
# sound that some models do not take, empty outputs (one framework makes an empty block of them),
# and hosts that are not there.
OF_CLIENTS = re.compile(
    r'"output": ""|"input_audio"|"input_file"|\\ud[89ab]|NaN|Infinity|https?://(a|x)\.'
)


ODD = re.compile("role|everything|^no |odd|compact")


def paints(item):
    """Tell whether instructions show a picture, which LangChain hands on to models as it is."""
    return item.get("role") in ("developer", "system") and "input_image" in json.dumps(item)


def odd(name):
    """Yield the conversations of an adapter's corpus, as items.

    Left out is what the dialect's own API does not take: other speakers, parts of several kinds.
    """
    module = importlib.import_module(f"corpus.{name}")
    corpus = module.CORPUS
    said = [corpus.text, corpus.tools, corpus.rich]
    for kept in KEPT:
        said += [one for title, one in getattr(module, kept, {}).items() if not ODD.search(title)]
    for one in said:
        several = one if isinstance(one, (list, dict)) else [one]
        found = (settled(corpus.adapter.to_items(several, role=r)) for r in ("user", "assistant"))
        items = next(filter(None, found), [])
        if items and not OF_CLIENTS.search(json.dumps(items)) and not any(map(paints, items)):
            yield items


WRITERS = {name: list(odd(name)) for name in sorted(NAMES)}


# Odd parts of Gemini's own go back to it as they came, whether it takes them or not.
PAIRS = [pair for pair in product(READERS, WRITERS) if pair != ("gemini", "genai")]


@pytest.mark.parametrize(("reader", "writer"), PAIRS)
async def test_nothing_is_refused(reader, writer, api):
    """Odd messages of any dialect, in any order and cut anywhere, go on with each client."""
    chance = random.Random(f"{writer}")
    store = InMemoryStore()
    said = WRITERS[writer]
    for layers in ([], [Trim(max_items=7)]):
        agent, refused = READERS[reader](api, store=store, middleware=layers)
        for number, items in enumerate(chance.sample(said, k=min(len(said), 12))):
            session = store.session(f"{len(layers)}")
            await session.add_items(items)
            await agent([{"role": "user", "content": "Next?"}], session=session)
            assert refused() == [], number

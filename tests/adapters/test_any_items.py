"""Whatever items stores hold, adapters of frameworks show them, and read what they showed."""

import json

import pytest
from corpus.strategies import items
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memwrap.adapters import agent_framework, strands
from memwrap.items import text_of


def texts(found):
    return [text_of(item) for item in found if item.get("role") in ("user", "assistant")]


@pytest.mark.parametrize("adapter", [agent_framework, strands], ids=lambda one: one.__name__)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(items, max_size=5))
def test_any_items_are_shown(adapter, kept):
    """Items of any kind make messages, and these make items that a store can keep."""
    messages = adapter.from_items(kept)
    again = json.loads(json.dumps(adapter.to_items(messages)))
    assert [text for text in texts(again) if text.strip()] == [
        text for text in texts(adapter.to_items(adapter.from_items(again))) if text.strip()
    ]

"""Graphs whose model may be of any provider: an adapter to pass to `memwrap.with_session`.

As `memwrap.adapters.langgraph`, with the messages of `memwrap.adapters.langchain.portable`.
"""

from collections.abc import Sequence
from typing import Any

from memwrap.adapters.langchain import portable
from memwrap.adapters.langgraph import graphs
from memwrap.adapters.langgraph.state import State, answer, state_of, to_items
from memwrap.dialects import Methods
from memwrap.items import Item

__all__ = ["answer", "from_items", "methods", "to_items"]


def from_items(items: Sequence[Item], /) -> State:
    """Turn items into a state with messages of text, images, files and calls."""
    return state_of(portable.from_items(items))


def methods(agent: Any) -> Methods | None:
    """Return how a graph is run; None for other objects."""
    return graphs.methods(agent, from_items=from_items)

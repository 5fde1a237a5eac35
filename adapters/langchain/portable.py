"""LangChain messages for models of any provider: an adapter to pass to `memwrap.with_session`.

As `memwrap.adapters.langchain`, but for the way back: reasoning, hosted tools' blocks, ids and
annotations stay out of the content, since other providers than the one they came from refuse them.
"""

from collections.abc import Sequence
from typing import Any

from memwrap.adapters.langchain.convert import from_items as _from_items
from memwrap.adapters.langchain.convert import to_items
from memwrap.adapters.langchain.runnables import answer, methods
from memwrap.items import Item

__all__ = ["answer", "from_items", "methods", "to_items"]


def from_items(items: Sequence[Item], /) -> list[Any]:
    """Turn items into messages of text, images, files and calls."""
    return _from_items(items, style="portable")

"""The contract that memwrap ships for adapters: its own keep it."""

import importlib

from support import comparable

from memwrap.adapters import NAMES
from memwrap.testing import AdapterContract

IN_STATES = {"langgraph"}  # LangChain's messages, in a state
SENT = {"plain"}  # items as the API takes them, without what it sent besides


def same(contract, one, other):
    """Tell whether messages are equal, also those of classes that do not compare."""
    return comparable(one) == comparable(other)


def contract(name):
    """Return the contract for the adapter of that name, with the messages of its corpus."""
    corpus = importlib.import_module(f"corpus.{name}").CORPUS
    messages = [*corpus.text, *corpus.tools, *([] if name in SENT else corpus.rich)]
    fields = {"adapter": corpus.adapter, "messages": messages, "same": same}
    fields |= {"opening": corpus.opening}
    return type(f"Test_{name}", (AdapterContract,), fields)


globals().update({f"Test_{name}": contract(name) for name in sorted(NAMES - IN_STATES)})

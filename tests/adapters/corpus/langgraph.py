"""States of LangGraph's graphs, with LangChain's messages."""

from corpus import langchain
from corpus.contract import SECRET, Corpus
from langchain_core.messages import AIMessage

from memwrap.adapters import langgraph


class _Layered(dict):
    """A state as a layer would make it, of which nobody can tell what is new."""


CORPUS = Corpus(
    langgraph,
    text={"messages": langchain.CORPUS.text},
    tools={"messages": langchain.CORPUS.tools},
    rich={"messages": langchain.CORPUS.rich},
    malformed=[{"messages": [{"content": SECRET}]}, [_Layered(messages=[AIMessage(SECRET)])]],
    sends_to_provider=False,
)

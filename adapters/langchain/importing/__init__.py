"""Conversations that LangChain's chat histories have stored, brought into a store of memwrap's."""

from memwrap.adapters.langchain.importing.importer import import_histories
from memwrap.adapters.langchain.importing.report import ImportReport

__all__ = ["ImportReport", "import_histories"]

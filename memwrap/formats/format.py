"""What a format is: how conversations are written as text, and read again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from memwrap.dialects import Adapter
from memwrap.exceptions import ConfigurationError, ConversionError
from memwrap.foreign import converted
from memwrap.formats.conversation import Conversation
from memwrap.formats.documents import values_of
from memwrap.formats.losses import differences
from memwrap.hidden.data import without_hidden
from memwrap.items import Item

__all__ = ["Format", "read_documents", "shown_by"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format of conversations.

    Attributes:
        name: The name of the format.
        suffix: What names of its files end with.
        write: Yields the text of one conversation, piece by piece.
        read: Yields the conversations in lines of text; None if the format is for people's eyes.
    """

    name: str
    suffix: str
    write: Callable[[Conversation], Iterable[str]]
    read: Callable[[Iterable[str]], Iterator[Conversation]] | None = None

    @property
    def reads(self) -> bool:
        """Whether what is written can be read again."""
        return self.read is not None

    def dump(self, conversations: Iterable[Conversation]) -> Iterator[str]:
        """Yield the text of conversations, piece by piece.

        Raises:
            ConversionError: An item is damaged.
        """
        for conversation in conversations:
            yield from self.write(conversation)

    def load(self, lines: Iterable[str]) -> Iterator[Conversation]:
        """Yield the conversations in lines of text; one that has no id in it has the id ``""``.

        Raises:
            ConfigurationError: The format cannot be read.
            ConversionError: The text is not of this format.
        """
        if self.read is None:
            raise ConfigurationError(f"{self.name} is made for people to read: it has no way back")
        return self.read(lines)

    def losses(self, conversation: Conversation) -> list[str]:
        """Return a sentence, without content, for each thing that the format does not keep.

        What is written is read again and compared.
        """
        if self.read is None:
            return [f"{self.name} is made for people to read: nothing comes back"]
        text = StringIO("".join(self.write(conversation)), newline="\n")
        return differences(conversation, next(self.read(text), Conversation("", [])))


def shown_by(adapter: Adapter, items: Sequence[Item]) -> Any:
    """Return what an adapter makes of items, without those that it cannot read."""
    try:
        return adapter.from_items(items)
    except ConversionError:
        return adapter.from_items([item for item in items if _is_readable(adapter, item)])


def _is_readable(adapter: Adapter, item: Item) -> bool:
    try:
        adapter.from_items([item])
    except ConversionError:
        return False
    return True


def read_documents(
    lines: Iterable[str],
    key: str,
    to_items: Callable[[Mapping[str, Any]], list[Item]],
    *also: str,
) -> Iterator[Conversation]:
    """Yield the conversations of a format that has a document of JSON for each.

    A list of documents is read too, and a list of what lies under the key, without the key. Hidden
    data is left out: it comes from strangers.

    Args:
        lines: The text.
        key: Under which a document has the conversation.
        to_items: Returns the items of a document.
        also: Other names of that key.

    Raises:
        ConversionError: A line has no such document.
    """
    keys = (key, *also)
    for number, value in values_of(lines):
        path = f"line {number}"
        for document in _documents(value, keys, path):
            try:
                items = converted(to_items, document)
            except ConversionError as exc:
                raise ConversionError(exc.args[0], path=f"{path}, {exc.path}") from exc
            id = document.get("session_id", document.get("id"))
            yield Conversation(id if isinstance(id, str) else "", without_hidden(items))


def _documents(value: Any, keys: tuple[str, ...], path: str) -> list[Mapping[str, Any]]:
    """Return the documents in a value, each with the conversation under the first of the keys."""
    if isinstance(value, list) and not any(_key_of(one, keys) for one in value):
        return [{keys[0]: value}]
    found = []
    for document in value if isinstance(value, list) else [value]:
        key = _key_of(document, keys)
        if key is None or not isinstance(document[key], list):
            raise ConversionError(f"a document has a list of `{keys[0]}`", path=path)
        found.append(document if key == keys[0] else {**document, keys[0]: document[key]})
    return found


def _key_of(document: Any, keys: tuple[str, ...]) -> str | None:
    if not isinstance(document, Mapping):
        return None
    return next((key for key in keys if key in document), None)

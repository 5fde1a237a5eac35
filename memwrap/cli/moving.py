"""``memwrap export`` and ``memwrap import``: conversations in files, in the formats of others."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import click

from memwrap.cli import common
from memwrap.cli.codes import DAMAGED, NOTHING
from memwrap.cli.output import clean, is_terminal, line, print_json, talk
from memwrap.cli.reading import listed
from memwrap.exceptions import ConfigurationError, ConversionError
from memwrap.formats import (
    FORMATS,
    Format,
    format_of,
    read_conversation,
    write_conversation,
)
from memwrap.sessions.database_store import DatabaseStore

__all__ = ["export", "import_"]

_LONGEST_NAME = 150


@click.command()
@click.argument("session_ids", metavar="[ID]...", nargs=-1)
@click.option("--format", "name", default="jsonl", show_default=True, help="The format.")
@click.option("-o", "--output", help="A file, or a folder, for a file each; otherwise stdout.")
@click.option("--prefix", default="", help="All whose ids begin with it.")
@click.option("--check", is_flag=True, help="End with 3 if the format cannot hold all.")
@common.as_json
@common.quiet
@common.in_store("read")
async def export(
    store: DatabaseStore,
    *,
    session_ids: tuple[str, ...],
    name: str,
    output: str | None,
    prefix: str,
    check: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Write the conversations ID, or all, in a format.

    What the format cannot hold is told on stderr.
    """
    written = _Written(store, _format(name), as_json=as_json, quiet=quiet, output=output)
    ids = _ids(store, session_ids, prefix)
    with common.progress("conversations") as tell:
        if output is not None and _is_folder(output):
            os.makedirs(output, exist_ok=True)  # noqa: PTH103  (nobody else waits for the loop)
            async for session_id in ids:
                name = _file_name(session_id) + written.format.suffix
                with _whole_file(str(Path(output) / name)) as out:
                    await written.write(session_id, out)
                tell(written.count)
        else:
            with _whole_file(output) as out:
                async for session_id in ids:
                    await written.write(session_id, out)
                    tell(written.count)
    if not written.count:
        return common.nothing("no conversation found")
    return DAMAGED if check and written.has_losses else 0


class _Written:
    """What has been written, and what was lost."""

    def __init__(
        self,
        store: DatabaseStore,
        format: Format,
        *,
        as_json: bool,
        quiet: bool,
        output: str | None,
    ) -> None:
        self.format = format
        self.count = 0
        self.has_losses = False
        self._store = store
        self._as_json = as_json
        self._quiet = quiet
        self._is_file = output not in (None, "-")

    async def write(self, session_id: str, out: TextIO) -> None:
        """Write a conversation."""
        conversation = await read_conversation(self._store, session_id)
        if conversation is None:  # removed meanwhile
            return
        self.count += 1
        for loss in self.format.losses(conversation):
            self.has_losses = True
            talk(f"{session_id}: {loss}")
        is_shown = out is sys.stdout and is_terminal()
        pieces = self.format.dump([conversation])
        out.writelines(clean(piece, lines=True) if is_shown else piece for piece in pieces)
        if self._is_file and self._as_json:
            print_json({"session_id": session_id, "items": len(conversation.items)})
        elif self._is_file and self._quiet:
            line(clean(session_id))


async def _ids(
    store: DatabaseStore, session_ids: tuple[str, ...], prefix: str
) -> AsyncIterator[str]:
    """Yield the ids that were asked for, or those of all sessions.

    Raises:
        UsageError: One of them is not there.
    """
    for session_id in session_ids:
        if await store.info(session_id) is None:
            talk(f"there is no conversation {session_id!r}")
            raise click.exceptions.Exit(NOTHING)
        yield session_id
    if not session_ids:
        async for info in listed(store, prefix=prefix):
            yield info.session_id


def _is_folder(path: str) -> bool:
    return path.endswith(os.sep) or Path(path).is_dir()


def _file_name(session_id: str) -> str:
    """Return a file's name for an id, which may be any text."""
    name = quote(session_id, safe=" @+=,")
    name = name.replace(".", "%2E", 1) if name.startswith(".") else name
    if len(name) <= _LONGEST_NAME:
        return name
    return name[:_LONGEST_NAME] + "-" + hashlib.sha256(session_id.encode()).hexdigest()[:16]


@contextmanager
def _whole_file(path: str | None) -> Iterator[TextIO]:
    """Give a file to write to, which takes its place when it is whole; stdout for None."""
    if path is None or path == "-":
        yield sys.stdout
        return
    target = Path(path)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:50]}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@click.command("import")
@click.argument("file", metavar="FILE")
@click.option("--format", "name", help="The format; otherwise the file's name or content tells.")
@click.option("--as", "new_id", metavar="ID", help="The id, if there is one conversation.")
@common.as_json
@common.quiet
@common.in_store("make")
async def import_(
    store: DatabaseStore,
    *,
    file: str,
    name: str | None,
    new_id: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Read conversations from FILE (- for stdin) into the store.

    Doing it again adds nothing; a conversation that has other items is left as it is.
    """
    with _lines(file) as lines:
        shape, text = _format_of(name, lines)
        count = 0
        for conversation in shape.load(text):
            count += 1
            if new_id is not None and count > 1:
                raise click.UsageError(f"--as {new_id!r}: there is more than one conversation")
            added = await write_conversation(store, conversation, id=new_id)
            session_id = new_id or conversation.id
            if as_json:
                print_json({"session_id": session_id, "items": added})
            elif quiet:
                line(clean(session_id))
            else:
                line(f"{clean(session_id)}  {added} items added")
    return 0 if count else common.nothing("there is no conversation in the file")


@contextmanager
def _lines(file: str) -> Iterator[Iterator[str]]:
    if file == "-":
        yield iter(sys.stdin)
        return
    with Path(file).open(encoding="utf-8") as opened:
        yield iter(opened)


def _format(name: str) -> Format:
    """Return the format of a name.

    Raises:
        ConfigurationError: There is none.
    """
    if name not in FORMATS:
        raise ConfigurationError(f"there is no format {name!r}; there are: {', '.join(FORMATS)}")
    return FORMATS[name]


def _format_of(name: str | None, lines: Iterator[str]) -> tuple[Format, Iterator[str]]:
    """Return the format of a file, by its name or by what it begins with, and all its lines.

    Raises:
        ConversionError: Nobody knows which it is.
    """
    if name is not None:
        return _format(name), lines
    begin = list(islice(lines, 1))
    try:
        return format_of(begin), chain(begin, lines)
    except ConversionError:  # a document on many lines
        begin += lines
    return format_of(begin), iter(begin)

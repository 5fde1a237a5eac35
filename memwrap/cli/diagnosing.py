"""``memwrap doctor``: what is installed, and how the store is."""

from __future__ import annotations

import platform
import sqlite3
import stat
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import click

from memwrap.cli import common
from memwrap.cli.codes import UNOPENED, USAGE
from memwrap.cli.output import clean, line, print_json
from memwrap.exceptions import MemwrapError, StoreError
from memwrap.sessions.sqlite.migrate import MIGRATIONS
from memwrap.sessions.sqlite.reading import ReadingBackend
from memwrap.sessions.urls import file_of

__all__ = ["doctor"]

_EXTRAS = {
    "cli": ("click", "rich"),
    "postgres": ("asyncpg",),
    "redis": ("redis",),
    "web": ("starlette", "uvicorn", "jinja2"),
    "crypto": ("cryptography",),
}
_FIRST_YEAR = 2025
_WAL_AT = 18  # where a SQLite file has the kind of its log
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class _Line(NamedTuple):
    """What was looked at.

    Attributes:
        name: What it is.
        is_well: Whether it is as it should be.
        text: How it is, and what to do if it is not well.
    """

    name: str
    is_well: bool
    text: str


@click.command()
@click.option("--store", "url", envvar="MEMWRAP_STORE", metavar="URL", help="The store, if any.")
@common.as_json
@common.quiet
@click.pass_context
def doctor(ctx: click.Context, *, url: str | None, as_json: bool, quiet: bool) -> int:
    """Tell versions, extras, and whether the store is reachable and well set up."""
    url = url or ctx.find_root().obj
    found = _of_program()
    code = 0
    if url:
        lines, code = common.on_loop(_of_store)(common.url_of(url))
        found += lines
    for one in found:
        if as_json:
            print_json(one._asdict())
        elif not quiet:
            line(f"{'ok ' if one.is_well else '!  '} {one.name:<12} {clean(one.text)}")
        elif not one.is_well:
            line(one.name)
    return code


def _of_program() -> list[_Line]:
    """Return what there is without a store."""
    year = time.gmtime().tm_year
    found = [
        _Line("memwrap", True, _version("memwrap") or "unknown"),
        _Line("python", True, f"{platform.python_version()} ({sys.platform})"),
        _Line("sqlite", sqlite3.sqlite_version_info >= (3, 35), sqlite3.sqlite_version),
        _Line("clock", year >= _FIRST_YEAR, time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())),
    ]
    for extra, packages in _EXTRAS.items():
        versions = {package: _version(package) for package in packages}
        missing = [package for package, there in versions.items() if there is None]
        text = ", ".join(f"{package} {there}" for package, there in versions.items() if there)
        if missing:
            text = f'not installed: pip install "memwrap[{extra}]"'
        found.append(_Line(f"[{extra}]", True, text))
    return found


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


async def _of_store(url: str) -> tuple[list[_Line], int]:
    """Return how a store is, and the exit code."""
    try:
        async with common.opened(url) as store:
            began = time.monotonic()
            await store.setup()
            await store.sessions(limit=1)
            milliseconds = (time.monotonic() - began) * 1000
            found = [_Line("store", True, f"{type(store).__name__}, {milliseconds:.0f} ms")]
            found += _of_file(file_of(url))
            if isinstance(store.backend, ReadingBackend):
                number = await store.backend.version()
                is_new = number == len(MIGRATIONS)
                text = str(number) if is_new else f"{number}; the next write makes it newer"
                found.append(_Line("schema", is_new, text))
            durability = await store.durability()
            text = f"{durability}: what is told to be stored survives {_SURVIVES[durability]}"
            found.append(_Line("durability", durability != "none", text))
            return found, 0
    except StoreError as exc:
        return [_Line("store", False, str(exc))], UNOPENED
    except MemwrapError as exc:
        return [_Line("store", False, str(exc))], USAGE


_SURVIVES = {"power": "a power cut", "process": "a killed process", "none": "nothing"}


def _of_file(path: str | None) -> list[_Line]:
    """Return how a SQLite file lies on the disk."""
    if path is None:
        return []
    found = []
    for suffix in ("", "-wal", "-shm"):
        file = Path(path + suffix)
        if not file.exists():
            continue
        status = file.stat()
        mode = stat.S_IMODE(status.st_mode)
        text = f"{mode:o}, {status.st_size:,} bytes"
        if mode & _OTHERS:
            text += f"; others can open it: chmod 600 {path + suffix}"
        found.append(_Line(f"file{suffix}", not mode & _OTHERS, text))
    with Path(path).open("rb") as opened:
        is_wal = opened.read(_WAL_AT + 1)[_WAL_AT:] == b"\2"
    text = "wal" if is_wal else "no log yet; it becomes wal when memwrap first writes"
    found.append(_Line("journal", is_wal, text))
    return found

"""What all commands share: the store, the answer to a question, and work on an event loop."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import click

from memwrap.cli.codes import NOTHING
from memwrap.cli.output import talk
from memwrap.exceptions import ConfigurationError, StoreError
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.urls import file_of, store_from_url

__all__ = [
    "as_json",
    "ask",
    "check_file",
    "count",
    "everything",
    "in_store",
    "nothing",
    "on_loop",
    "opened",
    "progress",
    "quiet",
    "seconds_of",
    "shows_progress",
    "since_time",
    "store",
    "url_of",
]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

Use = Literal["read", "change", "make"]
"""What a store is opened for; to make is to change one that need not be there."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhdw])\Z")


def _with_store(ctx: click.Context, param: click.Parameter, value: str | None) -> str:  # noqa: ARG001
    url = value or ctx.find_root().obj
    if not url:
        raise click.UsageError("which store? Pass --store URL, or set MEMWRAP_STORE", ctx)
    return url_of(url)


store = click.option(
    *("--store", "url"),
    envvar="MEMWRAP_STORE",
    callback=_with_store,
    metavar="URL",
    help="The store: a URL, or the path of a SQLite file.  [env: MEMWRAP_STORE]",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, one object a line.")
quiet = click.option("-q", "--quiet", is_flag=True, help="Write ids only.")
everything = click.option("--yes", is_flag=True, help="Do not ask.")


def count(default: int | None, what: str) -> Callable[[F], F]:
    """Return the option ``-n``.

    Args:
        default: How many without it.
        what: What it counts, for the help.
    """
    return click.option(
        *("-n", "--limit", "limit"),
        type=click.IntRange(min=1),
        default=default,
        show_default=default is not None,
        help=what,
    )


def url_of(text: str) -> str:
    """Return the URL of a store; a text that is none is the path of a SQLite file."""
    if "://" in text:
        return text
    return f"sqlite:///{quote(os.fsencode(text), safe='/')}"


def on_loop(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Return a command that runs on an event loop of its own."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return asyncio.run(function(*args, **kwargs))

    return run


def check_file(url: str) -> None:
    """Raise an error if a store is a SQLite file that is not there.

    Raises:
        StoreError: There is no such file.
    """
    path = file_of(url)
    if path is not None and not os.path.exists(path):  # noqa: PTH110  (a path may be bytes)
        raise StoreError(f"SQLite file {path!r}: there is no such file; nothing was made")


@asynccontextmanager
async def opened(url: str, use: Use = "read", **options: Any) -> AsyncIterator[DatabaseStore]:
    """Open a store for the time of a block.

    Args:
        url: Its URL.
        use: What for; to be changed, a SQLite file has to be there.
        **options: Those of the store's class.

    Raises:
        StoreError: There is no such file.
        ConfigurationError: There is no such store.
    """
    if use != "make":
        check_file(url)
    if use == "read" and not url.lower().startswith("memory:"):
        options["read_only"] = True
    found = store_from_url(url, **options)
    try:
        yield found
    finally:
        await found.close(linger=0)


def in_store(use: Use) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Any]]:
    """Return what makes a command of a function that takes an open store first."""

    def make(function: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        @store
        @on_loop
        @wraps(function)
        async def run(*args: Any, url: str, **kwargs: Any) -> Any:
            async with opened(url, use) as found:
                return await function(found, *args, **kwargs)

        return run

    return make


def nothing(what: str) -> int:
    """Say that something was not found, and return the exit code for it."""
    talk(what)
    return NOTHING


def ask(question: str, *, yes: bool) -> None:
    """Ask before something is removed.

    Raises:
        UsageError: There is nobody to ask.
        Abort: The answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask in: pass --yes, or --dry-run to look")
    click.confirm(question, abort=True, err=True)


def seconds_of(text: str, name: str) -> float:
    """Return the seconds of a span such as ``7d``, ``12h``, ``30m``, ``2w`` or ``90s``.

    Raises:
        ConfigurationError: It is none.
    """
    found = _SPAN.match(text.strip())
    if found is None or not float(found[1]):
        raise ConfigurationError(f"{name} is a time such as 90s, 30m, 12h, 7d or 2w, not {text!r}")
    return float(found[1]) * _UNITS[found[2]]


def since_time(text: str | None) -> datetime | None:
    """Return the time that ``--since`` names: a span before now, or a date.

    Raises:
        ConfigurationError: It is neither.
    """
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        try:
            return datetime.now(UTC) - timedelta(seconds=seconds_of(text, "--since"))
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def shows_progress() -> bool:
    """Tell whether there is a terminal to show how far work is."""
    return sys.stderr.isatty()


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show on stderr how far long work is, if that is a terminal; give what tells so.

    Args:
        what: What is done.
        total: How many steps there are, if that is known.
    """
    if not shows_progress():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield lambda done: bars.update(task, completed=done)

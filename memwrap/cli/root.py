"""The group of all commands: each is imported when it is called, and errors are one line."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import click

from memwrap.cli.codes import BUSY, DAMAGED, INTERRUPTED, UNOPENED, USAGE
from memwrap.cli.output import clean, talk
from memwrap.exceptions import MemwrapError, SessionBusy, StoreError

__all__ = ["root"]

_COMMANDS = {
    "list": ("listing", "List conversations, the newest first."),
    "show": ("showing", "Show one conversation."),
    "search": ("searching", "Find conversations by words."),
    "tail": ("tailing", "Show turns as they are stored."),
    "export": ("moving", "Write conversations to a file."),
    "import": ("moving", "Read conversations from a file."),
    "copy": ("copying", "Copy all conversations to another store."),
    "verify": ("verifying", "Look for damage."),
    "stats": ("counting", "Count conversations, turns and tokens."),
    "undo": ("changing", "Remove the newest turns of a conversation."),
    "fork": ("changing", "Branch a conversation."),
    "update": ("changing", "Change title, tags, owner or metadata."),
    "purge": ("removing", "Remove what has expired or is old."),
    "erase": ("removing", "Remove all of an owner or a conversation."),
    "docs": ("pages", "Print a page of the documentation."),
    "serve": ("paging", "Serve a page in the browser."),
    "bundle": ("paging", "Write all conversations as pages."),
    "doctor": ("diagnosing", "Tell what is installed and how the store is."),
}
"""Of each command its module and what the list of commands says of it."""


class Root(click.Group):
    """The group; it finds commands by name, and turns errors into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of a name; None if there is none."""
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"memwrap.cli.{_COMMANDS[cmd_name][0]}")
        name = "import_" if cmd_name == "import" else "list_" if cmd_name == "list" else cmd_name
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002  (errors are told here, and nowhere else)
        **extra: Any,
    ) -> Any:
        """Run a command, and end the process with its exit code."""
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:  # what the terminal's encoding has not got is escaped
                reconfigure(errors="backslashreplace")
        run = partial(super().main, args, prog_name or "memwrap", complete_var)
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = _told  # type: ignore[assignment]  # places are left out
            sys.exit(_code(partial(run, standalone_mode=False, **extra)))


def _code(run: Callable[[], Any]) -> int:
    """Return the exit code of a run; say what went wrong."""
    try:
        result = run()
        sys.stdout.flush()
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except BrokenPipeError:
        _close_quietly()
        return 0
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except (click.ClickException, MemwrapError, OSError, ValueError) as exc:
        code, text = _told_of(exc)
        with contextlib.suppress(BrokenPipeError):
            talk(text)
        return code
    return result if isinstance(result, int) else 0


def _told_of(error: Exception) -> tuple[int, str]:
    """Return the exit code for an error, and what is said of it."""
    text = str(error)
    if isinstance(error, click.ClickException):
        ctx = getattr(error, "ctx", None)
        where = ctx.command_path if ctx else "memwrap"
        return USAGE, f"{error.format_message().rstrip('.')} (see {where} --help)"
    if isinstance(error, SessionBusy):
        return BUSY, text
    if isinstance(error, StoreError):
        return (BUSY if _is_busy(error.__cause__) else UNOPENED), text
    if isinstance(error, (OSError, UnicodeError)):
        name = getattr(error, "filename", None) or "the file"
        return USAGE, f"{name}: {getattr(error, 'strerror', None) or 'it is no UTF-8 text'}"
    if isinstance(error, MemwrapError):
        return USAGE, text
    return DAMAGED, "what is stored cannot be read; memwrap verify tells where"


def _is_busy(error: BaseException | None) -> bool:
    """Tell whether another program has the store: SQLite's codes for busy and locked."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {5, 6}


def _close_quietly() -> None:
    """Let nothing complain at the end that nobody reads the output any more."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _told(message: Warning | str, category: Any, *_: Any) -> None:
    if issubclass(category, UserWarning):
        talk(f"warning: {message}")


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=clean(
        "Exit codes: 0 ok, 1 nothing found, 2 wrong use, 3 damage found, 4 the store cannot be"
        " opened, 5 busy, 130 interrupted."
    ),
)
@click.version_option(package_name="memwrap", message="%(version)s")
@click.option("--store", "url", envvar="MEMWRAP_STORE", help="The store: a URL, or a SQLite file.")
@click.pass_context
def root(ctx: click.Context, url: str | None) -> None:
    """Conversations that memwrap has stored."""
    ctx.obj = url

"""``memwrap copy``: all conversations of a store, into another."""

from __future__ import annotations

import click

from memwrap.cli import common
from memwrap.cli.output import line, print_json
from memwrap.cli.reading import listed
from memwrap.sessions.copying import CopyReport
from memwrap.sessions.copying import copy as copy_all

__all__ = ["copy"]


@click.command()
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@click.option("--prefix", default="", help="Only conversations whose ids begin with it.")
@common.as_json
@common.quiet
@common.on_loop
async def copy(*, source: str, target: str, prefix: str, as_json: bool, quiet: bool) -> int:
    """Copy all conversations from the store SRC to the store DST.

    Items come byte by byte, with turns and all that is known; what has been stored is read again
    and compared. A copy that was interrupted goes on when it is called again.
    """
    source, target = common.url_of(source), common.url_of(target)
    async with common.opened(source, "read") as here, common.opened(target, "make") as there:
        total = None
        if common.shows_progress():
            total = sum([1 async for _ in listed(here, prefix=prefix)])
        with common.progress("conversations", total) as tell:

            def told(report: CopyReport) -> None:
                tell(report.sessions + report.skipped)

            report = await copy_all(here, there, prefix=prefix, progress=told)
    if as_json:
        print_json(report)
    elif quiet:
        pass  # the ids are those of the source
    else:
        line(
            f"{report.sessions} conversations copied, {report.items} items,"
            f" {report.skipped} were there already"
        )
    return 0

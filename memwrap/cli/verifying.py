"""``memwrap verify``: damage found, and told without any content."""

from __future__ import annotations

import click

from memwrap.cli import common
from memwrap.cli.codes import DAMAGED
from memwrap.cli.faults import Fault, faults_in
from memwrap.cli.output import clean, line, print_json, talk
from memwrap.cli.reading import listed
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.sqlite.reading import ReadingBackend

__all__ = ["verify"]


@click.command()
@click.argument("session_ids", metavar="[ID]...", nargs=-1)
@click.option("--prefix", default="", help="Only conversations whose ids begin with it.")
@common.as_json
@common.quiet
@common.in_store("read")
async def verify(
    store: DatabaseStore,
    *,
    session_ids: tuple[str, ...],
    prefix: str,
    as_json: bool,
    quiet: bool,
) -> int:
    """Look for damage in the conversations ID, or in all and in the store itself.

    Damaged rows, items that nobody can read, calls and outputs that stand alone, turns and lists
    that do not fit the rows. Nothing is changed. Ends with 3 if there is any.
    """
    said = _Said(as_json=as_json, quiet=quiet)
    for session_id in session_ids:
        info = await store.info(session_id)
        if info is None:
            return common.nothing(f"there is no conversation {session_id!r}")
        said.tell(await faults_in(store, info))
    if not session_ids:
        if isinstance(store.backend, ReadingBackend) and not prefix:
            found = await store.backend.faults()
            said.tell([Fault(name, "index", None, what) for name, what in found], of_store=True)
        await _look_at_all(store, prefix, said)
    if not said.faults:
        talk(f"{said.sessions} conversations, no damage found")
        return 0
    talk(f"{said.sessions} conversations, {said.faults} faults found")
    return DAMAGED


async def _look_at_all(store: DatabaseStore, prefix: str, said: _Said) -> None:
    with common.progress("conversations") as tell:
        try:
            async for info in listed(store, prefix=prefix):
                said.tell(await faults_in(store, info))
                tell(said.sessions)
        except ValueError:  # what is known of a session is no JSON
            fault = Fault("", "index", None, "the list cannot be read any further")
            said.tell([fault], of_store=True)


class _Said:
    """What has been told."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self.sessions = self.faults = 0
        self._as_json = as_json
        self._quiet = quiet

    def tell(self, faults: list[Fault], *, of_store: bool = False) -> None:
        """Write the faults of a session, or of the store."""
        self.sessions += not of_store
        self.faults += len(faults)
        if self._quiet and faults:
            for name in dict.fromkeys(fault.session_id for fault in faults):
                line(clean(name))
            return
        for fault in faults:
            if self._as_json:
                print_json(fault)
                continue
            number = "" if fault.number is None else f" {fault.number}"
            line(f"{clean(fault.session_id) or '-'}  {fault.kind}{number}: {clean(fault.problem)}")

"""``memwrap serve`` and ``memwrap bundle``: conversations on a page."""

from __future__ import annotations

import click

from memwrap.cli import common
from memwrap.cli.output import line
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.urls import store_from_url

__all__ = ["bundle", "serve"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8321, show_default=True, help="The port; 0 for a free one.")
@click.option("--read-only/--write", default=True, help="Whether to offer no changes.")
@click.option("--open", "opens", is_flag=True, help="Open a browser.")
@common.store
def serve(*, url: str, host: str, port: int, read_only: bool, opens: bool) -> int:
    """Serve the page until it is interrupted; its address is told on stderr."""
    from memwrap.web import serve as serve_page

    common.check_file(url)
    is_kept = read_only and not url.lower().startswith("memory:")
    store = store_from_url(url, **({"read_only": True} if is_kept else {}))
    serve_page(store, host=host, port=port, read_only=read_only, open=opens)
    return 0


@click.command()
@click.argument("folder")
@common.quiet
@common.in_store("read")
async def bundle(store: DatabaseStore, *, folder: str, quiet: bool) -> int:
    """Write all conversations as pages into FOLDER, to look at without a server."""
    from memwrap.web import bundle as write_pages

    count = await write_pages(store, folder)
    if not quiet:
        line(f"{count} conversations in {folder}/index.html")
    return 0 if count else common.nothing("there are no conversations")

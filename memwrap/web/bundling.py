"""The pages as files, to look at without a server."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from urllib.parse import quote

from memwrap.formats.conversation import read_conversation
from memwrap.formats.registry import FORMATS
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import SessionInfo
from memwrap.web.rendering import render
from memwrap.web.views import by_day

__all__ = ["bundle"]

_PAGE = 200  # conversations that are listed at once
_LONGEST = 80


async def bundle(store: DatabaseStore, folder: str | Path) -> int:
    """Write all conversations of a store as pages into a folder; return how many.

    Args:
        store: The store.
        folder: The folder, which is made; what is in it stays, unless a page has the same name.
    """
    home = Path(folder)
    await asyncio.to_thread((home / "s").mkdir, parents=True, exist_ok=True)
    listed: list[tuple[SessionInfo, str]] = []
    after: SessionInfo | None = None
    while page := await store.sessions(limit=_PAGE, after=after):
        for info in page:
            conversation = await read_conversation(store, info.session_id)
            if conversation is None:  # removed meanwhile
                continue
            name = _name(info.session_id)
            text = "".join(FORMATS["html"].dump([conversation]))
            await asyncio.to_thread((home / "s" / name).write_text, text, encoding="utf-8")
            listed.append((info, f"s/{quote(name)}"))
        after = page[-1]
    links = {info.session_id: link for info, link in listed}
    index = render("bundle.html", days=by_day([info for info, _ in listed]), links=links)
    await asyncio.to_thread((home / "index.html").write_text, index, encoding="utf-8")
    return len(listed)


def _name(session_id: str) -> str:
    """Return the name of a page, which no other id has on any file system."""
    digest = hashlib.sha256(session_id.encode()).hexdigest()[:16]
    return f"{quote(session_id, safe='')[:_LONGEST].replace('%', '_')}-{digest}.html"

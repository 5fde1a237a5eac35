"""The page over a store, as an ASGI application."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from memwrap.exceptions import ConfigurationError, MemwrapError, SessionBusy
from memwrap.formats.conversation import read_conversation
from memwrap.formats.registry import FORMATS
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import SessionInfo
from memwrap.web.guard import Guarded
from memwrap.web.rendering import STATIC, render
from memwrap.web.views import by_day, newer_than, stretch_of

__all__ = ["app"]

_PAGE = 50  # conversations on a page


def app(
    store: DatabaseStore,
    *,
    read_only: bool = True,
    token: str | None = None,
    hosts: Collection[str] = (),
) -> Starlette:
    """Return the page over a store, to mount in another application or to run by itself.

    Mounted without a token it is as open as what it is mounted in: put it behind the same login.

    Args:
        store: The store.
        read_only: Whether nothing can be renamed, undone or deleted.
        token: What has to be in the address at first (``?token=...``); None for no token.
        hosts: The hosts (with ports) that requests may be sent to; empty for any.

    Raises:
        ConfigurationError: It is no store of memwrap.
    """
    if not isinstance(store, DatabaseStore):
        raise ConfigurationError(
            f"the page shows a store of memwrap, and not {type(store).__name__}"
        )
    page = _Page(store, read_only=read_only)
    routes: list[Any] = [
        Route("/", page.list),
        Route("/session", page.session),
        Route("/newest", page.newest),
        Route("/search", page.search),
        Route("/export", page.export),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    if not read_only:
        routes += [
            Route("/change", page.ask, methods=["GET"]),
            Route("/change", page.change, methods=["POST"]),
        ]
    guard = Middleware(Guarded, token=token, hosts=tuple(hosts))
    return Starlette(
        routes=routes,
        middleware=[guard],
        exception_handlers={MemwrapError: _failed, HTTPException: _refused},
    )


class _Page:
    """The routes."""

    def __init__(self, store: DatabaseStore, *, read_only: bool) -> None:
        self._store = store
        self._read_only = read_only

    async def list(self, request: Request) -> Response:
        """Show the conversations that were written to last."""
        query = request.query_params
        found = await self._store.sessions(
            query.get("prefix", ""),
            _PAGE + 1,
            query.get("after"),
            owner=query.get("owner") or None,
            tag=query.get("tag") or None,
        )
        more = found[_PAGE - 1].session_id if len(found) > _PAGE else None
        kept = {name: query[name] for name in ("prefix", "owner", "tag") if query.get(name)}
        return self._html(request, "list.html", days=by_day(found[:_PAGE]), more=more, kept=kept)

    async def session(self, request: Request) -> Response:
        """Show a stretch of a conversation, the newest without a place."""
        info = await self._info(request)
        stretch = await stretch_of(
            self._store,
            info.session_id,
            before=_number(request, "before"),
            before_turn=_number(request, "turn"),
        )
        is_newest = "before" not in request.query_params
        return self._html(
            request,
            "session.html",
            info=info,
            stretch=stretch,
            is_newest=is_newest,
            formats=FORMATS,
        )

    async def newest(self, request: Request) -> Response:
        """Give what has been stored behind an item, for a page that is open."""
        info = await self._info(request)
        stretch = await newer_than(self._store, info.session_id, _number(request, "after") or 0)
        if stretch is None:
            return Response(status_code=200, headers={"hx-refresh": "true"})
        return self._html(request, "newest.html", info=info, stretch=stretch, is_newest=False)

    async def search(self, request: Request) -> Response:
        """Show what holds all words of a text."""
        text = request.query_params.get("q", "").strip()
        offered = self._store.promises.searches
        hits = await self._store.search(text, limit=50) if offered and text else []
        return self._html(request, "search.html", text=text, hits=hits, offered=offered)

    async def export(self, request: Request) -> Response:
        """Give a conversation as a file."""
        info = await self._info(request)
        format = FORMATS.get(request.query_params.get("format", ""))
        conversation = await read_conversation(self._store, info.session_id)
        if format is None or conversation is None:
            raise HTTPException(404, "There is no such format.")
        text = "".join(format.dump([conversation]))
        name = quote(info.session_id + format.suffix, safe="")
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(text.encode(), media_type="application/octet-stream", headers=headers)

    async def ask(self, request: Request) -> Response:
        """Ask whether a conversation is really to be changed."""
        info = await self._info(request)
        what = request.query_params.get("what", "")
        if what not in ("rename", "undo", "delete"):
            raise HTTPException(404, "There is no such change.")
        return self._html(request, "ask.html", info=info, what=what)

    async def change(self, request: Request) -> Response:
        """Rename, undo or delete."""
        info = await self._info(request)
        form = await request.form()
        root, what = request.scope.get("root_path", ""), str(form.get("what"))
        if what == "delete":
            await self._store.delete(info.session_id)
            return RedirectResponse(f"{root}/", 303)
        if what == "rename":
            await self._store.update(info.session_id, title=str(form.get("title")) or None)
        elif what == "undo":
            await self._store.session(info.session_id).undo_turns(1)
        else:
            raise HTTPException(404, "There is no such change.")
        return RedirectResponse(f"{root}/session?id={quote(info.session_id, safe='')}", 303)

    async def _info(self, request: Request) -> SessionInfo:
        info = await self._store.info(request.query_params.get("id") or "\0")
        if info is None:
            raise HTTPException(404, "There is no such conversation.")
        return info

    def _html(self, request: Request, template: str, **values: Any) -> Response:
        root = request.scope.get("root_path", "")
        text = render(
            template,
            root=root,
            read_only=self._read_only,
            searches=self._store.promises.searches,
            **values,
        )
        return HTMLResponse(text.encode("utf-8", "replace"))


def _number(request: Request, name: str) -> int | None:
    """Return a number of the query.

    Raises:
        HTTPException: It is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise HTTPException(400, f"{name} is a number.")
    return int(text)


async def _failed(request: Request, exc: Exception) -> Response:
    """Tell of a store that failed, without a word of any conversation."""
    if isinstance(exc, ConfigurationError):
        return _message(request, 400, "This cannot be shown.", str(exc))
    if isinstance(exc, SessionBusy):
        return _message(request, 409, "A turn is running.", "Try again when it has ended.")
    return _message(request, 503, "The store cannot be read now.", str(exc))


async def _refused(request: Request, exc: Exception) -> Response:
    status = getattr(exc, "status_code", 500)
    return _message(request, status, str(getattr(exc, "detail", "")), "")


def _message(request: Request, status: int, title: str, text: str) -> Response:
    root = request.scope.get("root_path", "")
    page = render("message.html", root=root, title=title, text=text, searches=False)
    return HTMLResponse(page.encode("utf-8", "replace"), status)

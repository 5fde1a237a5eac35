"""Conversations on a page, live or as files.

`app` is an ASGI application over a store, to mount anywhere; `serve` runs it on this machine;
`bundle` writes the pages into a folder. Needs the extra ``web``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from memwrap.exceptions import ConfigurationError

if TYPE_CHECKING:
    from memwrap.web.application import app
    from memwrap.web.bundling import bundle
    from memwrap.web.serving import serve

__all__ = ["app", "bundle", "serve"]

_HOMES = {"app": "application", "bundle": "bundling", "serve": "serving"}


if not TYPE_CHECKING:  # to a checker, a module that has __getattr__ has every name

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'memwrap.web' has no attribute {name!r}")
        try:
            module = import_module(f"memwrap.web.{_HOMES[name]}")
        except ModuleNotFoundError as exc:
            if exc.name is None or exc.name.partition(".")[0] == "memwrap":
                raise
            raise ConfigurationError(
                'pages need packages that are missing: pip install "memwrap[web]"'
            ) from None
        return getattr(module, name)

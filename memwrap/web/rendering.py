"""HTML from templates: every text is escaped, and Markdown has no HTML and loads nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memwrap.exceptions import ConfigurationError

if TYPE_CHECKING:
    from jinja2 import Environment
    from markdown_it import MarkdownIt

    from memwrap.sessions.info import SessionInfo
    from memwrap.web.views import Stretch

__all__ = ["STATIC", "render"]

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"
"""The folder of what pages load."""

_MISSING = 'pages need packages that are missing: pip install "memwrap[web]"'


def render(template: str, **values: Any) -> str:
    """Return the HTML of a template.

    Raises:
        ConfigurationError: The packages of the extra ``web`` are missing.
    """
    return _environment().get_template(template).render(**values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise ConfigurationError(_MISSING) from None
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": _clock,
        "json_text": _json_text,
        "markdown": _markdown,
        "moment": _moment,
    }
    environment.globals["style"] = (STATIC / "style.css").read_text(encoding="utf-8")
    environment.globals["older"] = _older
    return environment


def _markdown(text: str) -> Any:
    """Return the HTML of Markdown: no HTML of its own, no pictures that a reader would load."""
    from markupsafe import Markup

    return Markup(_reader().render(text))  # noqa: S704  (the reader escapes all HTML)


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        raise ConfigurationError(_MISSING) from None
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return reader.disable("image")


def _json_text(text: str) -> str:
    """Return JSON on several lines; any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _older(info: SessionInfo, stretch: Stretch) -> dict[str, Any]:
    """Return the query of the page before a stretch."""
    place = {"id": info.session_id, "before": stretch.before, "turn": stretch.before_turn}
    return {name: value for name, value in place.items() if value is not None}


def _clock(time: datetime) -> str:
    return f"{time.astimezone(UTC):%H:%M} UTC"


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

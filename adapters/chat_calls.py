"""The tool calls of a streamed message, put together from the pieces that servers send."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from memwrap.adapters.fragments import add_up

__all__ = ["StreamedCalls", "argument_text"]

Call = dict[str, Any]

_NAMED = ("function", "custom")


class StreamedCalls:
    """Tells which call a piece belongs to, although servers number and name calls as they like.

    The id tells, then the index, then the order. Only what has a name begins a call, unless its id
    or index comes for the first time; and no call goes on behind the end of its arguments.
    """

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._newest: dict[Any, Call] = {}  # by index; None is the newest of all
        # Arguments are joined at once: one by one takes the square of the time.
        self._pieces: dict[int, tuple[Call, list[str]]] = {}

    def add(self, deltas: Iterable[Call]) -> None:
        """Take the calls of one chunk."""
        begun: list[Call] = []
        for delta in deltas:
            if self._goes_on(delta):
                continue
            self._join()
            call = self._call_of(delta)
            named = bool(_name(delta))
            if call is None or (named and any(call is one for one in begun)):
                self._calls.append(call := {})
            if named:
                begun.append(call)
            _add_piece(call, delta)
            self._newest[delta.get("index")] = self._newest[None] = call

    def whole(self) -> list[Call]:
        """Return the calls, in the order of their indexes if all have one."""
        self._join()
        calls = self._calls
        if all(isinstance(call.get("index"), int) for call in calls):
            calls = sorted(calls, key=lambda call: call["index"])
        return [{key: call[key] for key in call if key != "index"} for call in calls]

    def _goes_on(self, delta: Call) -> bool:
        """Take a piece that has nothing but arguments of the newest call at its index."""
        function, call = delta.get("function"), self._newest.get(delta.get("index"))
        piece = function.get("arguments") if isinstance(function, dict) else None
        if call is None or not isinstance(piece, str) or not piece or piece.startswith("{"):
            return False
        if _name(delta) or delta.get("id") not in (None, "", call.get("id")):
            return False
        if delta.keys() - {"function", "id", "index", "type"} or "custom" in call:
            return False
        self._pieces.setdefault(id(call), (call, []))[1].append(piece)
        self._newest[None] = call
        return True

    def _join(self) -> None:
        for call, pieces in self._pieces.values():
            add_up(call, {"function": {"arguments": "".join(pieces)}})
        self._pieces.clear()

    def _call_of(self, delta: Call) -> Call | None:
        """Return the call that a piece goes on with; None if it begins one."""
        call_id, name = delta.get("id"), _name(delta)
        call = self._known(call_id, delta.get("index")) if call_id else None
        if call is None:
            call = self._place_of(delta)
            if call is None:
                return None
            if call_id and call.get("id") and (name or not _said(delta)):
                return None
        elif not name:
            return call
        return None if name and _begins_another(call, delta) else call

    def _known(self, call_id: Any, index: Any) -> Call | None:
        """Return the call of an id; one id at two indexes is two calls."""
        for call in reversed(self._calls):
            if call.get("id") == call_id and index in (None, call.get("index", index)):
                return call
        return None

    def _place_of(self, delta: Call) -> Call | None:
        """Return the newest call at the index of a piece."""
        newest = self._newest.get(delta.get("index"))
        if newest is None and not delta.get("id") and not _name(delta):
            last = self._newest.get(None)  # some servers number the first piece only, or the others
            return last if last is not None and "index" not in last else None
        return newest


def argument_text(arguments: Any) -> str:
    """Return arguments as the API has them: as text, which some servers have parsed already."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else json.dumps(arguments, ensure_ascii=False)


def _begins_another(call: Call, delta: Call) -> bool:
    """Tell whether a piece with a name begins another call than that at its place.

    Names come in fragments, and some servers repeat them in each piece.
    """
    said, name = _said(call), _name(delta)
    if said and (_name(call) != name or _are_two(said, _said(delta))):
        return True
    if delta.get("id") or delta.get("index") is not None:
        return False
    return not said and not call.get("id")


def _are_two(said: str, piece: str) -> bool:
    """Tell whether arguments have ended, and a piece begins others."""
    if not (said.endswith("}") and piece.startswith("{")):
        return False
    try:
        json.loads(said)
    except ValueError:
        return False
    return said != "{}"


def _add_piece(call: Call, delta: Call) -> None:
    function = delta.get("function")
    if isinstance(function, dict):
        piece = argument_text(function.get("arguments"))
        if _said(call) == "{}" and piece.startswith("{"):
            call["function"]["arguments"] = ""  # an empty object held the place of what comes now
        delta = delta | {"function": function | {"arguments": piece}}
    # Some servers make up an id for each piece: an agent answers the first.
    add_up(call, {key: delta[key] for key in delta if key != "id" or not call.get("id")})


def _name(call: Call) -> str:
    return next((name for kind in _NAMED if (name := (call.get(kind) or {}).get("name"))), "")


def _said(call: Call) -> str:
    """Return what a call, or a piece of one, says besides its name."""
    function, custom = (call.get(kind) or {} for kind in _NAMED)
    return argument_text(function.get("arguments")) or custom.get("input") or ""

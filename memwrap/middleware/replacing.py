"""What stands in a text for what has been found there."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

from memwrap.exceptions import GuardViolation
from memwrap.middleware.patterns import Detector, Find

__all__ = ["Replacer"]

_SHOWN = 4  # letters and digits at the end of what is masked
_MOST_CLEAN = 65_536  # texts that are known to hold nothing; each takes about 60 bytes
_ENOUGH = 8  # of them, for any to be shown


class Replacer:
    """Replaces what is found in a text; no function, so that it can be pickled."""

    def __init__(
        self, finders: Sequence[tuple[str, Find]], strategy: str, replacement: str, secret: bytes
    ) -> None:
        self._finders = finders
        self._strategy = strategy
        self._replacement = replacement
        self._secret = secret
        # What somebody else's detector finds may change.
        self._remembers = not any(isinstance(find, Detector) for _, find in finders)
        self._clean: set[int] = set()

    def __call__(self, text: str) -> str:
        """Return the text with all that is found replaced.

        Raises:
            GuardViolation: The strategy is ``"block"``, and something is found.
        """
        if not self._remembers:
            return self._all_replaced(text)
        # Most of a history holds nothing, and was looked through in the turn before. The hash has
        # a key of the process: nobody can make two texts that have the same.
        key = hash(text)
        if key in self._clean:
            return text
        replaced = self._all_replaced(text)
        if replaced == text:
            if len(self._clean) >= _MOST_CLEAN:
                self._clean.clear()
            self._clean.add(key)
        return replaced

    def __reduce__(self) -> Any:
        made_of = self._finders, self._strategy, self._replacement, self._secret
        return Replacer, made_of  # other processes hash texts otherwise

    def _all_replaced(self, text: str) -> str:
        for kind, find in self._finders:
            text = self._replaced(text, kind, find)
        return text

    def _replaced(self, text: str, kind: str, find: Find) -> str:
        parts: list[str] = []
        place = 0
        for begin, end in sorted(find(text)):
            first = max(begin, place)  # it may begin in what has been replaced
            if end >= first:
                parts += [text[place:first], self._instead(text[first:end], kind)]
                place = end
        return "".join([*parts, text[place:]]) if parts else text

    def _instead(self, value: str, kind: str) -> str:
        if self._strategy == "redact":
            return self._replacement
        if self._strategy == "mask":
            return _masked(value)
        if self._strategy == "hash":
            digest = hmac.digest(self._secret, value.encode("utf-8", "surrogatepass"), "sha256")
            return f"[{kind}:{digest.hex()[:16]}]"
        raise GuardViolation(f"Redact('{kind}', strategy='block') found something", reason=kind)


def _masked(value: str) -> str:
    signs = [place for place, sign in enumerate(value) if sign.isalnum()]
    shown = set(signs[-_SHOWN:]) if len(signs) >= _ENOUGH else set[int]()
    return "".join(
        "*" if sign.isalnum() and place not in shown else sign for place, sign in enumerate(value)
    )

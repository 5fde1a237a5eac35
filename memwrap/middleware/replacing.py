"""What stands in a text for what has been found there."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from memwrap.exceptions import GuardViolation
from memwrap.middleware.patterns import Find

__all__ = ["Replacer"]

_SHOWN = 4  # letters and digits at the end of what is masked
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

    def __call__(self, text: str) -> str:
        """Return the text with all that is found replaced.

        Raises:
            GuardViolation: The strategy is ``"block"``, and something is found.
        """
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

"""Personal data that can be told by its form: where a text has some.

Each preset finds candidates by an expression that cannot backtrack far, and checks them by what
the kind promises: digits by Luhn's sum, account numbers by theirs, addresses by their parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import TypeAlias

__all__ = ["PRESETS", "Span"]

Span: TypeAlias = tuple[int, int]
"""Where something begins and ends in a text."""

_EMAIL = re.compile(r"[\w.%+\-]{1,64}@(?:[\w\-]{1,63}\.){1,8}[^\W\d_]{2,24}")
_DIGITS = re.compile(r"(?<![\d.,])\d(?:[ \-]?\d){12,400}")
_GROUP = re.compile(r"\d+")
_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d\d(?: ?[A-Z0-9]){10,60}", re.IGNORECASE)
_IBAN_END = re.compile(r"[ ]|\Z")
_IP = re.compile(r"(?<![\w.:])[0-9a-f:.]{3,60}", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![\w+])(?:"
    r"(?:\+|00)[1-9](?:[ \-./()]{0,2}\d){6,13}"
    r"|\(?[2-9]\d\d\)?[ \-.]\d{3}[ \-.]\d{4}"
    r")(?!\d)"
)
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{1,20000}-----END [A-Z ]{0,30}PRIVATE KEY-----"
    r"|\beyJ[\w\-]{8,4000}\.eyJ[\w\-]{8,8000}\.[\w\-]{8,2000}"  # a signed token
    r"|\b(?:sk|pk|rk)[-_](?:[a-z]{2,12}[-_]){0,3}[A-Za-z0-9_\-]{16,256}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,255}|\bgithub_pat_\w{30,255}|\bglpat-[\w\-]{20,100}"
    r"|\bxox[abeoprs]-[\w\-]{10,250}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bAIza[\w\-]{35}"
    r"|\bhf_[A-Za-z0-9]{30,60}|\bnpm_[A-Za-z0-9]{36}|\bpypi-[\w\-]{50,250}"
)
_NAMED_SECRET = re.compile(
    r"(?:password|passwd|pwd|secret|token|api[_\- ]?key|access[_\- ]?key)[\"']?"
    r"(?: ?[:=] ?| is )[\"']?(?P<value>[^\s\"',;]{6,256})"
    r"|\bbearer (?P<bearer>[\w\-.~+/]{16,2000})",
    re.IGNORECASE,
)

_CARD_DIGITS = (13, 19)
_IBAN_LENGTHS = (15, 34)


def _emails(text: str) -> Iterator[Span]:
    return (found.span() for found in _EMAIL.finditer(text)) if "@" in text else iter(())


def _cards(text: str) -> Iterator[Span]:
    """Yield runs of groups of digits whose sum is right, the longest first."""
    for found in _DIGITS.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *found.span())]
        place = 0
        while place < len(groups):
            ends = range(min(len(groups), place + _CARD_DIGITS[1]), place, -1)
            end = next((end for end in ends if _is_card(text, groups[place:end])), None)
            if end is not None:
                yield groups[place][0], groups[end - 1][1]
            place = place + 1 if end is None else end


def _is_card(text: str, groups: list[Span]) -> bool:
    digits = [int(digit) for first, last in groups for digit in text[first:last]]
    if not _CARD_DIGITS[0] <= len(digits) <= _CARD_DIGITS[1] or digits[0] not in range(2, 7):
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _ibans(text: str) -> Iterator[Span]:
    for found in _IBAN.finditer(text):
        begin = found.start()
        ends = [end.start() for end in _IBAN_END.finditer(found[0])]
        for end in reversed(ends):  # words may stand behind it
            if _is_iban(found[0][:end]):
                yield begin, begin + end
                break


def _is_iban(text: str) -> bool:
    compact = text.replace(" ", "").upper()
    if not _IBAN_LENGTHS[0] <= len(compact) <= _IBAN_LENGTHS[1] or not compact.isascii():
        return False
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def _ips(text: str) -> Iterator[Span]:
    for found in _IP.finditer(text):
        begin, candidate = found.start(), found[0].rstrip(".:")
        while candidate:
            if _is_ip(candidate):
                yield begin, begin + len(candidate)
                break
            candidate = candidate.rpartition(":")[0].rstrip(":")  # a port


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _phones(text: str) -> Iterator[Span]:
    return (found.span() for found in _PHONE.finditer(text))


def _secrets(text: str) -> Iterator[Span]:
    for found in _SECRET.finditer(text):
        yield found.span()
    for found in _NAMED_SECRET.finditer(text):
        yield found.span("value" if found["value"] is not None else "bearer")


PRESETS: dict[str, Callable[[str], Iterator[Span]]] = {
    "email": _emails,
    "credit_card": _cards,
    "iban": _ibans,
    "ip": _ips,
    "phone": _phones,
    "secret": _secrets,
}
"""What finds data of a kind in a text, by the name of the kind."""

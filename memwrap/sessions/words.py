"""The words of an item, for a search: plain terms that any index can hold, in any script.

A word is a row of letters and digits, without case and accents. Scripts without spaces between
words (Chinese, Japanese, Thai and others) give each two neighbours as a word, and the last sign
of a row alone: any part of such a text is found by its pairs, and a single sign as the beginning
of one.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from memwrap.items import Item
from memwrap.sessions.rows import decode_row

__all__ = ["folded", "score_of", "searched_terms", "terms_of", "text_to_search"]

_LONGEST = 40  # characters of a word that count
_DEEPEST = 8  # lists in lists whose texts are looked at

# Where the texts of items are; not where names, ids, hidden data or files are.
_FIELDS = ("content", "text", "refusal", "transcript", "summary", "arguments", "input", "output")
_NO_SPACES = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"  # Thai to Khmer
    "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_PLAIN = re.compile(r"[0-9a-z]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_OTHERS = re.compile("[^0-9a-y]")


def text_to_search(item: Item) -> str:
    """Return what users, agents and tools said in *item*, one text a line."""
    return "\n".join(_texts(item, 0))


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < _DEEPEST:
        for part in value:
            yield from _texts(part, depth + 1)
    elif isinstance(value, dict) and depth < _DEEPEST:
        for field in _FIELDS:
            yield from _texts(value.get(field), depth + 1)


def folded(text: str) -> str:
    """Return *text* without case, accents and forms of width."""
    if text.isascii():
        return text.lower()
    split = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", split)).casefold()


def terms_of(row: bytes) -> list[str]:
    """Return the terms of a row, each once; none of a damaged one.

    They hold ``a`` to ``z`` and ``0`` to ``9`` only, and the beginning of a term is the term of
    the beginning.
    """
    item = decode_row(row)
    if item is None:
        return []
    terms: dict[str, None] = {}
    for word, is_row in _words(folded(text_to_search(item))):
        if is_row:
            terms |= dict.fromkeys(_term(word[at : at + 2]) for at in range(len(word)))
        else:
            terms[_term(word[:_LONGEST])] = None
    return list(terms)


def searched_terms(text: str) -> list[str]:
    """Return the terms that a row has to have, as beginnings of its own, to hold *text*."""
    terms: dict[str, None] = {}
    for word, is_row in _words(folded(text)):
        if is_row and len(word) > 1:
            terms |= dict.fromkeys(_term(word[at : at + 2]) for at in range(len(word) - 1))
        else:
            terms[_term(word[:_LONGEST])] = None
    return list(terms)


def score_of(row: bytes, searched: Sequence[str]) -> float:
    """Return how well a row fits what is searched for; 0 if one of the terms is missing.

    Whole words count more than beginnings of words, and long items less than short ones.
    """
    terms = terms_of(row)
    score = 0.0
    for one in searched:
        found = 1.0 if one in terms else 0.5 * any(term.startswith(one) for term in terms)
        if not found:
            return 0.0
        score += found
    return score / (10 + len(terms))


def _words(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the words of a folded text, and whether each is a row of signs without spaces."""
    if text.isascii():
        for word in _PLAIN.findall(text):
            yield word, False
        return
    for match in _any_word().finditer(text):
        yield match[0], match.lastgroup == "row"


def _term(word: str) -> str:
    """Return the term of a word: other signs than those of a term become several, from a z on."""
    if word.isascii() and "z" not in word:
        return word
    return _OTHERS.sub(lambda sign: "zz" if sign[0] == "z" else f"z{ord(sign[0]):06x}", word)


@lru_cache(maxsize=1)
def _any_word() -> re.Pattern[str]:
    marks = _marks()
    return re.compile(
        rf"(?P<row>[{_NO_SPACES}]+)|(?P<word>(?:(?![{_NO_SPACES}])[^\W_{marks}][{marks}]*)+)"
    )


def _marks() -> str:
    """Return all signs that belong to the letter before, as ranges of a class of characters."""
    ranges: list[list[int]] = []
    for point in range(0x300, min(0x1F000, sys.maxunicode)):
        if unicodedata.category(chr(point)).startswith("M"):
            if ranges and ranges[-1][1] == point - 1:
                ranges[-1][1] = point
            else:
                ranges.append([point, point])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)

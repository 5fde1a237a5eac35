"""The items in rows, whatever back end they come from."""

import asyncio
import warnings

import pytest

from memwrap import StoreError
from memwrap.codec import encode
from memwrap.items import assistant, user
from memwrap.sessions.backend import Rows
from memwrap.sessions.rows import (
    damage,
    decode_each,
    decode_each_slowly,
    decode_row,
    decode_slowly,
    decode_whole,
    is_long,
    is_readable,
    joined,
    report,
)

ONE, TWO = b'{"role":"user","content":"1"}', b'{"role":"assistant","content":"2"}'
DAMAGED = [b"", b"{", b"[]", b"null", b'"x"', b'{"a": \xff}', b"{} {}", b"[" * 100_000]


def test_rows_are_items_joined_or_not():
    """The same items come out of rows one by one and of rows joined to an array."""
    expected = [user("1"), assistant("2")]
    assert decode_whole(Rows([3, 7], [ONE, TWO])) == expected
    assert decode_whole(Rows(range(2), joined([ONE, TWO]))) == expected
    assert decode_each(Rows([3, 7], [ONE, TWO])) == ({3: user("1"), 7: assistant("2")}, [])


def test_no_rows_are_no_items():
    """Without rows there are no items, and none is damaged."""
    assert decode_whole(Rows((), ())) == []
    assert decode_whole(Rows(range(0), b"[]")) == []
    assert decode_each(Rows((), ())) == ({}, [])


@pytest.mark.parametrize("row", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_rows_are_told_by_their_numbers(row):
    """One damaged row makes no other unreadable, and is told by its number."""
    assert decode_whole(Rows([3, 5, 7], [ONE, row, TWO])) is None
    assert decode_whole(Rows(range(3), joined([ONE, row, TWO]))) is None
    found = decode_each(Rows([3, 5, 7], [ONE, row, TWO]))
    assert found == ({3: user("1"), 7: assistant("2")}, [5])
    assert decode_row(row) is None
    assert not is_readable(row)
    assert is_readable(ONE)


@pytest.mark.parametrize(
    "rows",
    [
        [b'{"x":[1', b'2]},{"y":1}'],
        [b'{"x":[{}', b'{}]},{"y":{}}'],
        [b'{"x":1},{"y":[1', b"2]}"],
        [b'{"a":1},0,{"b":[1', b"2]}"],
        [b'{"a":"', b'"},{"b":1}'],
        [b"{}", b"{}},{", b"{}"],
        [b"", b"{},{}"],
    ],
)
async def test_damaged_rows_never_add_up(rows):
    """Rows that are no items alone are none together, however well they fit."""
    for data in (rows, joined(rows)):
        assert decode_whole(Rows(range(len(rows)), data)) is None
        assert await decode_slowly(Rows(range(len(rows)), data)) is None


async def test_long_data_is_decoded_in_pieces():
    """Much data is the same items, damage is found in it, and others work in between."""
    items = [user("x" * 100_000 + str(number)) for number in range(20)]
    data = [encode(item) for item in items]
    steps = 0

    async def others():
        nonlocal steps
        while True:
            steps += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(others())
    for rows in (Rows(range(20), data), Rows(range(20), joined(data))):
        assert is_long(rows)
        assert await decode_slowly(rows) == items
    assert steps >= 10
    data[13] = data[13][:-1]
    assert await decode_slowly(Rows(range(20), joined(data))) is None
    found, bad = await decode_each_slowly(Rows(range(20), data))
    assert (list(found.values()), bad) == (items[:13] + items[14:], [13])
    assert not is_long(Rows([1], [ONE]))
    working.cancel()


def test_row_that_only_python_reads_is_no_damage():
    """A number that other writers store and JSON does not have is read all the same."""
    row = b'{"role":"user","content":"1","n":Infinity}'
    items, bad = decode_each(Rows([1], [row]))
    assert items[1]["n"] == float("inf")
    assert bad == []
    assert is_readable(row)


def test_numbers_and_data_belong_together():
    """A back end that hands out more numbers than rows is not believed."""
    with pytest.raises(ValueError, match="zip"):
        decode_each(Rows([1, 2], [ONE]))


def test_damage_is_reported_with_its_place():
    """A reading warns of what it leaves out, and a strict one raises instead."""
    with pytest.warns(UserWarning, match=r"^place: rows \[2, 3\] are damaged and left out$"):
        report("place", [2, 3], strict=False)
    with warnings.catch_warnings(), pytest.raises(StoreError, match=r"^place: rows \[2\] are dam"):
        warnings.simplefilter("error")
        report("place", [2], strict=True)
    assert str(damage("place", "what")) == "place: what"

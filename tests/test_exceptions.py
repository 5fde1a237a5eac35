"""The tree of errors."""

import pytest

from memwrap import exceptions
from memwrap.exceptions import (
    ConfigurationError,
    ConversionError,
    MemwrapError,
    SessionBusy,
    SessionError,
    StoreError,
    TurnError,
    TurnNotSaved,
)


def test_every_error_has_the_root():
    """One except clause catches whatever the library raises on its own account."""
    for name in exceptions.__all__:
        assert issubclass(getattr(exceptions, name), MemwrapError)
    assert sorted(exceptions.__all__) == exceptions.__all__


@pytest.mark.parametrize(
    ("error", "base"),
    [
        (ConfigurationError, ValueError),
        (ConversionError, ValueError),
        (SessionBusy, TimeoutError),
        (SessionBusy, SessionError),
        (StoreError, SessionError),
        (TurnNotSaved, TurnError),
    ],
)
def test_errors_are_also_what_python_calls_them(error, base):
    """Code that knows Python's own errors catches ours."""
    assert issubclass(error, base)


def test_docstring_draws_every_error():
    """The tree in the docstring of the module is complete."""
    for name in exceptions.__all__:
        assert name in exceptions.__doc__


def test_conversion_errors_name_the_place():
    """The path is an attribute and the end of the message."""
    error = ConversionError("JSON cannot hold a set", path="$[3].content[0]")
    assert error.path == "$[3].content[0]"
    assert str(error) == "JSON cannot hold a set @ $[3].content[0]"
    assert ConversionError("no item").path == "$"


async def test_unsaved_turns_carry_the_answer():
    """The result, the items and the way to store them come with the error."""
    calls = []

    async def retry():
        calls.append("retry")

    items = ({"role": "user", "content": "secret"},)
    error = TurnNotSaved("not stored", result="answer", items=items, retry=retry)
    assert error.result == "answer"
    assert error.items == list(items)
    assert calls == []
    await error.retry()
    assert calls == ["retry"]
    assert "secret" not in str(error) + repr(error)

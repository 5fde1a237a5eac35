"""Options of layers, checked when a layer is made."""

from __future__ import annotations

from memwrap.exceptions import ConfigurationError

__all__ = ["check_choice", "check_errors", "check_positive"]


def check_choice(layer: str, name: str, value: object, *allowed: str) -> None:
    """Refuse a value that is none of the allowed ones.

    Raises:
        ConfigurationError: It is another.
    """
    if value not in allowed:
        raise ConfigurationError(
            f"{layer}({name}=...) is {' or '.join(map(repr, allowed))}, not {value!r}"
        )


def check_positive(layer: str, name: str, value: object) -> None:
    """Refuse what is no number above 0.

    Raises:
        ConfigurationError: It is something else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise ConfigurationError(f"{layer}({name}=...) is a number above 0, not {value!r}")


def check_errors(layer: str, on: object) -> None:
    """Refuse what is neither classes of errors nor a function that knows them.

    Raises:
        ConfigurationError: It is something else.
    """
    kinds = on if isinstance(on, tuple) else (on,)
    are_errors = all(isinstance(kind, type) and issubclass(kind, Exception) for kind in kinds)
    is_function = callable(on) and not isinstance(on, type)
    if not kinds or not (are_errors or is_function):
        raise ConfigurationError(
            f"{layer}(on=...) is a class of errors, a tuple of them, or a function from an error to"
            f" True or False, as in on=(ConnectionError, TimeoutError); not {on!r}"
        )

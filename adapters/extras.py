"""The frameworks that adapters need, and how to install them."""

from __future__ import annotations

from importlib import import_module

__all__ = ["need"]


def need(module: str, extra: str) -> None:
    """Import a framework.

    Args:
        module: The framework's module.
        extra: The extra of memwrap's that installs it.

    Raises:
        ImportError: The framework is not installed; the message says how to install it.
    """
    try:
        import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] != module.partition(".")[0]:
            raise  # the framework is there, and lacks something itself
        raise ImportError(
            f'{module} is not installed: pip install "memwrap[{extra}]"', name=module
        ) from exc

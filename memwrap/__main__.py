"""``python -m memwrap`` is the command ``memwrap``."""

from memwrap.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

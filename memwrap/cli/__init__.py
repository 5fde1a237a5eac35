"""The command ``memwrap``: conversations listed, read, moved, checked and removed in a terminal.

A file has one command, or a few that do kindred things; `memwrap.cli.common` has what all share.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["main"]


def main() -> None:
    """Run the command with the arguments of the process, and end the process."""
    if find_spec("click") is None or find_spec("rich") is None:
        sys.stderr.write('memwrap: the command needs packages: pip install "memwrap[cli]"\n')
        sys.exit(2)
    from memwrap.cli.root import root

    root()

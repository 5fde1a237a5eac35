"""Where tests lie says what they are about."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Where a framework may be named: there, and in tests of what readers see.
OUTSIDE = {"adapters", "behaviour", "typing", "test_docs.py"}
CORE = sorted(path for path in HERE.rglob("*.py") if path.relative_to(HERE).parts[0] not in OUTSIDE)
# Put together, since this file is of the core too.
NAMES = ("lang" + "chain", "lang" + "graph", "open" + "ai", "pydantic" + "_ai", "llama" + "_index")
NAMED = re.compile(rf"{'|'.join(NAMES)}|^\s*(from|import) agents\b", re.IGNORECASE | re.MULTILINE)


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(HERE)))
def test_tests_of_the_core_name_no_framework(path):
    """What memwrap does without frameworks is tested without them."""
    assert NAMED.findall(path.read_text()) == []

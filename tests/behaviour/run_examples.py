"""Run examples one after the other, each as a script of its own, in one interpreter.

Reads a list of runs from stdin and writes what came of each to the file that is named: frameworks
take seconds to import, and so they are imported once.
"""

import contextlib
import gc
import io
import json
import os
import runpy
import sys
import traceback
import warnings
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, folder, environment):
    """Run an example as ``python examples/NAME`` would; return what it said and how it ended."""
    before = dict(os.environ)
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [str(EXAMPLES / name)]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
            code = 1
        gc.collect()  # what it left open complains now
    os.environ.clear()
    os.environ.update(before)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


if __name__ == "__main__":
    report = Path(sys.argv[1])
    sys.path.insert(0, str(EXAMPLES))
    # LlamaIndex looks through all attributes of an agent that it makes, old ones of pydantic too.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="inspect")
    done = [run(**one) for one in json.load(sys.stdin)]
    report.write_text(json.dumps(done))

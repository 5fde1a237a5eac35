"""What is installed: the wheel and the archive of the sources hold all that people need."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from support import ROOT

import memwrap

FOLDER = Path(ROOT)
PROJECT = tomllib.loads((FOLDER / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with the wheel and the archive, made from the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), ROOT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "is absent from the `packages`" not in done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """A folder with nothing but what the wheel holds."""
    folder = tmp_path_factory.mktemp("installed")
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_every_module_is_installed(installed):
    """The wheel has each module of the checkout, with its type marks, pages and templates."""
    for folder, name in (("memwrap", "memwrap"), ("adapters", "memwrap/adapters")):
        for path in (FOLDER / folder).rglob("*"):
            if path.suffix in (".py", ".html", ".css", ".js", ".typed") or path.name == "py.typed":
                assert (installed / name / path.relative_to(FOLDER / folder)).is_file(), path
    for page in (FOLDER / "docs").glob("*.md"):
        assert (installed / "memwrap" / "pages" / page.name).read_text() == page.read_text()


def test_nothing_else_is_installed(installed):
    """The wheel brings one package, and no tests, examples or benchmarks."""
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"memwrap"}


def test_sources_have_the_examples(built):
    """The archive of the sources has what people learn from and test with."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("examples", "docs", "tests"):
        for file in (FOLDER / folder).rglob("*.py"):
            assert file.relative_to(FOLDER).as_posix() in names
    assert {"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "Makefile"} <= names


def test_quick_start_runs_from_the_wheel(installed, tmp_path):
    """The block of the README that needs no network runs from the wheel, twice, and remembers."""
    block = re.findall(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)[1]
    code = f"import sys; sys.path.insert(0, {str(installed)!r})\n{block}"
    said = []
    for _ in range(2):
        command = [sys.executable, "-P", "-W", "error", "-c", code]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said += re.findall(r"\d+", done.stdout)
    assert said == ["1", "2", "3", "4"]


def test_version_is_told_once(built):
    """The version of the package is that of its files, and has a place in the changelog."""
    (wheel,) = built.glob("*.whl")
    assert wheel.name.startswith(f"memwrap-{memwrap.__version__}-")
    assert re.search(r"^## \[", (FOLDER / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_claimed_pythons_are_tested():
    """Each version of Python that the classifiers claim is one that `make test-all` looks for."""
    claimed = {
        line.rpartition(" ")[2]
        for line in PROJECT["project"]["classifiers"]
        if line.startswith("Programming Language :: Python :: 3.")
    }
    tested = re.search(r"VERSIONS = \((.*?)\)", (FOLDER / "tests/every_python.py").read_text())
    assert claimed <= set(re.findall(r"[\d.]+", tested[1]))
    assert claimed

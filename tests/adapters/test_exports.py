"""What can be imported from where, and what importing costs."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import memwrap
from memwrap.adapters import NAMES

ADAPTERS = [f"memwrap.adapters.{name}" for name in sorted(NAMES)]
PACKAGES = [
    "memwrap",
    "memwrap.adapters",
    *(adapter for adapter in ADAPTERS if hasattr(importlib.import_module(adapter), "__path__")),
    "memwrap.middleware",
    "memwrap.sessions",
]
MODULES = sorted(
    info.name
    for package in PACKAGES
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}.")
)


@pytest.mark.parametrize("name", PACKAGES)
def test_package_exports(name):
    """A package exports exactly its __all__, which is sorted."""
    package = importlib.import_module(name)
    assert package.__all__ == sorted(set(package.__all__))
    for exported in package.__all__:
        assert getattr(package, exported) is not None
    public = {
        key
        for key, value in vars(package).items()
        if not key.startswith("_") and not inspect.ismodule(value)
    }
    helpers = {"TYPE_CHECKING", "Any", "import_module"} if name == "memwrap" else set()
    assert public - helpers == set(package.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_module_exports(name):
    """A module says what it exports, and has all of that."""
    module = importlib.import_module(name)
    assert len(module.__all__) == len(set(module.__all__))
    for exported in module.__all__:
        assert hasattr(module, exported)


def test_lazy_names_are_those_of_the_checkers():
    """Type checkers and the running program find the same names, in the same modules."""
    tree = ast.parse(Path(memwrap.__file__).read_text(encoding="utf-8"))
    block = next(
        node
        for node in tree.body
        if isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING"
    )
    seen = {alias.name: line.module for line in block.body for alias in line.names}
    assert seen == memwrap._HOME_OF
    assert sorted(seen) == memwrap.__all__ == dir(memwrap)


def test_names_are_no_modules():
    """No exported name is that of a module, which would take its place once it is imported."""
    names = {info.name for info in pkgutil.iter_modules(memwrap.__path__)}
    assert names & set(memwrap.__all__) == set()


def test_name_that_is_not_there():
    """A name that memwrap does not have is an AttributeError that says so."""
    with pytest.raises(AttributeError, match="'memwrap' has no attribute 'with_sesion'"):
        memwrap.with_sesion
    with pytest.raises(ImportError):
        from memwrap import with_sesion  # noqa: F401


def test_typed():
    """The package says that it is typed."""
    assert (Path(memwrap.__file__).parent / "py.typed").exists()

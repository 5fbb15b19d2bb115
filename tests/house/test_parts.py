"""What the product imports is asked for in pyproject.toml and stands in the lock file: a fresh installation has it."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tests.house.tree import ROOT, code, parsed, place

OPTIONAL = {"sentence_transformers"}  # imported where a house asks for it, with a sentence when it is missing


def test_every_import_of_the_product_is_installed_with_it():
    locked = {re.split("[=<> ;]", line)[0] for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()}
    carriers = packages_distributions()
    missing = {
        f"{place(path)} imports {name}"
        for path in code("src")
        for name in _imported(parsed(path)) - OPTIONAL
        if not {_normal(one) for one in carriers.get(name, [])} & locked
    }
    assert missing == set()


def test_the_lock_file_carries_everything_that_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {_normal(re.split(r"[\[<>=]", wanted)[0]) for wanted in project["dependencies"]}
    locked = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()}
    assert asked - locked == set()


def _imported(tree: ast.Module) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module and node.level == 0}
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"careloop"}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

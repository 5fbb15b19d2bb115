"""Names, docstrings, nothing unfinished, nothing that belongs elsewhere."""

import ast
import csv
import gzip
import hashlib
import io
import json
import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, TEXT, classes, code, files, functions, place

GRAB_BAGS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "info", "process", "handle", "data", "stuff"}
OURS = code("src", "tools", "benchmarks")
UNFINISHED = re.compile(r"\b(" + "TO" + "DO|FIX" + "ME|X" + "XX|HA" + r"CK)\b|raise NotImplemented\w*(?!.*abstract)")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|Users|root|work|mnt|opt|private)/[\w.-]+/[\w./-]*")
REGISTRIES = re.compile(r"(?:index-url|extra-index|registry)\s*[=:]|pypi\.(?!org/project)[a-z]+|npmjs\.|/simple/")
SHARED = ROOT.parent / "shared" / "data"
SHORTEST_ROW = 24
QUOTED = re.compile(r"""\"((?:[^"\\\n]|\\.){24,})\"|'((?:[^'\\\n]|\\.){24,})'""")


def test_no_grab_bag_names():
    named = [place(path) for path in OURS if path.stem in GRAB_BAGS]
    folders = {place(folder) for path in OURS for folder in path.parents if folder.name in GRAB_BAGS and ROOT in folder.parents}
    assert named + sorted(folders) == []


def test_every_module_and_package_says_what_it_is():
    silent = [place(path) for path in OURS if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None]
    assert [where for where in silent if not where.endswith("/apps.py")] == []


def test_every_public_function_and_class_has_a_docstring():
    silent = []
    for path in code("src", "tools"):
        exempt = not_public(path)
        for node in [*functions(path), *classes(path)]:
            if id(node) not in exempt and ast.get_docstring(node) is None and not is_overload(node):
                silent.append(place(path, node.lineno, node.name))
    assert silent == []


def not_public(path: Path) -> set[int]:
    """What needs no docstring: private names and what is inside them, inner functions, methods that a base class here explains."""
    explained = {(one.name, inner.name) for one in classes(path) for inner in methods(one) if ast.get_docstring(inner)}
    exempt = {id(node) for one in functions(path) for node in ast.walk(one) if node is not one}
    for one in classes(path):
        if one.name.startswith("_") or one.name == "Meta":
            exempt |= {id(node) for node in ast.walk(one)}
        bases = {ast.unparse(base) for base in one.bases}
        exempt |= {id(inner) for inner in methods(one) if any((base, inner.name) in explained for base in bases)}
    return exempt | {id(one) for one in functions(path) if one.name.startswith("_")}


def methods(one: ast.ClassDef) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [inner for inner in one.body if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)]


def is_overload(node: ast.AST) -> bool:
    return any("overload" in ast.unparse(one) or ast.unparse(one).endswith(".setter") for one in getattr(node, "decorator_list", []))


def test_nothing_is_left_unfinished():
    found = []
    for path in code("src", "tools", "benchmarks", "tests"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if UNFINISHED.search(line):
                found.append(place(path, number, line.strip()))
    assert found == []


def test_no_function_is_a_stub():
    stubs = []
    for path in code("src", "tools"):
        protocols = {id(inner) for one in classes(path) if any("Protocol" in ast.unparse(base) for base in one.bases) for inner in one.body}
        for node in functions(path):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            is_empty = all(isinstance(one, ast.Pass) or (isinstance(one, ast.Expr) and ast.unparse(one) == "...") for one in body)
            is_group = any(".group" in ast.unparse(one) or ".command" in ast.unparse(one) for one in node.decorator_list)  # its help
            if is_empty and id(node) not in protocols and not is_overload(node) and not is_group:
                stubs.append(place(path, node.lineno, node.name))
    assert stubs == []


def test_no_paths_of_a_machine_and_no_registries():
    found = []
    for path in files():
        if path.suffix not in TEXT or path.name == "LICENSE" or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if MACHINE_PATHS.search(line) or REGISTRIES.search(line):
                found.append(place(path, number, line.strip()[:120]))
    assert found == []


def test_no_large_or_unexpected_files():
    large = [(path.stat().st_size, place(path)) for path in files() if path.stat().st_size > 1_500_000]
    assert [row for row in large if not row[1].startswith("src/careloop/insight/text/models/")] == []
    assert [place(path) for path in files(".pkl", ".pickle", ".joblib", ".sqlite3", ".pem", ".key", ".env")] == []


def rows_of(path: Path) -> set[str]:
    """The longest cell of each row of a shared file, shortened to what identifies it."""
    if path.name.endswith(".jsonl"):
        texts = [json.loads(line).get("text", "") for line in path.read_text(encoding="utf-8").splitlines()]
    else:
        reader = csv.reader(io.StringIO(gzip.decompress(path.read_bytes()).decode("utf-8")))
        texts = [max(row, key=len) for row in reader if row]
    return {digest(text) for text in texts if len(text.strip()) >= SHORTEST_ROW and not re.fullmatch(r"[\w.:-]+", text.strip())}


def digest(text: str) -> str:
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]


def candidates() -> dict[str, str]:
    """Every string, line and cell of our own text files that is long enough to be a row."""
    found = {}
    for path in files():
        if path.suffix not in TEXT:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        quoted = QUOTED.findall(text)
        parts = text.splitlines()
        parts += [double or single for double, single in quoted]
        for part in parts:
            for piece in {part, part.strip().strip("\",'")}:
                if len(piece.strip()) >= SHORTEST_ROW:
                    found[digest(piece)] = place(path)
    return found


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not beside the project")
def test_no_row_of_the_shared_data_is_in_the_tree():
    ours = candidates()
    found = []
    for path in sorted(SHARED.iterdir()):
        if path.suffix in {".gz", ".jsonl"} and path.stat().st_size < 4_000_000:
            found += [(path.name, ours[key]) for key in rows_of(path) & ours.keys()]
    assert found == []

"""The files of the project as the house tests see them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "tests", "tools", "benchmarks", "docs", ".ci")
TEXT = {
    ".py",
    ".md",
    ".html",
    ".txt",
    ".css",
    ".js",
    ".svg",
    ".toml",
    ".json",
    ".jsonl",
    ".csv",
    ".po",
    ".lock",
    ".yml",
    ".yaml",
    ".sh",
    "",
}
SKIPPED = {"__pycache__", ".artifacts", "careloop.egg-info", ".hypothesis"}


@cache
def files(*suffixes: str) -> list[Path]:
    """Every file of the project's folders and its top, of these endings (all without one)."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in FOLDERS:
        found += [path for path in (ROOT / folder).rglob("*") if path.is_file() and not SKIPPED & set(path.parts)]
    return sorted(path for path in found if not suffixes or path.suffix in suffixes)


def code(*folders: str) -> list[Path]:
    """Python files below these folders, without migrations."""
    return [path for path in files(".py") if path.relative_to(ROOT).parts[0] in folders and "migrations" not in path.parts]


@cache
def parsed(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file."""
    return (node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def classes(path: Path) -> Iterator[ast.ClassDef]:
    """Every class of a file."""
    return (node for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef))


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Length of the body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def place(path: Path, line: int = 0, name: str = "") -> str:
    """Where to look, relative to the project."""
    where = path.relative_to(ROOT).as_posix()
    return " ".join(part for part in (f"{where}:{line}" if line else where, name) if part)

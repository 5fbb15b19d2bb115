"""Sizes, so that a reader can hold a piece in mind: functions, files, classes, models, parameters."""

import ast

from tests.house.tree import ROOT, classes, code, functions, lines_of, place

OURS = code("src", "tools", "benchmarks")


def test_functions_have_at_most_60_lines_and_never_more_than_100():
    sizes = [(lines_of(node), place(path, node.lineno, node.name)) for path in OURS for node in functions(path)]
    long = sorted((row for row in sizes if row[0] > 60), reverse=True)
    assert [row for row in long if row[0] > 100] == []
    assert len(long) <= 0.02 * len(sizes), long


def test_files_have_at_most_400_lines():
    sizes = [(path.read_text(encoding="utf-8").count("\n"), place(path)) for path in OURS]
    assert sorted((row for row in sizes if row[0] > 400), reverse=True) == []


def test_classes_have_at_most_250_lines():
    sizes = [((node.end_lineno or 0) - node.lineno + 1, place(path, node.lineno, node.name)) for path in OURS for node in classes(path)]
    assert sorted((row for row in sizes if row[0] > 250), reverse=True) == []


def test_models_have_at_most_20_fields():
    from django.apps import apps

    sizes = [(len(model._meta.local_fields) - 1, model.__name__) for model in apps.get_models() if model.__module__.startswith("careloop.")]
    assert [row for row in sizes if row[0] > 20] == []
    assert len(sizes) > 10


def test_functions_have_at_most_6_parameters_unless_the_line_says_why():
    found = []
    for path in OURS:
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in functions(path):
            given = node.args
            names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs) if one.arg not in {"self", "cls"}]
            line = lines[node.lineno - 1]
            has_reason = "noqa: PLR0913  (" in line or is_command(node)
            if len(names) > 6 and not has_reason and not counts_as_action(names):
                found.append((len(names), place(path, node.lineno, node.name)))
    assert sorted(found, reverse=True) == []


def is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A function under click's decorators has one parameter for each option."""
    return any(isinstance(one, ast.Call) and ast.unparse(one.func).endswith((".command", "option")) for one in node.decorator_list)


def counts_as_action(names: list[str]) -> bool:
    """Who does it and when (`actor` or `viewer`, `now`) come with every action and do not count."""
    return len(set(names) - {"actor", "viewer", "now"}) <= 6


def test_the_tree_is_where_it_is_looked_for():
    assert ROOT.joinpath("pyproject.toml").is_file()
    assert len(OURS) > 80

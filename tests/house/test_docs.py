"""What is undocumented fails: commands, options, settings, error codes, decisions, pages that nobody links to."""

import ast
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from careloop.desk.config.environment import Environment
from tests.house.tree import ROOT, code, files, place
from tools.reference import commands, management_commands, options_of

DOCS = ROOT / "docs"
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#([^)\s]*))?\)")


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"docs/reference/commands.md has no heading '## {heading}'; run `make reference`"
    return found.group(1)


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=[name for name, _ in commands()])
def test_every_command_and_option_is_documented(name, command):
    under = section(text_of("reference/commands.md"), name)
    assert command.help, f"{name} has no help"
    for written, meaning in options_of(command):
        name_of_option = written.split()[0].rstrip(",")
        assert f"`{name_of_option}" in under, f"{name}: {name_of_option} is not in docs/reference/commands.md; run `make reference`"
        assert meaning, f"{name}: {name_of_option} has no help"


def test_every_management_command_is_documented():
    page = text_of("reference/commands.md")
    assert management_commands()
    for name in management_commands():
        section(page, f"careloop manage {name}")


def test_every_setting_is_documented_with_its_default():
    rows = dict(re.findall(r"^\| `(CARELOOP_[A-Z_]+)` \| (.*?) \|", text_of("reference/settings.md"), re.MULTILINE))
    fields = {f"CARELOOP_{name.upper()}": field.default for name, field in Environment.model_fields.items()}
    read_elsewhere = {"CARELOOP_SECRETS"}
    assert set(rows) == set(fields) | read_elsewhere
    follows_from_command = {"CARELOOP_BASE_URL", "CARELOOP_STREAM_URL", "CARELOOP_STREAM_PORT"}
    for name, default in fields.items():
        if default != "" and name not in follows_from_command:
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            assert f"`{shown}`" in rows[name], f"{name}: the default is {shown}, the page says {rows[name]}"


def test_no_setting_is_read_behind_the_page():
    known = set(re.findall(r"CARELOOP_[A-Z_]+", text_of("reference/settings.md")))
    used = {name for path in code("src") for name in re.findall(r"\bCARELOOP_[A-Z]+(?:_[A-Z]+)*\b", path.read_text(encoding="utf-8"))}
    assert used - known == set()


def error_codes() -> dict[str, str]:
    """The `code` of every class that has one and is an error, and where it stands."""
    found = {}
    for path in code("src"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                for one in node.body:
                    if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "code" and isinstance(one.value, ast.Constant):
                        found[str(one.value.value)] = place(path, one.lineno, node.name)
    return found


def test_every_error_code_is_documented():
    page = text_of("reference/errors.md")
    codes = error_codes()
    assert {"invalid", "not-allowed", "not-found", "conflict"} <= set(codes)
    assert {code: where for code, where in codes.items() if f"| `{code}` |" not in page} == {}
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) - set(codes) == set()


def test_decisions_have_at_most_30_lines_and_a_number_each():
    records = sorted((DOCS / "decisions").glob("*.md"))
    assert [(path.name, count) for path in records if (count := path.read_text(encoding="utf-8").count("\n")) > 30] == []
    assert len({path.name[:4] for path in records}) == len(records)
    for path in records:
        assert path.read_text(encoding="utf-8").startswith(f"# {path.name[:4]} ")


def links(page: Path) -> list[tuple[Path, str]]:
    """The local targets of a page's links, with the heading they name."""
    found = []
    for target, heading in LINK.findall(page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            found.append(((page.parent / unquote(target)).resolve(), heading))
    return found


def test_every_page_is_reached_from_the_index():
    seen, waiting = set(), [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen and page.is_file():
            seen.add(page)
            waiting += [target for target, _ in links(page) if target.suffix == ".md"]
    assert [place(path) for path in files(".md") if DOCS in path.parents and path not in seen] == []


def test_no_link_leads_nowhere():
    broken = [(place(page), str(target.name)) for page in files(".md") for target, _ in links(page) if not target.exists()]
    assert broken == []


def test_every_test_that_the_page_on_security_names_is_there():
    named = set(re.findall(r"`((?:desk|insight)/[\w/]+(?:\.py)?)`", text_of("explanation/security.md")))
    assert len(named) > 15
    assert [name for name in sorted(named) if not (ROOT / "tests" / name).exists()] == []


def test_the_index_is_reached_from_both_readmes():
    for name in ("README.md", "README.zh-CN.md"):
        assert DOCS / "README.md" in {target for target, _ in links(ROOT / name)}, f"{name} does not link to docs/README.md"
        head = "\n".join((ROOT / name).read_text(encoding="utf-8").splitlines()[:20])
        assert "make run" in head
        assert "make test" in head

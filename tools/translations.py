"""The Chinese catalogue, without GNU gettext: `python -m tools.translations` collects the words of code and templates and compiles.

django.po is edited by hand; django.mo is made from it; both are committed, so that an installation needs no tool.
"""

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from itertools import chain
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "careloop"
FOLDER = SOURCE / "desk" / "locale" / "zh_Hans" / "LC_MESSAGES"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
PO, MO = FOLDER / "django.po", FOLDER / "django.mo"
SHAPES = {"gettext": None, "_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3)}
KEYWORDS = {f"{name}{end}": shape for name, shape in SHAPES.items() for end in ("", "_lazy", "_noop") if name != "_" or not end}
CALL = re.compile(r"\b(n?p?gettext|_)\(")
PLACEHOLDER = re.compile(r"%\([A-Za-z_]\w*\)[sdif]|%[sdif]|\{[A-Za-z_]\w*(?:[:!][^}]*)?\}")


def collect() -> Catalog:
    """Every message of the desk's code and templates, with the files that use it."""
    catalog = Catalog(locale="zh_Hans", project="Careloop", version="1", charset="utf-8")
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix not in {".py", ".html", ".txt"} or "migrations" in path.parts:
            continue
        if path.suffix == ".py":
            found = chain(sentences_of(path), () if "insight" in path.parts else from_python(path))
        else:
            found = chain(from_template(path))
        for message, context in found:
            catalog.add(message, locations=[(path.relative_to(ROOT).as_posix(), 1)], context=context)
    return catalog


def from_python(path: Path) -> Iterator[tuple[str | tuple[str, str], str | None]]:
    """The messages of a module: (message or (singular, plural), context)."""
    with path.open("rb") as file:
        for _, name, found, _ in extract_python(file, list(KEYWORDS), [], {"encoding": "utf-8"}):
            parts = [found] if isinstance(found, str) else [part for part in found or () if part is not None]
            if parts:
                yield message_of(name, parts)


def sentences_of(path: Path) -> Iterator[tuple[str, None]]:
    """The templates of a module's `Sentence`s, which the core has in place of gettext."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)) if "Sentence(" in text else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Sentence":
            template = node.args[0]
            if isinstance(template, ast.Constant) and isinstance(template.value, str) and template.value != "{message}":
                yield template.value, None


def from_template(path: Path) -> Iterator[tuple[str | tuple[str, str], str | None]]:
    """The messages of a template; Django turns it into gettext calls, which are read one by one."""
    text = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    for match in CALL.finditer(text):
        parts = strings_of_call(text, match.end())
        if parts:
            yield message_of(match.group(1), parts)


def strings_of_call(text: str, start: int) -> list[str]:
    """The string arguments of the call whose parenthesis opens before `start`."""
    end = start
    while (end := text.find(")", end) + 1) > 0:
        try:
            call = ast.parse(f"f({text[start:end]}", mode="eval").body
        except SyntaxError:
            continue
        return [one.value for one in getattr(call, "args", []) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return []


def message_of(name: str, parts: list[str]) -> tuple[str | tuple[str, str], str | None]:
    """A call's arguments as message and context."""
    bare = name.removesuffix("_lazy").removesuffix("_noop")
    context = parts.pop(0) if bare in {"pgettext", "npgettext"} else None
    return ((parts[0], parts[1]) if bare in {"ngettext", "npgettext"} and len(parts) > 1 else parts[0]), context


def load() -> Catalog:
    """The catalogue as it is edited; empty when there is none."""
    if not PO.exists():
        return Catalog(locale="zh_Hans", project="Careloop", version="1", charset="utf-8")
    with PO.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def update(known: Catalog, wanted: Catalog) -> Catalog:
    """The wanted messages with the known translations; what is not used any more is dropped."""
    known.update(wanted, no_fuzzy_matching=True, update_header_comment=False)
    known.obsolete.clear()
    return known


def written(catalog: Catalog) -> bytes:
    """The text of django.po, without line numbers and dates that would change with every edit elsewhere."""
    catalog.fuzzy = False
    catalog.header_comment = "# Careloop in simplified Chinese; see CONTRIBUTING.md. Glossary: docs/reference/glossary.md."
    buffer = BytesIO()
    write_po(buffer, catalog, width=120, include_lineno=False, sort_output=True, ignore_obsolete=True)
    dates = re.compile(
        rb'^"(POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|Language-Team|Report-Msgid-Bugs-To): .*\n', re.M
    )
    return dates.sub(b"", buffer.getvalue())


def compiled(catalog: Catalog) -> bytes:
    """The bytes of django.mo; nothing but the translations and the header that says how to read them."""
    catalog.creation_date = catalog.revision_date = LONG_AGO  # else the bytes would change with every minute
    buffer = BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def problems(catalog: Catalog, wanted: Catalog) -> list[str]:
    """What is missing or wrong, one sentence each."""
    found = []
    for message in wanted:
        if not message.id:
            continue
        translated = catalog.get(message.id, context=message.context)
        strings = (
            [translated.string]
            if translated is not None and isinstance(translated.string, str)
            else list(translated.string if translated else [])
        )
        name = message.id if isinstance(message.id, str) else message.id[0]
        where = message.locations[0][0] if message.locations else ""
        if translated is None or not strings or not all(strings):
            found.append(f"{name!r} ({where}) has no translation")
        elif translated.fuzzy:
            found.append(f"{name!r} is marked fuzzy")
        elif not allowed_placeholders(message.id, strings):
            found.append(f"{name!r} has other placeholders than its translation {strings[0]!r}")
    return found


def allowed_placeholders(source: str | tuple[str, ...], strings: list[str]) -> bool:
    """Whether each translation uses the placeholders of the message (of its plural, where it has one)."""
    wanted = set(PLACEHOLDER.findall(source if isinstance(source, str) else source[-1]))
    return all(set(PLACEHOLDER.findall(one)) == wanted for one in strings)


def main() -> int:
    """Update, compile, say what is missing; exit code 1 when something is."""
    wanted = collect()
    catalog = update(load(), wanted)
    FOLDER.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(written(catalog))
    MO.write_bytes(compiled(load()))
    missing = problems(load(), wanted)
    print(f"{len(wanted)} messages, {len(missing)} to mend", *missing, sep="\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

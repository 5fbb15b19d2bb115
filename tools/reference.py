"""Write docs/reference/commands.md from what the commands say of themselves."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
import django
from django.core.management import get_commands, load_command_class

from careloop.cli import main as careloop

FILE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md"
HEAD = """# Commands

Every command has `--help`. A file called `-` is standard input or output. Commands end with 0 when they did what was asked, 1 when
something was refused (one sentence on standard error says what and what to do), 2 when they were called wrongly. Long work shows a
progress bar on a terminal and stays quiet elsewhere. This page is written by `make reference`.
"""
OF_DJANGO = {"help", "version", "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks"}


def commands(group: click.Group = careloop, name: str = "careloop") -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, groups before what is in them."""
    for part, command in group.commands.items():
        yield f"{name} {part}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {part}")


def management_commands() -> dict[str, str]:
    """Name → app of our own management commands."""
    return {name: app for name, app in sorted(get_commands().items()) if app.startswith("careloop.")}


def options_of(command: click.Command) -> Iterator[tuple[str, str]]:
    """Each argument and option: how it is written, and what it means."""
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            written = " / ".join(part for part in (", ".join(parameter.opts), ", ".join(parameter.secondary_opts)) if part)
            value = "" if parameter.is_flag else f" {parameter.make_metavar(click.Context(command))}"
            record = parameter.get_help_record(click.Context(command))
            yield f"{written}{value}", " ".join((record[1] if record else "").split())
        elif isinstance(parameter, click.Argument) and parameter.type is not click.UNPROCESSED:
            yield parameter.make_metavar(click.Context(command)), "required" if parameter.required else "optional"


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, command in commands():
        parts.append(f"## {name}\n\n{paragraph(command.help)}\n")
        parts += table(list(options_of(command)))
    for name, app in management_commands().items():
        made = load_command_class(app, name)
        parts.append(f"## careloop manage {name}\n\n{made.help}\n")
        actions = made.create_parser("careloop manage", name)._actions
        shown = [one for one in actions if one.dest not in OF_DJANGO]
        parts += table([(", ".join(one.option_strings) or one.dest.upper(), (one.help or "") % vars(one)) for one in shown])
    return "\n".join(parts)


def paragraph(text: str | None) -> str:
    """A docstring's lines as paragraphs."""
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def table(rows: list[tuple[str, str]]) -> list[str]:
    """Markdown, or nothing."""
    if not rows:
        return []
    lines = [f"| `{left.replace('|', chr(92) + '|')}` | {right.replace('|', chr(92) + '|')} |" for left, right in rows]
    return ["\n".join(["| option | meaning |", "|---|---|", *lines]) + "\n"]


def main() -> None:
    """Write the page."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careloop.desk.config.settings")
    django.setup()
    FILE.write_text(page(), encoding="utf-8")
    print(f"{FILE.name}: {sum(1 for _ in commands())} commands")


if __name__ == "__main__":
    main()

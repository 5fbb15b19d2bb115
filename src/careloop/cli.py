"""The `careloop` command: one function a subcommand; everything heavy is imported where it is used."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import careloop

USAGE_ERROR = 2


class Commands(click.Group):
    """Lists the commands in the order in which a newcomer needs them and turns our errors into sentences with exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they stand in this file."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run one; a refusal prints its sentence, not a traceback."""
        from careloop.insight.errors import CareloopError

        try:
            return super().invoke(ctx)
        except (CareloopError, OSError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(careloop.__version__, prog_name="careloop")
def main() -> None:
    """Customer service and feedback: collect, understand, solve, repair, measure."""


def desk_command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Names the settings before a command that needs the desk runs."""

    def prepared(*args: Any, **kwargs: Any) -> Any:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careloop.desk.config.settings")
        return function(*args, **kwargs)

    prepared.__name__, prepared.__doc__ = function.__name__, function.__doc__
    prepared.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    return prepared


PORT = click.IntRange(1, 65_535)


@main.command()
@click.option(
    "--port",
    type=PORT,
    default=8000,
    show_default=True,
    help="Port of the pages and the API; the live stream takes the next one.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@desk_command
def demo(port: int, host: str) -> None:
    """Everything at once on sample data: pages, live updates, worker; prints address and sign-in."""
    from careloop.desk.config import processes

    sys.exit(processes.run(host=host, port=port, with_worker=True, with_samples=True))


@main.command()
@click.option(
    "--port",
    type=PORT,
    default=8000,
    show_default=True,
    help="Port of the pages and the API; the live stream takes the next one.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--worker/--no-worker", default=True, show_default=True, help="Also run one worker.")
@desk_command
def serve(port: int, host: str, worker: bool) -> None:
    """Run the pages, the API and the live stream; migrates the database first."""
    from careloop.desk.config import processes

    sys.exit(processes.run(host=host, port=port, with_worker=worker, with_samples=False))


@main.command()
@click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Jobs run at the same time.")
@click.option("--once", is_flag=True, help="Stop when no job is ready.")
@desk_command
def worker(threads: int, once: bool) -> None:
    """Run waiting jobs until stopped."""
    import django

    django.setup()
    from careloop.desk.jobs import worker as jobs_worker

    sys.exit(jobs_worker.main(threads=threads, once=once))


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@desk_command
def manage(arguments: tuple[str, ...]) -> None:
    """Django's management commands (migrate, createsuperuser …) for this installation."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(["careloop manage", *arguments])


FILE = click.Path(path_type=Path, allow_dash=True)


@main.command("read")
@click.argument("file", type=FILE)
@click.option("--text", "text_column", required=True, help="Name of the column that holds the texts.")
@click.option(
    "--out",
    type=FILE,
    default="-",
    show_default=True,
    help="csv, csv.gz, jsonl or parquet by its name; - is standard output as csv.",
)
@click.option("--workers", type=click.IntRange(1, 256), default=None, help="Processes; default: one for each core.")
@click.option("--kind/--no-kind", default=True, show_default=True, help="Tell the kind of contact.")
def read(file: Path, text_column: str, out: Path, workers: int | None, kind: bool) -> None:
    """Read the texts of FILE: language, sentiment, kind, keywords, entities, summary as added columns."""
    from careloop.batch.read import read_file

    read_file(file, text_column=text_column, out=out, workers=workers or os.cpu_count() or 1, progress=sys.stderr.isatty())


if __name__ == "__main__":
    main()

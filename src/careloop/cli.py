"""The `careloop` command: one function a subcommand; everything heavy is imported where it is used."""

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import click

import careloop
from careloop.commands.learn import learn
from careloop.commands.read import read
from careloop.commands.similar import similar
from careloop.commands.topics import topics

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
    """The management commands (create_owner, rotate_keys, verify_audit, migrate …) for this installation."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(["careloop manage", *arguments])


@main.group("import")
def import_group() -> None:
    """Bring a file in: feedback (reviews with ratings), messages that open cases, or purchases."""


IMPORT_COLUMNS = {
    "text": ("--text", "Column of the texts."),
    "rating": ("--rating-column", "Column of the ratings."),
    "category": ("--category", "Column of the categories."),
    "product": ("--product", "Column of the products."),
    "sent_at": ("--date", "Column of date and time; without it rows get the time of the import."),
    "external_id": ("--id", "Column that names each row once and for all; without it file content and row number do."),
    "subject": ("--subject", "Column of the subjects."),
    "customer_name": ("--name", "Column of the customers' names."),
    "email": ("--email", "Column of the customers' e-mail addresses."),
    "phone": ("--phone", "Column of the customers' phone numbers."),
    "customer_id": ("--customer-id", "Column of the customers' numbers in the system that the file comes from."),
    "language": ("--language", "Column of the customers' languages."),
}
PURCHASE_COLUMNS = {
    "external_id": ("--order", "Column of the order numbers; the same number again is the same order, corrected."),
    "sent_at": ("--date", "Column of date and time of the purchase."),
    "amount": ("--amount", "Column of what was paid for the whole order, such as 1299.50 or ¥1,299.50."),
    "currency": ("--currency", "Column of the currencies; without it amounts that name none are in the money of --region."),
    "product": ("--products", "Column of the products, with semicolons between them."),
    **{field: IMPORT_COLUMNS[field] for field in ("customer_name", "email", "phone", "customer_id", "language")},
}
IMPORT_OPTIONS = [
    click.option("--rating-min", type=float, help="Lowest rating possible; taken from the values when both ends are left out."),
    click.option("--rating-max", type=float, help="Highest rating possible."),
    click.option("--channel", metavar="SLUG", help="Channel that the rows belong to; default: the file channel of the first team."),
    click.option("--missing", multiple=True, metavar="COL=drop|keep|fill:VALUE", help="What to do with rows that lack a value."),
    click.option("--drop-repeated", is_flag=True, help="Refuse rows that repeat an earlier one in every chosen column."),
    click.option("--dates", type=click.Choice(["refuse", "day-first", "month-first"]), default="refuse", help="What 03/05/2026 means."),
    click.option("--region", default="CN", show_default=True, help="Country of phone numbers that name none."),
    click.option("--encoding", help="Of text files; detected when left out."),
    click.option("--sheet", help="Of a workbook; the first visible one when left out."),
    click.option("--dry-run", is_flag=True, help="Look at every row and report; store nothing."),
    click.option(
        "--rejects", type=click.Path(dir_okay=False, writable=True), help="Copy the refused rows, with reasons, to this CSV file."
    ),
    click.option("--wait", is_flag=True, help="Also run the waiting jobs, so that every text is read when the command ends."),
    click.option("--json", "as_json", is_flag=True, help="Print the report as JSON."),
]


def import_command(function: Callable[..., Any], columns: dict[str, tuple[str, str]] = IMPORT_COLUMNS) -> Callable[..., Any]:
    """FILE and the options that all kinds of import share; the columns arrive as one dictionary by field."""

    def command(file: str, **options: Any) -> None:
        import django

        django.setup()
        from careloop.desk.imports.command_line import import_file
        from careloop.desk.kernel.errors import DeskError

        options["columns"] = {field: options.pop(f"column_{field}") for field in columns}
        try:
            sys.exit(import_file(file, what=function.__name__.rpartition("_")[2].upper(), options=options))
        except DeskError as error:
            raise click.ClickException(error.message) from error

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    wrapped = desk_command(command)
    for option in reversed(IMPORT_OPTIONS):
        wrapped = option(wrapped)
    for field, (name, help_text) in reversed(columns.items()):
        wrapped = click.option(name, f"column_{field}", metavar="COL", help=help_text)(wrapped)
    return click.argument("file")(wrapped)


@import_group.command("feedback")
@import_command
def import_feedback() -> None:
    """Import reviews and survey answers from FILE (csv, tsv, jsonl, xlsx or parquet, text also as .gz; - is standard input).

    Give at least --text or --rating-column. The same command goes on after an interruption and never doubles a row.
    """


@import_group.command("messages")
@import_command
def import_messages() -> None:
    """Import messages from FILE; each opens or joins a case of its customer.

    Give --text and one of --email, --phone, --customer-id. The same command goes on after an interruption and never doubles a row.
    """


@import_group.command("purchases")
@partial(import_command, columns=PURCHASE_COLUMNS)
def import_purchases() -> None:
    """Import purchases from FILE, one order a row; unknown buyers become customers.

    Give --order, --date, --amount and one of --email, --phone, --customer-id. A file with corrections replaces what was told before.
    """


main.add_command(read)
main.add_command(learn)
main.add_command(similar)
main.add_command(topics)

if __name__ == "__main__":
    main()

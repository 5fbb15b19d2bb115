"""`careloop topics`: what many texts are about."""

import json
from pathlib import Path

import click

from careloop.commands.encoder_option import chosen, encoder_option

FILE = click.Path(path_type=Path, allow_dash=True)


@click.command("topics")
@click.argument("file", type=FILE)
@click.option("--text", "text_column", required=True, help="Name of the column that holds the texts.")
@click.option("--topics", "n_topics", default="auto", show_default=True, metavar="N|auto", help="How many topics.")
@click.option(
    "--method",
    type=click.Choice(["mixture", "kmeans", "hdbscan", "lda", "nmf"]),
    default="mixture",
    show_default=True,
    help="The default is the best of them where we measured.",
)
@click.option("--time", "time_column", help="Column of dates: adds the trend and the emerging topics.")
@click.option("--by", type=click.Choice(["day", "week"]), default="week", show_default=True, help="Periods of the trend.")
@click.option(
    "--semantic/--no-semantic", default=False, show_default=True, help="Compare meanings, too; some 75 short texts a second and core."
)
@encoder_option
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same topics.")
@click.option("--out", type=FILE, help="Rows with their topic: csv, csv.gz, jsonl or parquet by its name; - is standard output.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a report with charts to this file.")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Of the report.")
@click.option("--json", "as_json", is_flag=True, help="Print the topics as JSON.")
def topics(  # noqa: PLR0913, PLR0917 - one for each option
    file: Path,
    text_column: str,
    n_topics: str,
    method: str,
    time_column: str | None,
    by: str,
    semantic: bool,
    encoder: str | None,
    seed: int,
    out: Path | None,
    html: Path | None,
    language: str,
    as_json: bool,
) -> None:
    """Divide the texts of FILE into topics, name them, and follow them over time."""
    from careloop.batch.topics import find_topics_of_file, write_rows
    from careloop.batch.topics_report import write_report
    from careloop.insight.text.encoder_choice import choose_encoder
    from careloop.insight.topics import TopicModel

    if n_topics != "auto" and not n_topics.isdigit():
        raise click.BadParameter(f"“{n_topics}” is not a number of topics; write a whole number, or auto.", param_hint="--topics")
    if as_json and str(out) == "-":
        raise click.UsageError("--json and --out - would both write to standard output; give --out a file.")
    number = None if n_topics == "auto" else int(n_topics)
    name, key = chosen(encoder, is_semantic=semantic)
    model = TopicModel(number, method=method, encoder=choose_encoder(name, key=key) if semantic else None, seed=seed)
    found = find_topics_of_file(file, model, text_column=text_column, time_column=time_column, period="day" if by == "day" else "week")
    if out is not None:
        write_rows(found, out)
    if html is not None:
        write_report(found, html, language=language)
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False))
    elif str(out) != "-":
        for topic in model.topics_:
            click.echo(f"{topic.number:3d}  {topic.size:7,}  {', '.join(topic.words)}")

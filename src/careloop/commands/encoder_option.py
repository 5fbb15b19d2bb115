"""The option --encoder of every command that compares meanings."""

import os
from collections.abc import Callable
from typing import Any

import click

BUNDLED = "bundled"
KEY = "CARELOOP_ENCODER_KEY"


def encoder_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --encoder; the command gets None when it is left out."""
    return click.option(
        "--encoder",
        metavar="bundled|hub:NAME|URL#MODEL",
        callback=_check,
        help=f"What compares meanings: the bundled encoder, a sentence-transformers model by its name on the hub, or a service that speaks "
        f"the OpenAI protocol, such as http://127.0.0.1:11434/v1#bge-m3 (its key from {KEY}).  [default: bundled]",
    )(function)


def chosen(encoder: str | None, *, is_semantic: bool | None) -> tuple[str, str]:
    """The encoder's name and key; refuses one that would not be asked."""
    if encoder is not None and not is_semantic:
        raise click.UsageError("--encoder compares meanings and --no-semantic forbids that: leave one of them out, or give --semantic.")
    return encoder or BUNDLED, os.environ.get(KEY, "")


def _check(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    from careloop.insight.errors import InputError
    from careloop.insight.text.encoder_choice import name_encoder

    try:
        if value is not None:
            name_encoder(value)
    except InputError as error:
        raise click.BadParameter(str(error)) from error
    return value

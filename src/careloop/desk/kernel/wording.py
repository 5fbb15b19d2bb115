"""Sentences that come as a template with values (the core's, and those kept in the database), said in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from careloop.desk.kernel.sentences import Sentence


def in_words(said: Mapping[str, Any]) -> str:
    """The sentence of a template and its values, which may be sentences themselves; what a library said in English is left out."""
    values = {name: in_words(value) if isinstance(value, Mapping) else value for name, value in said["values"].items()}
    template: str = said["template"]
    return gettext(template).format(**values)


def spoken(text: str) -> str:
    """A refusal's text in the reader's language, where it is a sentence that has a template; any other as it is."""
    return in_words(text.to_json()) if isinstance(text, Sentence) else text

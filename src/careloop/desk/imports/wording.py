"""What is wrong with a file or a row, as a sentence that each reader gets in their own language."""

from pathlib import Path

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.wording import in_words
from careloop.insight.errors import CareloopError, Sentence


def sentence_of(error: CareloopError | OSError, file_name: str) -> Sentence:
    """The error's own sentence; one for a file that the machine cannot read."""
    if isinstance(error, CareloopError):
        return error.sentence
    return Sentence("{file} cannot be opened any more; upload it again.", file=Path(file_name).name, detail=error.strerror or str(error))


def refusal(error: CareloopError | OSError, file_name: str) -> InvalidInput:
    """The refusal that a person reads."""
    return InvalidInput(in_words(sentence_of(error, file_name).to_json()), field=getattr(error, "field", None) or "file")


def spoken(text: str) -> str:
    """A reason in the language that is active; a text without template as it is."""
    return in_words(text.to_json()) if isinstance(text, Sentence) else text

"""Sentences of plain rules, which know no gettext: English as a text, another language through `kernel.wording`."""

from typing import Any, Self


class Sentence(str):
    """An English sentence that keeps its template (a literal: the key of its translation) and values; the core has its own of this kind."""

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Self:
        """The English text."""
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made

    def to_json(self) -> dict[str, Any]:
        """Template and values, as `kernel.wording.in_words` takes them."""
        return {"template": self.template, "values": self.values}

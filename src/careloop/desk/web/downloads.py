"""Files that a browser keeps: their bytes, their kind and their name."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from careloop.desk.reports.files import csv_text

CSV = "text/csv; charset=utf-8"


def csv_answer(name: str, head: Sequence[str], lines: Iterable[Sequence[Any] | Mapping[str, Any]]) -> HttpResponse:
    """Lines as a file that is called by `name` and the day."""
    return file_answer(csv_text(head, lines).encode(), CSV, f"{name}-{timezone.localdate()}.csv")


def file_answer(body: bytes, kind: str, name: str) -> HttpResponse:
    """A file to be kept."""
    response = HttpResponse(body, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response

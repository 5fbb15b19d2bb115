"""Imports: take a file in, choose columns, see what would happen, let it run, read the report."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.imports import actions, files, queries, queueing
from careloop.desk.imports.rules import FEEDBACK, PURCHASES, Choices, ColumnChoice
from careloop.desk.kernel.errors import DeskError, InvalidInput
from careloop.desk.web.access import for_viewer, refusal

ENCODINGS = ("utf-8", "gb18030", "big5", "utf-16", "cp1252", "shift_jis", "euc-kr")
REGIONS = ("CN", "HK", "TW", "SG", "US", "GB", "DE", "FR", "JP", "KR", "AU", "IN")
DAY_FIRST = {"": None, "day": True, "month": False}


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("import.run")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The imports so far, and where a file goes in."""
    return _list_page(request, viewer)


@csrf_exempt  # the token is checked in _take_in, after the size: an oversized body is not read at all
@require_POST
@for_viewer("import.run")
def upload(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Take a file in and go on to its columns; a refusal leaves the person on the list with the reason."""
    try:
        files.check_size(int(request.META.get("CONTENT_LENGTH") or 0) - files.FORM_BYTES, _("The file"), settings.UPLOAD_LIMIT_BYTES)
        return _take_in(request, viewer)
    except DeskError as error:
        if not request.headers.get("HX-Request"):
            return _list_page(request, viewer, error=error)
        response = refusal(request, error)
        response["HX-Retarget"] = "#upload-refusal"
        return response


@csrf_protect
def _take_in(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    given = request.FILES.get("file")
    if given is None:
        raise InvalidInput(_("No file was chosen; choose a CSV, XLSX, JSON lines or Parquet file."), field="file")
    what, encoding = request.POST.get("what", FEEDBACK), request.POST.get("encoding", "")
    run = actions.upload(chunks=given.chunks(), name=given.name or "", what=what, encoding=encoding, viewer=viewer, now=now())
    return _go_to(request, run.pk)


@require_GET
@for_viewer("import.run")
def run(request: HttpRequest, viewer: Viewer, run_id: int) -> HttpResponse:
    """One import: its columns, its check, its progress or its result, as far as it is."""
    return _run_page(request, viewer, run_id)


@require_GET
@for_viewer("import.run")
def progress(request: HttpRequest, viewer: Viewer, run_id: int) -> HttpResponse:
    """How far it is, asked once a second; the whole page is loaded anew when the work has ended."""
    shown = queries.page(run_id, viewer, now=now())
    if not shown.is_working:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "imports/progress.html", {"shown": shown})


@require_POST
@for_viewer("import.run")
def check(request: HttpRequest, viewer: Viewer, run_id: int) -> HttpResponse:
    """Keep the chosen columns and have the whole file looked at."""
    try:
        choices = choices_from(request.POST)
        destination = request.POST.get("destination", "")
        queueing.check(run_id=run_id, choices=choices, destination=destination, viewer=viewer, now=now())
    except InvalidInput as error:
        return _run_page(request, viewer, run_id, error=error)
    return redirect("import", run_id)


@require_POST
@for_viewer("import.run")
def start(request: HttpRequest, viewer: Viewer, run_id: int) -> HttpResponse:
    """Let a checked import run."""
    queueing.start(run_id=run_id, viewer=viewer, now=now())
    return redirect("import", run_id)


@require_POST
@for_viewer("import.run")
def resume(request: HttpRequest, viewer: Viewer, run_id: int) -> HttpResponse:
    """Queue the work again after its job was given up."""
    queueing.resume(run_id=run_id, viewer=viewer)
    return redirect("import", run_id)


@require_POST
@for_viewer("import.run")
def cancel(request: HttpRequest, viewer: Viewer, run_id: int) -> HttpResponse:
    """Stop after the present chunk, or forget an upload."""
    actions.cancel(run_id=run_id, viewer=viewer, now=now())
    messages.success(request, _("Cancelled. Rows that were already stored stay."))
    return redirect("import", run_id)


@require_GET
@for_viewer("import.run")
def rejects(request: HttpRequest, viewer: Viewer, run_id: int) -> FileResponse:
    """The refused rows with their reasons, to be mended and imported again."""
    found, path = actions.open_rejects(run_id=run_id, viewer=viewer, now=now())
    name = f"{found.file_name.split('.')[0]}-refused.csv"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


def choices_from(posted: Mapping[str, Any]) -> Choices:
    """The choices of the mapping form: columns numbered from 0, each with field, policy and fill value."""
    columns = []
    for number in range(1_000):
        column = posted.get(f"column-{number}")
        if column is None:
            break
        if field := posted.get(f"field-{number}", ""):
            missing = posted.get(f"missing-{number}", "KEEP")
            if missing not in ("KEEP", "DROP", "FILL"):
                raise InvalidInput(f"The policy for missing values is {missing!r}; expected KEEP, DROP or FILL.", field=field)
            columns.append(ColumnChoice(column, field, missing, posted.get(f"fill-{number}", "") if missing == "FILL" else ""))
    return Choices(
        tuple(columns),
        rating_min=_number(posted, "rating_min"),
        rating_max=_number(posted, "rating_max"),
        is_day_first=DAY_FIRST.get(posted.get("dates", "")),
        drops_repeated=posted.get("drops_repeated") == "on",
        region=posted.get("region", "CN"),
        time_zone=settings.TIME_ZONE,
        encoding=posted.get("encoding", ""),
        sheet=posted.get("sheet", ""),
    )


def _number(posted: Mapping[str, Any], name: str) -> float | None:
    text = posted.get(name, "").strip()
    try:
        value = float(text) if text else None
    except ValueError:
        value = float("nan")
    if value is not None and not abs(value) < 1e9:
        sentence = _("“%(given)s” is no number; give the end of the rating scale such as 1 or 5, or nothing.")
        raise InvalidInput(sentence % {"given": text}, field=name)
    return value


def _list_page(request: HttpRequest, viewer: Viewer, *, error: DeskError | None = None) -> HttpResponse:
    context = {
        "runs": queries.list_runs(viewer),
        "error": error,
        "limit_megabytes": settings.UPLOAD_LIMIT_BYTES // 1_000_000,
        "encodings": ENCODINGS,
    }
    return render(request, "imports/list.html", context, status=error.status if error else 200)


def _run_page(request: HttpRequest, viewer: Viewer, run_id: int, *, error: InvalidInput | None = None) -> HttpResponse:
    """The page of a run; after a refusal with what the person had entered."""
    encoding, sheet = request.GET.get("encoding", ""), request.GET.get("sheet", "")
    try:
        shown = queries.page(run_id, viewer, now=now(), encoding=encoding, sheet=sheet)
    except InvalidInput as unreadable:  # in the encoding that was asked for: show it as detected, with the reason
        error, encoding, sheet = error or unreadable, "", ""
        shown = queries.page(run_id, viewer, now=now())
    context: dict[str, Any] = {"shown": shown, "run": shown.run, "error": error, "rows_url": _rows_url(shown.run)}
    chooses = shown.run.state == "UPLOADED" or "columns" in request.GET or error is not None
    if shown.preview is not None and chooses:
        proposed = queries.proposed_choices(shown.run, shown.preview)
        if error is not None and request.method == "POST":
            proposed = _entered(request, proposed)
        context |= {
            "chooses": True,
            "choices": proposed,
            "mapping": queries.mapping_rows(shown.preview, proposed.columns),
            "fields": queries.names_of_fields(shown.run.what).items(),
            "regions": REGIONS,
            "encodings": dict.fromkeys([shown.preview.encoding, *ENCODINGS]) if shown.preview.encoding else (),
            "sheet": sheet or proposed.sheet,
            "encoding": encoding or proposed.encoding,
        }
    return render(request, "imports/run.html", context, status=error.status if error else 200)


def _rows_url(run: Any) -> str:
    """Where the stored rows are seen: the feedback of the run's channel, or the inbox."""
    if run.channel is None:
        return ""
    if run.what == PURCHASES:
        return reverse("customers")
    route, rest = ("feedback", {"period": "all"}) if run.what == FEEDBACK else ("inbox", {"view": "open"})
    return f"{reverse(route)}?{urlencode({'channel': run.channel.slug, **rest})}"


def _entered(request: HttpRequest, proposed: Choices) -> Choices:
    try:
        return choices_from(request.POST)
    except InvalidInput:
        return proposed


def _go_to(request: HttpRequest, run_id: int) -> HttpResponse:
    url = reverse("import", args=[run_id])
    return HttpResponse(headers={"HX-Redirect": url}) if request.headers.get("HX-Request") else HttpResponseRedirect(url)

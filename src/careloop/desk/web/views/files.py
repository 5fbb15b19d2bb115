"""Files: chosen for a reply or a note, left out again, taken from a case."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import DeskError
from careloop.desk.teamwork import attachments
from careloop.desk.teamwork.file_rules import LARGEST_FILE_BYTES, GivenFile
from careloop.desk.web.access import for_viewer
from careloop.desk.writing import files as writing
from careloop.desk.writing.queries import writing_of


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


def given_files(request: HttpRequest) -> list[GivenFile]:
    """The files of a form; of one that is too large only as much as shows that it is."""
    return [GivenFile(one.name or "", one.read(LARGEST_FILE_BYTES + 1)) for one in request.FILES.getlist("files") if one.size]


def choose_given(request: HttpRequest, viewer: Viewer, case_id: int, kind: str) -> None:
    """Put the files that were sent with the text itself, as browsers without script do, to those that are chosen already."""
    if given := given_files(request):
        writing.choose_files(case_id=case_id, kind=kind, files=given, viewer=viewer, now=now())


@require_POST
@for_viewer("case.work")
def choose(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Put files to what one is writing; a refusal stands beside those that are chosen."""
    access_case(case_id, viewer)
    kind, error, status = request.POST.get("kind", "REPLY"), "", 200
    try:
        choose_given(request, viewer, case_id, kind)
    except DeskError as refused:
        if not request.headers.get("HX-Request"):
            raise
        error, status = refused.message, refused.status
    return _chosen(request, viewer, case_id, kind, error=error, status=status)


@require_POST
@for_viewer("case.work")
def leave_out(request: HttpRequest, viewer: Viewer, case_id: int, chosen_id: int) -> HttpResponse:
    """Take a chosen file out again."""
    kind = writing.leave_out(case_id=case_id, file_id=chosen_id, viewer=viewer)
    return _chosen(request, viewer, case_id, kind)


@require_GET
@for_viewer("case.view")
def file(request: HttpRequest, viewer: Viewer, case_id: int, file_id: int) -> HttpResponse:
    """A file of the case; the audit trail notes who took it."""
    return file_response(attachments.open_file(case_id, file_id, viewer, now=now()))


def file_response(found: Any) -> HttpResponse:
    """A file to keep, never one that a browser opens beside our pages."""
    response = HttpResponse(bytes(found.content), content_type=found.content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=found.name) or "attachment"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _chosen(request: HttpRequest, viewer: Viewer, case_id: int, kind: str, *, error: str = "", status: int = 200) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return redirect("case", case_id)
    kind = kind if kind in writing.KINDS else "REPLY"
    context = {"case_id": case_id, "kind": kind, "files": writing_of(case_id, viewer).files[kind], "file_error": error}
    response = render(request, "case/chosen.html", context, status=status)
    response["HX-Retarget"], response["HX-Reswap"] = f"#chosen-{kind.lower()}", "outerHTML"
    return response

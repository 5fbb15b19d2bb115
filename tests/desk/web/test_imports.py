"""Imports in the browser: upload, columns, check, progress, result; who may, and what bad input is told."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from careloop.desk.audit.models import AuditEntry
from careloop.desk.feedback.models import Feedback
from careloop.desk.imports.models import ImportRun, State
from careloop.desk.jobs.models import Job
from careloop.desk.jobs.worker import Worker

CONTENT = "评论内容,星级,类别\n热水器漏水，要求退款,1,热水器\n很好用，谢谢,5,\n坏的评分,很好,手机\n"
FORM = {
    "column-0": "评论内容", "field-0": "text", "missing-0": "DROP", "fill-0": "",
    "column-1": "星级", "field-1": "rating", "missing-1": "KEEP", "fill-1": "",
    "column-2": "类别", "field-2": "category", "missing-2": "FILL", "fill-2": "其他",
    "rating_min": "", "rating_max": "", "dates": "", "region": "CN", "encoding": "", "sheet": "",
}  # fmt: skip


@pytest.fixture(autouse=True)
def upload_dir(settings, tmp_path):
    settings.UPLOAD_DIR = tmp_path / "uploads"
    return settings.UPLOAD_DIR


@pytest.fixture
def browser(client, cast) -> Client:
    """A signed-in supervisor."""
    client.force_login(cast.supervisor)
    return client


@pytest.fixture
def uploaded(browser):
    """Uploads a file; returns the run."""

    def upload(content: bytes = CONTENT.encode("gb18030"), name: str = "五月.csv", **facts) -> ImportRun:
        response = browser.post("/imports/upload/", {"file": SimpleUploadedFile(name, content), "what": "FEEDBACK", **facts})
        assert response.status_code == 302, response.content.decode()
        return ImportRun.objects.get(pk=int(re.search(r"/imports/(\d+)/", response["Location"])[1]))

    return upload


def work_off() -> None:
    """What a worker does beside the pages."""
    Worker(queues=["default"]).run_until_empty()


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_a_file_goes_all_the_way_from_upload_to_feedback(browser, cast, uploaded):
    run = uploaded()
    page = browser.get(f"/imports/{run.pk}/")
    shown = page.content.decode()
    assert "GB18030" in shown
    assert "热水器漏水，要求退款" in shown
    assert re.findall(r'<option value="(\w+)" selected>', shown) == ["text", "KEEP", "rating", "KEEP", "category", "KEEP"]
    assert f'<option value="team:{cast.team.pk}"' in shown

    checking = browser.post(f"/imports/{run.pk}/check/", {**FORM, "destination": f"team:{cast.team.pk}"})
    assert checking["Location"] == f"/imports/{run.pk}/"
    waiting = browser.get(f"/imports/{run.pk}/")
    assert "Looking at every row; nothing is stored yet" in text_of(waiting)
    assert "No worker is running" in text_of(waiting)
    work_off()
    assert browser.get(f"/imports/{run.pk}/progress/")["HX-Refresh"] == "true"
    checked = text_of(browser.get(f"/imports/{run.pk}/"))
    assert "Rows 3 Would be stored 2 Would be refused 1 Import 2 rows" in checked
    assert "Not a rating Row 3 (line 4), column “星级”: “很好” is no rating. 1" in checked
    assert "类别 Category 1 1 filled in" in checked
    assert Feedback.objects.count() == 0

    browser.post(f"/imports/{run.pk}/start/")
    assert "Storing rows" in text_of(browser.get(f"/imports/{run.pk}/progress/"))
    work_off()
    done = browser.get(f"/imports/{run.pk}/")
    assert "Stored 2 Already known 0 Refused 1" in text_of(done)
    assert f'href="/feedback/?channel=file-{cast.team.pk}&amp;period=all"' in done.content.decode()
    assert list(Feedback.objects.order_by("pk").values_list("rating", "category")) == [(1, "热水器"), (5, "其他")]

    rejects = browser.get(f"/imports/{run.pk}/rejects/")
    assert rejects["Content-Disposition"] == "attachment; filename*=utf-8''%E4%BA%94%E6%9C%88-refused.csv"
    lines = b"".join(rejects.streaming_content).decode("utf-8-sig").splitlines()
    assert lines == [
        "row,line,column,reason,评论内容,星级,类别,(other cells)",
        "3,4,星级,Row 3 (line 4), column “星级”: “很好” is no rating.,坏的评分,很好,手机,".replace(
            "Row 3 (line 4), column “星级”: “很好” is no rating.", '"Row 3 (line 4), column “星级”: “很好” is no rating."'
        ),
    ]
    assert AuditEntry.objects.filter(action="import.rejects").count() == 1


def test_the_list_names_files_states_and_counts_and_starts_empty(browser, uploaded):
    assert "No imports yet" in text_of(browser.get("/imports/"))
    uploaded()
    shown = text_of(browser.get("/imports/"))
    assert "五月.csv" in shown
    assert "Uploaded Feedback – – – – Sun now" in shown


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.csv", "The submitted file is empty|is empty"),
        (b"%PDF-1.7 x", "a.pdf", "a.pdf is a PDF document; export the table as CSV or XLSX."),
        (b"PK\x03\x04broken", "a.xlsx", "a.xlsx is damaged or cut off"),
        (b'[{"a": 1}]', "a.json", "a.json is a JSON array"),
        ("評論,分\n這個商品很好用,5\n".encode("big5") * 40, "a.csv", "encoding"),
    ],
)
def test_a_bad_file_is_told_what_is_wrong_and_leaves_nothing(browser, upload_dir, content, name, words):
    response = browser.post("/imports/upload/", {"file": SimpleUploadedFile(name, content), "what": "FEEDBACK"})
    assert response.status_code == 422
    assert re.search(words, text_of(response))
    assert ImportRun.objects.count() == 0
    assert list(upload_dir.glob("*")) == []


def test_the_encoding_may_be_given_where_it_cannot_be_detected(browser, uploaded):
    run = uploaded("評論,分\n這個商品很好用,5\n".encode("big5") * 40, encoding="big5")
    assert "這個商品很好用" in browser.get(f"/imports/{run.pk}/").content.decode()


def test_no_file_is_told_so(browser, db):
    response = browser.post("/imports/upload/", {"what": "FEEDBACK"})
    assert response.status_code == 422
    assert "No file was chosen" in text_of(response)


def test_an_oversized_body_is_refused_unread(browser, settings, upload_dir):
    settings.UPLOAD_LIMIT_BYTES = 1_000
    response = browser.post("/imports/upload/", {"file": SimpleUploadedFile("a.csv", b"t\n" + b"x\n" * 200_000), "what": "FEEDBACK"})
    assert response.status_code == 422
    assert "larger than the limit" in text_of(response)
    assert not upload_dir.exists()


def test_an_upload_without_its_token_is_refused(cast):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.supervisor)
    response = browser.post("/imports/upload/", {"file": SimpleUploadedFile("a.csv", b"t\nx\n"), "what": "FEEDBACK"})
    assert response.status_code == 403
    assert ImportRun.objects.count() == 0


def test_htmx_gets_a_fragment_or_is_sent_on(browser, db):
    refused = browser.post(
        "/imports/upload/", {"file": SimpleUploadedFile("a.csv", b"%PDF"), "what": "FEEDBACK"}, headers={"HX-Request": "true"}
    )
    assert refused.status_code == 422
    assert refused["HX-Retarget"] == "#upload-refusal"
    assert "<html" not in refused.content.decode()
    sent = browser.post(
        "/imports/upload/", {"file": SimpleUploadedFile("a.csv", b"t\nx\n"), "what": "FEEDBACK"}, headers={"HX-Request": "true"}
    )
    assert sent["HX-Redirect"] == f"/imports/{ImportRun.objects.get().pk}/"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"field-0": "", "field-1": ""}, "feedback needs at least one of them"),
        ({"field-1": "text"}, "Two columns are mapped to the field “text”"),
        ({"column-0": "nowhere"}, "There is no column “nowhere”"),
        ({"destination": "wholesale"}, "There is no file channel"),
        ({"rating_min": "one"}, "is no number; give the end of the rating scale"),
        ({"rating_min": "5", "rating_max": "1"}, "its end must be above its beginning"),
        ({"missing-0": "LOSE"}, "expected KEEP, DROP or FILL"),
        ({"missing-1": "FILL", "fill-1": "many"}, "cannot be used"),
        ({"region": "Atlantis"}, "is no known region"),
        ({"encoding": "klingon"}, "klingon"),
    ],
)
def test_choices_that_cannot_work_are_told_and_what_was_entered_stays(browser, cast, uploaded, changes, words):
    run = uploaded()
    form = {**FORM, "destination": f"team:{cast.team.pk}", "fill-2": "别的", **changes}
    response = browser.post(f"/imports/{run.pk}/check/", form)
    assert response.status_code == 422
    assert words in response.content.decode()
    run.refresh_from_db()
    assert (run.state, Job.objects.count()) == (State.UPLOADED, 0)
    if not {"rating_min", "missing-0"} & changes.keys() or "rating_max" in changes:
        assert 'value="别的"' in response.content.decode()


def test_columns_may_be_changed_after_the_check(browser, cast, uploaded):
    run = uploaded()
    browser.post(f"/imports/{run.pk}/check/", {**FORM, "destination": f"team:{cast.team.pk}"})
    work_off()
    page = browser.get(f"/imports/{run.pk}/?columns=1").content.decode()
    assert 'value="其他"' in page
    browser.post(f"/imports/{run.pk}/check/", {**FORM, "field-1": "", "destination": f"file-{cast.team.pk}"})
    work_off()
    run.refresh_from_db()
    assert (run.state, run.report["accepted"]) == (State.CHECKED, 3)


def test_another_encoding_shows_other_rows_or_the_reason(browser, uploaded):
    run = uploaded()
    assert browser.get(f"/imports/{run.pk}/?encoding=gbk").status_code == 200
    refused = browser.get(f"/imports/{run.pk}/?encoding=klingon")
    assert refused.status_code == 422
    assert "klingon" in text_of(refused)
    assert "热水器漏水" in refused.content.decode()


def test_a_run_whose_job_was_given_up_says_why_and_goes_on(browser, cast, uploaded):
    run = uploaded()
    browser.post(f"/imports/{run.pk}/check/", {**FORM, "destination": f"team:{cast.team.pk}"})
    Job.objects.update(state="DEAD", last_error="sqlite3.OperationalError: disk full")
    assert "sqlite3.OperationalError: disk full" in text_of(browser.get(f"/imports/{run.pk}/"))
    browser.post(f"/imports/{run.pk}/resume/")
    work_off()
    run.refresh_from_db()
    assert run.state == State.CHECKED


def test_cancelling_forgets_the_file(browser, uploaded, django_capture_on_commit_callbacks, upload_dir):
    run = uploaded()
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(f"/imports/{run.pk}/cancel/")
    assert "Cancelled after 0 rows" in text_of(browser.get(f"/imports/{run.pk}/"))
    assert list(upload_dir.glob("*")) == []


@pytest.mark.parametrize("who", ["agent", "outsider"])
def test_agents_see_no_imports(client, cast, uploaded, who):
    run = uploaded()
    client.force_login(getattr(cast, who))
    for path in ("", f"{run.pk}/", f"{run.pk}/progress/", f"{run.pk}/rejects/"):
        assert client.get(f"/imports/{path}").status_code == 403
    for verb in ("check", "start", "resume", "cancel"):
        assert client.post(f"/imports/{run.pk}/{verb}/").status_code == 403
    assert client.post("/imports/upload/", {"file": SimpleUploadedFile("a.csv", b"t\nx\n")}).status_code == 403
    assert list(ImportRun.objects.values_list("state", flat=True)) == ["UPLOADED"]


def test_a_supervisor_of_another_team_finds_no_such_import(client, cast, uploaded, now):
    from careloop.desk.accounts.models import User

    run = uploaded()
    other = User.objects.create(email="s@other.example", display_name="Other", role="SUPERVISOR", date_joined=now)
    other.teams.set([cast.other_team])
    client.force_login(other)
    assert "五月" not in client.get("/imports/").content.decode()
    for path in ("", "progress/", "rejects/"):
        assert client.get(f"/imports/{run.pk}/{path}").status_code == 404
    for verb in ("check", "start", "resume", "cancel"):
        assert client.post(f"/imports/{run.pk}/{verb}/", FORM).status_code == 404
    run.refresh_from_db()
    assert run.state == State.UPLOADED


def test_strangers_are_sent_to_sign_in(client, db):
    for path in ("/imports/", "/imports/1/", "/imports/1/progress/", "/imports/1/rejects/"):
        assert client.get(path)["Location"] == f"/accounts/login/?next={path}"
    assert client.post("/imports/upload/", {"file": SimpleUploadedFile("a.csv", b"t\nx\n")})["Location"].startswith("/accounts/login/")


def test_the_list_costs_the_same_for_any_number_of_runs(browser, uploaded, django_assert_num_queries):
    for _ in range(2):
        uploaded()
    with django_assert_num_queries(4):
        browser.get("/imports/")
    for _ in range(6):
        uploaded()
    with django_assert_num_queries(4):
        browser.get("/imports/")


def test_what_a_file_says_is_shown_escaped(browser, uploaded):
    run = uploaded(b"<b>text</b>,n\n<script>alert(1)</script>,2\n", "<img src=x>.csv")
    page = browser.get(f"/imports/{run.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<b>text</b>" not in page

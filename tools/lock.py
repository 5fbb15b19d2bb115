"""Write requirements.lock and requirements-dev.lock: the exact versions that are installed here, of all that the package needs."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
FILES = {"requirements.lock": {""}, "requirements-dev.lock": {"", "dev"}}


def closure(name: str, extras: set[str]) -> dict[str, str]:
    """Name → version of everything that `name` with these extras needs on this Python, without itself."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(name, extra) for extra in extras]
    while waiting:
        one, extra = waiting.pop()
        if (normal(one), extra) in seen:
            continue
        seen.add((normal(one), extra))
        if normal(one) == normal(name):
            needs = wanted_by_project(extra)
        else:
            package = metadata.distribution(one)
            found[normal(one)] = package.version
            needs = package.requires or []
        for text in needs:
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                waiting += [(wanted.name, more) for more in {"", *wanted.extras}]
    return found


def wanted_by_project(extra: str) -> list[str]:
    """What pyproject.toml asks for now (the installed metadata may be older)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["optional-dependencies"][extra] if extra else project["dependencies"])


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Both files."""
    for file, extras in FILES.items():
        rows = [f"{name}=={version}" for name, version in sorted(closure("careloop", extras).items())]
        head = "# Written by `make lock`; the versions that the tests run with."
        (ROOT / file).write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        print(f"{file}: {len(rows)} packages")


if __name__ == "__main__":
    main()

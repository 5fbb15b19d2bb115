"""The map of ARCHITECTURE.md is what the imports say."""

import os
import subprocess
import sys

from tests.house.tree import ROOT


def test_every_layer_contract_is_kept():
    environment = {**os.environ, "PYTHONPATH": "src"}
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "0 broken" in done.stdout

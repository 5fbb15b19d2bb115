"""Workers are killed with -9 in the middle of running rules: no action is lost, none is done twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ENDS_WITHIN_SECONDS = 600  # costs nothing but on failure, and a busy machine is no failure
ONCE = {"notes": 1, "tags": 1, "tasks": 1, "replies": 1, "priorities": 1, "notices": 1, "done": 2, "others": 0}


@pytest.mark.chaos
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its workers")
def test_no_action_of_a_rule_is_lost_or_done_twice_when_workers_are_killed(tmp_path):
    run = Path(__file__).with_name("kill_run.py")
    command = [sys.executable, str(run), str(tmp_path), "24", "4", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=ENDS_WITHIN_SECONDS, check=False)
    assert ended.returncode == 0, ended.stderr[-4000:]
    told = json.loads(ended.stdout)
    assert told["killed"] == 4
    assert told["cases"] == [ONCE] * 24

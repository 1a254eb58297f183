"""`fenzhi serve` as a user runs it: an address is printed, it answers, Ctrl-C ends it without a word of alarm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from cli.calls import fenzhi

SRC = Path(__file__).parents[2] / "src"


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_it_answers_until_it_is_stopped(small_run: Path) -> None:
    words = [sys.executable, "-m", "fenzhi", "serve", str(small_run.parents[1]), "--hospital", "A1"]
    env = os.environ | {"PYTHONPATH": str(SRC), "PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert running.stdout is not None
        first, address = running.stdout.readline(), running.stdout.readline().strip()
        assert "请勿转发" in first
        with build_opener(HTTPCookieProcessor()).open(address, timeout=60) as answer:
            assert "A1" in answer.read().decode()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert (running.returncode, err) == (0, "")
    assert out.endswith("已结束\n")


def test_what_cannot_be_shown_is_said(small: Path) -> None:
    said = fenzhi("serve", small)
    assert said.code == 2
    assert said.err.startswith("[SERVE_NO_RUN]")

"""The scripts in scripts/: what they say when something is missing, and what they read from pytest."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections import Counter
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
COMMANDS = [path for path in sorted(SCRIPTS.iterdir()) if path.is_file() and not path.suffix]


def script(name, monkeypatch):
    """Import a script, which has no extension, without leaving traces."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = SourceFileLoader(f"script_{name}", str(SCRIPTS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def test_there_are_scripts():
    assert {"bench", "demo", "lock", "test"} <= {path.name for path in COMMANDS}


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.name)
def test_a_script_starts_with_python_and_may_be_run(path):
    assert path.read_bytes().startswith(b"#!/usr/bin/env python3\n")
    if os.name == "posix":
        assert os.access(path, os.X_OK)


def test_an_old_python_is_stopped_in_words_before_anything_else(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    with pytest.raises(SystemExit) as caught:
        script("_python.py", monkeypatch)
    text = str(caught.value.code)
    assert "needs Python 3.11 or newer; this is Python 3.9" in text
    assert "to do:" in text


@pytest.mark.parametrize(
    "path", [path for path in COMMANDS if path.name != "lock"], ids=lambda path: path.name
)
def test_the_version_is_asked_before_our_own_modules_are_read(path):
    lines = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith(("import _", "from _"))
    ]
    assert lines[0].startswith("import _python")
    assert lines[1].startswith("from _setup import")


@pytest.mark.parametrize(
    ("output", "wrong"),
    [
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('Failed to establish a "
            "new connection: [Errno 111] Connection refused')': /simple/altair/\n"
            "ERROR: Could not find a version that satisfies the requirement altair==6.3.0 (from versions: none)",
            "could not be downloaded",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "not enough space",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "is not the one that requirements.lock names",
        ),
        ("error: metadata-generation-failed", "pip could not install requirements.lock"),
    ],
)
def test_what_pip_says_is_put_in_plain_words(output, wrong, monkeypatch):
    said, remedy = script("_setup.py", monkeypatch).why_pip_failed(output, "requirements.lock")
    assert wrong in said
    assert remedy


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("12 passed in 3.45s", {"passed": 12}),
        ("1 failed, 12 passed, 2 skipped in 63.45s (0:01:03)", {"failed": 1, "passed": 12, "skipped": 2}),
        ("=== 3 passed, 1 deselected in 0.10s ===", {"passed": 3, "deselected": 1}),
        ("no tests ran in 0.01s", {}),
        ("Found 12 errors.", {}),
    ],
)
def test_pytests_closing_line_is_read(line, expected, monkeypatch):
    assert script("test", monkeypatch).counts(line) == Counter(expected)


def test_the_kernels_tests_are_where_the_script_looks(monkeypatch):
    paths = script("test", monkeypatch).KERNEL_TESTS
    assert all((ROOT / path).exists() for path in paths)


def test_a_folder_that_is_no_region_is_not_touched(tmp_path, monkeypatch, capsys):
    demo = script("demo", monkeypatch)
    (tmp_path / "notes.txt").write_text("mine")
    monkeypatch.setattr(demo, "environment", lambda lock: None)
    monkeypatch.setattr(demo.subprocess, "run", lambda *a, **k: pytest.fail("nothing may be started"))
    monkeypatch.setattr(sys, "argv", ["demo", str(tmp_path)])
    with pytest.raises(SystemExit) as caught:
        demo.main()
    assert caught.value.code == 2
    assert "no region.toml" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_second_demo_starts_nothing_and_shows_the_newest_run(tmp_path, monkeypatch, capsys):
    demo = script("demo", monkeypatch)
    (tmp_path / "region.toml").write_text("")
    for age, name in enumerate(["new", "old"]):
        run = tmp_path / "runs" / name
        (run / "statements").mkdir(parents=True)
        for file in ("manifest.json", "region.html", "region.xlsx", "statements/H1.html"):
            (run / file).write_text("{}")
        os.utime(run / "manifest.json", (1_800_000_000 - age, 1_800_000_000 - age))
    monkeypatch.setattr(demo, "environment", lambda lock: None)
    monkeypatch.setattr(demo.subprocess, "run", lambda *a, **k: pytest.fail("nothing may be started"))
    monkeypatch.setattr(sys, "argv", ["demo", str(tmp_path)])
    demo.main()
    shown = capsys.readouterr().out
    for file in ("region.html", "region.xlsx", "H1.html"):
        assert file in shown
    assert str(Path("runs") / "new") in shown
    assert str(Path("runs") / "old") not in shown


def test_ci_runs_the_same_script():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert lines[-1] == "exec python3 scripts/test </dev/null"
    if os.name == "posix":
        assert os.access(ROOT / ".ci" / "run", os.X_OK)
        subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)

"""Calling the command line as a user does, inside this process: what it prints, and how it ends."""

from __future__ import annotations

import io
import os
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from fenzhi.cli import main


@dataclass(frozen=True)
class Said:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


def fenzhi(*args: str | Path) -> Said:
    """Run ``fenzhi ARGS`` from ``main`` on; a traceback would be an exception here."""
    out, err = io.StringIO(), io.StringIO()
    handler, umask = signal.getsignal(signal.SIGTERM), os.umask(0o022)
    os.umask(umask)
    words = ["fenzhi", *map(str, args)]
    try:
        with patch.object(sys, "argv", words), redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        return Said(int(end.code or 0), out.getvalue(), err.getvalue())
    finally:
        signal.signal(signal.SIGTERM, handler)
        os.umask(umask)
    raise AssertionError("main did not end with an exit code")


def done(*args: str | Path) -> str:
    """Run a command that must succeed and return what it printed."""
    said = fenzhi(*args)
    assert said.code == 0, said.err
    return said.out


def runs_of(region: Path) -> list[Path]:
    """The finished runs of a region, oldest first."""
    return sorted(path for path in (region / "runs").iterdir() if not path.name.startswith("."))

"""What the scripts share: a virtual environment in ``.venv`` from a lock file, and words when that fails.

Only the standard library; the scripts call :func:`environment` and get the path of the environment's Python.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "fenzhi-locks.json"
RUN_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
SPACE_BYTES = 2 * 1024**3

_SPACE_SIGNS = ("No space left on device", "not enough space", "Disk quota exceeded")
_NETWORK_SIGNS = (
    "Connection",
    "Could not find a version",
    "Failed to establish",
    "name resolution",
    "No matching distribution",
    "ProxyError",
    "SSLError",
    "timed out",
    "Timeout",
)
_HASH_SIGN = "DO NOT MATCH THE HASHES"


def stop(wrong: str, remedy: str, code: int = 2) -> NoReturn:
    """End the script with what is wrong and what to do, without a traceback."""
    print(f"\n{wrong}\n  to do: {remedy}", file=sys.stderr, flush=True)
    raise SystemExit(code)


def say(text: str) -> None:
    """Print a line at once, also when the output is a file."""
    print(text, flush=True)


def venv_program(name: str, venv: Path = VENV) -> Path:
    """Return the path of a program of the environment, on Windows as elsewhere."""
    windows = os.name == "nt"
    return venv / ("Scripts" if windows else "bin") / (f"{name}.exe" if windows else name)


def clean_environ(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a child: proxies and pip's indexes stay, what could lead astray goes."""
    environ = dict(os.environ)
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_HASHES"):
        environ.pop(name, None)
    environ.update(PYTHONNOUSERSITE="1", PYTHONUTF8="1", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    environ.update(extra or {})
    return environ


def why_pip_failed(output: str, lock: str) -> tuple[str, str]:
    """Turn what pip printed into what is wrong and what to do."""
    if any(sign in output for sign in _SPACE_SIGNS):
        return (
            "There is not enough space on the disk.",
            f"free {SPACE_BYTES / 1024**3:.0f} GiB for {VENV} and the temporary folder, then run this again",
        )
    if _HASH_SIGN in output:
        return (
            f"A downloaded package is not the one that {lock} names (its hash differs).",
            "check the index or mirror that pip is set to use (`pip config list`), then run this again",
        )
    if any(sign in output for sign in _NETWORK_SIGNS):
        return (
            "The packages could not be downloaded: the package index cannot be reached or lacks them.",
            "check the network (a proxy: set HTTPS_PROXY; a mirror: set PIP_INDEX_URL), then run this again",
        )
    return (
        f"pip could not install {lock}.",
        "read pip's own words above; removing .venv starts from nothing",
    )


def _run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=clean_environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _pip(python: Path, lock: str, *arguments: str | Path) -> None:
    done = _run([python, "-m", "pip", "install", "--quiet", "--retries", "3", *arguments])
    if done.returncode:
        print("\n".join(done.stdout.strip().splitlines()[-15:]), file=sys.stderr)
        stop(*why_pip_failed(done.stdout, lock))


def _make_venv(python: Path) -> None:
    if shutil.disk_usage(ROOT).free < SPACE_BYTES:
        stop(*why_pip_failed(_SPACE_SIGNS[0], ""))
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        stop(
            f"This Python ({sys.executable}) comes without venv and pip.",
            "install them (Debian and Ubuntu: `apt install python3-venv`), then run this again",
        )
    done = _run([sys.executable, "-m", "venv", VENV])
    if done.returncode or not python.exists():
        print("\n".join(done.stdout.strip().splitlines()[-5:]), file=sys.stderr)
        if any(sign in done.stdout for sign in _SPACE_SIGNS):
            stop(*why_pip_failed(done.stdout, ""))
        stop(
            f"The environment {VENV} could not be made.",
            "remove the folder .venv and check that you may write here",
        )


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _stamped(python: Path) -> dict[str, str]:
    """Return what was installed last time; nothing if the environment no longer runs."""
    if not python.exists() or not STAMP.exists():
        return {}
    probe = _run([python, "-c", "import sys, fenzhi; print(sys.version_info >= (3, 11))"])
    if probe.returncode or probe.stdout.strip() != "True":
        return {}
    try:
        return dict(json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def environment(lock: Path) -> Path:
    """Make sure ``.venv`` holds the packages of ``lock`` and fenzhi itself; return its Python.

    The second call only compares hashes. What the development lock installs serves the other one too.
    """
    since = time.perf_counter()
    python = venv_program("python")
    wanted = _digest(lock, ROOT / "pyproject.toml")
    stamped = _stamped(python)
    if stamped.get(lock.name) == wanted:
        return python
    say(f"environment: installing {lock.name} into {VENV} (about 180 MB to download the first time) ...")
    old = "import sys; sys.exit(sys.version_info < (3, 11))"
    if not python.exists() or _run([python, "-c", old]).returncode:
        if VENV.exists():
            shutil.rmtree(VENV, ignore_errors=True)
        _make_venv(python)
    elif _run([python, "-m", "pip", "--version"]).returncode:
        done = _run([python, "-m", "ensurepip", "--default-pip"])
        if done.returncode:
            stop("The environment .venv has no pip.", "remove the folder .venv, then run this again")
    _pip(python, lock.name, "--require-hashes", "--only-binary", ":all:", "-r", lock)
    # Editable: a newer checkout needs no new installation. The build tool is in the locks: nothing to fetch.
    _pip(python, "fenzhi itself", "--no-deps", "--no-build-isolation", "--editable", ROOT)
    stamped[lock.name] = wanted
    if lock == DEV_LOCK:
        stamped[RUN_LOCK.name] = _digest(RUN_LOCK, ROOT / "pyproject.toml")
    STAMP.write_text(json.dumps(stamped, indent=1) + "\n", encoding="utf-8")
    say(f"environment: ready after {time.perf_counter() - since:.0f} s")
    return python

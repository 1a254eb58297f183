"""A peer in the same run: msdrg from PyPI on claims of its own kind, in a process of its own.

It groups MS-DRG and is called once per claim, so its figure shows the order of magnitude, no more. It is no
dependency of fenzhi: ``peer.txt`` names version and hashes, and it is installed into ``.benchmarks``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, figure, told

HERE = Path(__file__).parent
REQUIREMENT = HERE / "peer.txt"
CLAIMS = 20_000
TIMES = 3
PATIENCE_SECONDS = 300


class PeerMissingError(Exception):
    """The peer cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Peer:
    """The peer's figure (None: not measured) and what is to be known about it."""

    figure: Figure | None
    about: dict[str, Any]


def name() -> str:
    """Return name and version of the peer."""
    return REQUIREMENT.read_text(encoding="utf-8").split()[0].replace("==", " ")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def install(folder: Path) -> None:
    """Install the peer into ``folder``, once: only a built package whose hash is named, nothing else.

    Raises :class:`PeerMissingError` with pip's last word where it cannot be had.
    """
    if folder.exists():
        return
    aside = folder.with_name(f"{folder.name}.aside")
    shutil.rmtree(aside, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += [
        "--retries",
        "1",
        "--timeout",
        "15",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--require-hashes",
    ]
    command += ["--target", str(aside), "--requirement", str(REQUIREMENT)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PeerMissingError(f"not installed within {PATIENCE_SECONDS} s") from error
    if done.returncode:
        raise PeerMissingError(f"not installed: {_last_line(done.stderr)}")
    aside.rename(folder)


def group_claims(folder: Path, claims: int, times: int) -> tuple[Figure, dict[str, Any]]:
    """Measure claims per second of the peer in ``folder``; also what it said of the claims.

    The process sees that folder and the standard library only: what ``pip install`` gives a user.
    """
    program = [sys.executable, "-I", "-S", str(HERE / "peer_claims.py")]
    try:
        said = told([*program, str(folder), str(claims), str(times)])
    except RuntimeError as error:
        raise PeerMissingError(f"does not run here: {_last_line(str(error))}") from error
    taken = said.pop("seconds")
    return figure([claims / t for t in taken], "claims/s"), said


def measure(cache: Path, claims: int = CLAIMS, times: int = TIMES) -> Peer:
    """Install and measure the peer; without it the figure is left out and ``about`` says why."""
    try:
        folder = cache / name().replace(" ", "-")
        install(folder)
        found, said = group_claims(folder, claims, times)
    except PeerMissingError as missing:
        return Peer(None, {"name": name(), "missing": str(missing)})
    return Peer(found, {"name": name(), **said})

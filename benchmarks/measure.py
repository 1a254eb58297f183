"""Taking times and memory: repetitions, interleaved pairs, a child's own peak, the machine."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

KIB = 1024


@dataclass(frozen=True)
class Figure:
    """A measured figure: the median of ``n`` measurements, their range, and what it should be."""

    value: float
    n: int
    low: float
    high: float
    unit: str
    target: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the figure as a plain object."""
        return asdict(self)


def figure(values: Sequence[float], unit: str, target: str = "") -> Figure:
    """Sum up measurements by their median and range."""
    return Figure(statistics.median(values), len(values), min(values), max(values), unit, target)


def quotient(ours: Sequence[float], other: Sequence[float], target: str = "") -> Figure:
    """Return the ratio of the medians of measurements taken in turns; its range is that of the pairs."""
    pairs = [a / b for a, b in zip(ours, other, strict=True)]
    ratio = statistics.median(ours) / statistics.median(other)
    return Figure(ratio, len(pairs), min(pairs), max(pairs), "x", target)


def seconds(work: Callable[[], object]) -> float:
    """Return how long one call takes."""
    since = time.perf_counter()
    work()
    return time.perf_counter() - since


def repeat(work: Callable[[], object], times: int) -> list[float]:
    """Warm up once, then return the seconds of ``times`` calls."""
    work()
    return [seconds(work) for _ in range(times)]


def alternate(
    ours: Callable[[], object], limit: Callable[[], object], times: int
) -> tuple[list[float], list[float]]:
    """Warm both up, then take their times in turns, so that both see the same machine."""
    ours()
    limit()
    pairs = [(seconds(limit), seconds(ours)) for _ in range(times)]
    return [own for _, own in pairs], [other for other, _ in pairs]


# A process starts with the peak of the one that made it (Linux counts it on), so a small one stands between.
_BETWEEN = """
import json, os, subprocess, sys, time
since = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
peak = cpu = None
if hasattr(os, "wait4"):
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    cpu = usage.ru_utime + usage.ru_stime
else:
    process.wait()
print(json.dumps([process.returncode, time.perf_counter() - since, peak, cpu]))
"""


class Spent(NamedTuple):
    """What a process needed: seconds from start to end, its peak memory, seconds of computing (user and system).

    The last two are None where the system does not count them.
    """

    seconds: float
    peak_gib: float | None
    cpu_seconds: float | None


def child(code: str, *arguments: str) -> Spent:
    """Run Python code in a process of its own; return what it needed.

    Peak and computing are what the system counted for that process alone.
    """
    command = [sys.executable, "-c", _BETWEEN, sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    status, took, peak, cpu = json.loads(done.stdout)
    if status:
        raise SystemExit(f"the measured process failed with exit code {status}: {code}")
    return Spent(took, None if peak is None else peak / KIB**3, cpu)


def told(command: Sequence[str], **environ: str) -> Any:
    """Run a program and return the JSON that it prints; RuntimeError with its messages if it fails."""
    done = subprocess.run(
        command,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    import polars as pl

    memory = None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / KIB**3, 1)
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": pl.thread_pool_size(),
        "memory_gib": memory,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("fenzhi", "polars", "numba", "numpy")},
    }

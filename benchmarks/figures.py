"""Our figures and, from the same run, the limit of each. ``scripts/bench`` calls this file.

dip_group_stays_per_s   grouping a frame of stays against 8,000 core groups, frame in, frame out
file_ratio              grouping a Parquet file into a Parquet file, over reading and rewriting it with polars
year_seconds, _peak_gib a region's year with three years of history, files in, result tables out
scaling                 time per stay of grouping as the number of stays grows
help_seconds            ``fenzhi --help``
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks import synthetic
from benchmarks.measure import Figure, alternate, child, figure, machine, repeat, seconds
from fenzhi.catalogs import DipCatalog, save_catalog
from fenzhi.grouping import CompiledDip, compile_catalog, group_dip
from fenzhi.pipeline import group_file
from fenzhi.policy import load_policy

HERE = Path(__file__).parent
ROOT = HERE.parent
CACHE = ROOT / ".benchmarks"
FLOOR = HERE / "floor.json"
POLICY = "national-dip-3.0"
YEAR = "import sys; from fenzhi.pipeline import run; run(sys.argv[1], reports=False)"
DEMO = "import sys; from fenzhi.cli import main; sys.argv = ['fenzhi', *sys.argv[1:]]; main()"
HELP = "import sys; from fenzhi.cli import main; sys.argv = ['fenzhi', '--help']; main()"


@dataclass(frozen=True)
class Size:
    """How much is measured: stays, repetitions, hospitals of the region, sizes of the scaling series."""

    stays: int
    times: int
    year_times: int
    hospitals: int
    series: tuple[int, ...]


FULL = Size(1_000_000, 7, 3, 319, (100_000, 300_000, 1_000_000, 3_000_000))
QUICK = Size(50_000, 5, 1, 40, (10_000, 30_000, 100_000))

Say = Callable[[str], None]


def grouping(size: Size, compiled: CompiledDip) -> Figure:
    """Measure grouping a frame: stays per second."""
    frame = synthetic.stays(size.stays)
    times = repeat(lambda: group_dip(frame, compiled), size.times)
    return figure([size.stays / t for t in times], "stays/s", ">= 2,000,000")


def file_ratio(size: Size, catalog: DipCatalog) -> tuple[Figure, Figure, Figure]:
    """Measure grouping from file to file against reading and rewriting the same file, in turns.

    Returns the ratio of the medians (its range: of the pairs), our seconds and the limit's.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, target, copy = folder / "stays.parquet", folder / "groups.parquet", folder / "copy.parquet"
        synthetic.file_of_stays(size.stays).write_parquet(source)
        save_catalog(catalog, folder / "catalog")

        def ours() -> None:
            target.unlink(missing_ok=True)
            group_file(source, target, folder / "catalog", policy=POLICY)

        own, limit = alternate(ours, lambda: pl.read_parquet(source).write_parquet(copy), size.times)
    pairs = [a / b for a, b in zip(own, limit, strict=True)]
    ratio = statistics.median(own) / statistics.median(limit)
    summed = Figure(ratio, len(pairs), min(pairs), max(pairs), "x", "<= 1.5")
    return summed, figure(own, "s"), figure(limit, "s")


def region_folder(size: Size) -> Path:
    """Return where the region of this size lies; the name follows the code that draws it, so it is never stale."""
    sources = sorted((ROOT / "src" / "fenzhi" / "region").rglob("*.py"))
    drawn_by = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:8]
    return CACHE / f"region-{size.stays}-{size.hospitals}-{drawn_by}"


def year(size: Size, say: Say) -> tuple[Figure, Figure | None, Figure]:
    """Measure a region's year in a process of its own: seconds, peak memory, and reading its files alone.

    The region is drawn once and kept in ``.benchmarks``. Results are removed after each run.
    """
    region = region_folder(size)
    if not (region / "region.toml").exists():
        say(f"drawing the region {region.name} (once) ...")
        for earlier in CACHE.glob(f"region-{size.stays}-{size.hospitals}*"):
            shutil.rmtree(earlier)
        child(DEMO, "demo", str(region), "--stays", str(size.stays), "--hospitals", str(size.hospitals))
    times, peaks = [], []
    for _ in range(size.year_times):
        took, peak = child(YEAR, str(region))
        times.append(took)
        peaks += [] if peak is None else [peak]
        shutil.rmtree(region / "runs", ignore_errors=True)
    files = sorted(region.glob("history/**/*.parquet")) + sorted(region.glob("records/**/*.parquet"))
    limit = [seconds(lambda: [pl.read_parquet(file) for file in files]) for _ in range(size.year_times)]
    memory = figure(peaks, "GiB", "<= 6") if peaks else None
    return figure(times, "s", "<= 20"), memory, figure(limit, "s")


def scaling(size: Size, compiled: CompiledDip) -> dict[int, Figure]:
    """Measure nanoseconds per stay for growing frames; a flat line is the aim."""
    largest = synthetic.stays(max(size.series))
    found = {}
    for n in size.series:
        frame = largest.head(n).rechunk()
        times = repeat(lambda frame=frame: group_dip(frame, compiled), 3)
        found[n] = figure([t / n * 1e9 for t in times], "ns/stay")
    return found


def measure(size: Size, say: Say) -> tuple[dict[str, Figure], dict[str, Figure]]:
    """Measure everything; return our figures and the limits."""
    catalog = synthetic.catalog()
    compiled = compile_catalog(catalog, load_policy(POLICY).grouping)
    ours: dict[str, Figure] = {}
    limits: dict[str, Figure] = {}
    say(f"grouping {size.stays:,} stays ...")
    ours["dip_group_stays_per_s"] = grouping(size, compiled)
    say("grouping from file to file ...")
    ours["file_ratio"], ours["file_seconds"], limits["file_seconds"] = file_ratio(size, catalog)
    say(f"the year of {size.stays:,} stays ...")
    ours["year_seconds"], peak, limits["year_seconds"] = year(size, say)
    if peak is not None:
        ours["year_peak_gib"] = peak
    say("scaling ...")
    for n, found in scaling(size, compiled).items():
        ours[f"scaling_{n}"] = found
    child(HELP)
    helps = [child(HELP)[0] for _ in range(5)]
    starts = [child("")[0] for _ in range(5)]
    ours["help_seconds"], limits["help_seconds"] = figure(helps, "s", "< 0.5"), figure(starts, "s")
    return ours, limits


def as_json(size: Size, ours: dict[str, Figure], limits: dict[str, Figure]) -> dict[str, Any]:
    """Return one object: each figure by its name, the limits, the machine."""
    stays = Figure(size.stays, 1, size.stays, size.stays, "stays")
    figures = {name: found.as_json() for name, found in {**ours, "stays": stays}.items()}
    return {
        **figures,
        "limits": {name: found.as_json() for name, found in limits.items()},
        "machine": machine(),
    }


def below_floor(found: dict[str, Figure], floor: dict[str, Any]) -> list[str]:
    """Return a line per figure that is worse than ``floor``: a figure missing counts as worse."""
    lines = []
    for name, limit in floor.items():
        if name not in found:
            lines.append(f"{name}: not measured")
        elif "at_least" in limit and found[name].value < limit["at_least"]:
            lines.append(f"{name}: {found[name].value:,.2f} is below {limit['at_least']:,}")
        elif "at_most" in limit and found[name].value > limit["at_most"]:
            lines.append(f"{name}: {found[name].value:,.2f} is above {limit['at_most']:,}")
    return lines


def shown(value: float) -> str:
    """Return a number with as many decimals as it deserves."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def table(ours: dict[str, Figure], limits: dict[str, Figure]) -> Table:
    """Return our figures and the limits side by side."""
    out = Table(title="fenzhi: measured, and the limit from the same run")
    for title in ("figure", "ours (median)", "range", "n", "limit", "target", "unit"):
        out.add_column(title, justify="left" if title in ("figure", "unit") else "right", no_wrap=True)
    for name, found in ours.items():
        limit = shown(limits[name].value) if name in limits else ""
        spread = f"{shown(found.low)} .. {shown(found.high)}"
        out.add_row(name, shown(found.value), spread, str(found.n), limit, found.target, found.unit)
    return out


def main() -> None:
    """Measure, show, write, check."""
    options = argparse.ArgumentParser(prog="scripts/bench", description="Measure fenzhi on this machine.")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures as one JSON object")
    options.add_argument("--quick", action="store_true", help="small sizes, about a minute")
    options.add_argument(
        "--check", action="store_true", help="exit code 1 if a figure is worse than its floor"
    )
    given = options.parse_args()
    size = QUICK if given.quick else FULL
    progress, out = Console(stderr=True), Console(width=None if sys.stdout.isatty() else 120)
    ours, limits = measure(size, lambda text: progress.print(text, style="dim"))
    out.print(table(ours, limits))
    out.print(
        "limits: file = polars reads and rewrites the file; year = polars reads the records; help = python -c ''"
    )
    if given.json:
        text = json.dumps(as_json(size, ours, limits), indent=1, ensure_ascii=False)
        given.json.write_text(text + "\n", encoding="utf-8")
    if given.check:
        floor = json.loads(FLOOR.read_text(encoding="utf-8"))["quick" if given.quick else "full"]
        worse = below_floor(ours, floor)
        for line in worse:
            out.print(line, style="bold red")
        raise SystemExit(1 if worse else 0)


if __name__ == "__main__":
    main()

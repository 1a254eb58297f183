"""Our figures and, from the same run, the limit of each. ``scripts/bench`` calls this file.

dip_group_stays_per_s       grouping a frame of stays against 8,000 core groups, frame in, frame out
drg_group_stays_per_s       the same by DRG; whose stays, says ``drg_source``
drg_group_one_thread_per_s  the same by DRG with one thread
peer_per_s                  a peer, msdrg, on claims of its own kind (see peer.py)
file_ratio                  grouping a Parquet file into a Parquet file, over reading and rewriting it with polars
year_seconds, _peak_gib     a region's year with three years of history, files in, result tables out
statements_seconds          all pages of that region's year, its page and workbook, and the pages of every hospital
statement_seconds           ``fenzhi statement``: one hospital's pages and workbook from the finished run
what_if_seconds             a scenario of one hospital in that region, loaded: more stays, other costs; median of both
what_if_load_seconds        loading the year that was prepared for what-ifs, in a process of its own
year_all_rules_ratio        the same year with every further rule switched on, over the plain one, in turns
scaling                     time per stay of grouping as the number of stays grows
help_seconds                ``fenzhi --help``
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks import all_rules, drg, peer, synthetic
from benchmarks.measure import Figure, Spent, alternate, child, figure, machine, quotient, repeat, seconds
from fenzhi.catalogs import DipCatalog, save_catalog
from fenzhi.grouping import CompiledDip, compile_catalog, group_dip
from fenzhi.pipeline import group_file
from fenzhi.policy import load_policy
from fenzhi.simulation import Scenario, load_simulation

HERE = Path(__file__).parent
ROOT = HERE.parent
CACHE = ROOT / ".benchmarks"
FLOOR = HERE / "floor.json"
POLICY = "national-dip-3.0"
YEAR = "import sys; from fenzhi.pipeline import run; run(sys.argv[1], reports=False)"
STATEMENTS = "import sys; from fenzhi.reports import write_reports; write_reports(sys.argv[1])"
STATEMENT = (
    "import sys; from fenzhi.cli import main; sys.argv = ['fenzhi', 'statement', *sys.argv[1:]]; main()"
)
DEMO = "import sys; from fenzhi.cli import main; sys.argv = ['fenzhi', *sys.argv[1:]]; main()"
LOAD = "import sys; from fenzhi.simulation import load_simulation; load_simulation(sys.argv[1])"
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
    return quotient(own, limit, "<= 1.5"), figure(own, "s"), figure(limit, "s")


def region_folder(size: Size) -> Path:
    """Return where the region of this size lies; the name follows the code that draws it, so it is never stale."""
    sources = sorted((ROOT / "src" / "fenzhi" / "region").rglob("*.py"))
    drawn_by = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:8]
    return CACHE / f"region-{size.stays}-{size.hospitals}-{drawn_by}"


def drawn_region(size: Size, say: Say) -> Path:
    """Return the region of this size; it is drawn once and kept in ``.benchmarks``."""
    region = region_folder(size)
    if not (region / "region.toml").exists():
        say(f"drawing the region {region.name} (once) ...")
        for earlier in CACHE.glob(f"region-{size.stays}-{size.hospitals}*"):
            shutil.rmtree(earlier)
        child(DEMO, "demo", str(region), "--stays", str(size.stays), "--hospitals", str(size.hospitals))
    all_rules.without_review(region)
    return region


def year(size: Size, region: Path) -> tuple[dict[str, Figure], Figure]:
    """Measure a region's year in processes of their own, plain and with every further rule, in turns.

    Returns the figures by name and the limit: reading the files alone. Results are removed after each run.
    """
    strict = region.with_name(f"{region.name}-all-rules")
    shutil.rmtree(region / "runs", ignore_errors=True)
    child(YEAR, str(region))
    all_rules.write_region(region, next((region / "runs").iterdir()), strict)
    child(YEAR, str(strict))
    spent: dict[Path, list[Spent]] = {region: [], strict: []}
    for _ in range(size.year_times):
        for folder, each in spent.items():
            shutil.rmtree(folder / "runs", ignore_errors=True)
            each.append(child(YEAR, str(folder)))
    for folder in spent:
        shutil.rmtree(folder / "runs", ignore_errors=True)
    plain, full = spent.values()
    found = {
        "year_seconds": figure([one.seconds for one in plain], "s", "<= 20"),
        "year_all_rules_seconds": figure([one.seconds for one in full], "s"),
        "year_all_rules_ratio": quotient(
            [one.seconds for one in full], [one.seconds for one in plain], "<= 1.3"
        ),
    }
    peaks = [one.peak_gib for one in plain if one.peak_gib is not None]
    computed = [[one.cpu_seconds for one in each if one.cpu_seconds is not None] for each in (full, plain)]
    if peaks:
        found["year_peak_gib"] = figure(peaks, "GiB", "<= 6")
        found["year_all_rules_cpu_ratio"] = quotient(*computed, "<= 1.3")
    files = sorted(region.glob("history/**/*.parquet")) + sorted(region.glob("records/**/*.parquet"))
    limit = [seconds(lambda: [pl.read_parquet(file) for file in files]) for _ in range(size.year_times)]
    return found, figure(limit, "s")


def statements(size: Size) -> tuple[Figure, Figure]:
    """Measure the pages of a finished year, and what one hospital gets from it, each in a process of its own.

    The hospital is the one with the most stays.
    """
    region = region_folder(size)
    child(YEAR, str(region))
    [run] = (region / "runs").iterdir()
    sums = pl.read_parquet(run / "hospitals.parquet").group_by("fixmedins_code").agg(pl.col("cases").sum())
    code = sums.sort("cases", "fixmedins_code")["fixmedins_code"][-1]
    every, one = [], []
    with tempfile.TemporaryDirectory() as name:
        for at in range(size.year_times):
            every.append(child(STATEMENTS, str(run))[0])
            one.append(child(STATEMENT, str(run), "--hospital", code, "-o", f"{name}/{at}")[0])
            shutil.rmtree(run / "statements")
            for page in run.glob("region.*"):
                page.unlink()
    shutil.rmtree(region / "runs")
    return figure(every, "s", "<= 60"), figure(one, "s", "<= 3")


def what_ifs(size: Size) -> tuple[Figure, Figure]:
    """Measure loading a prepared year, and scenarios of the hospital with the most stays on it."""
    region = region_folder(size)
    child(LOAD, str(region))
    loads = [child(LOAD, str(region))[0] for _ in range(size.year_times)]
    year = load_simulation(region)
    code = year.before.tables["hospitals"].sort("cases", "fixmedins_code")["fixmedins_code"][-1]
    [group] = year.before.stays([code])["group_id"].drop_nulls().mode().sort().head(1)
    asked = [
        Scenario.model_validate({"hospital": code, part: [{"group": group, **said}]})
        for part, said in (("volume", {"growth": "0.1"}), ("cost", {"cost": "-0.1"}))
    ]
    times = repeat(lambda: [year.run(one).own for one in asked], size.times)
    shutil.rmtree(region / "simulation")
    return figure([each / len(asked) for each in times], "s", "< 0.3"), figure(loads, "s", "< 5")


def scaling(size: Size, compiled: CompiledDip) -> dict[int, Figure]:
    """Measure nanoseconds per stay for growing frames; a flat line is the aim."""
    largest = synthetic.stays(max(size.series))
    found = {}
    for n in size.series:
        frame = largest.head(n).rechunk()
        times = repeat(lambda frame=frame: group_dip(frame, compiled), 3)
        found[n] = figure([t / n * 1e9 for t in times], "ns/stay")
    return found


@dataclass
class Measured:
    """Our figures (and the peer's) by name, the limit of some, and what is to be known about them.

    ``drg_source``: whose stays the DRG figures group. ``peer``: what was measured, or why nothing was.
    """

    ours: dict[str, Figure] = field(default_factory=dict)
    limits: dict[str, Figure] = field(default_factory=dict)
    drg_source: str = ""
    peer: dict[str, Any] = field(default_factory=dict)


def measure(size: Size, say: Say, with_peer: bool = True) -> Measured:
    """Measure everything."""
    catalog = synthetic.catalog()
    compiled = compile_catalog(catalog, load_policy(POLICY).grouping)
    found = Measured()
    ours, limits = found.ours, found.limits
    say(f"grouping {size.stays:,} stays by DIP ...")
    ours["dip_group_stays_per_s"] = grouping(size, compiled)
    say(f"grouping {size.stays:,} stays by DRG ...")
    ours["drg_group_stays_per_s"], found.drg_source = drg.grouping(size.stays, size.times)
    ours["drg_group_one_thread_per_s"] = drg.one_thread(size.stays, size.times)
    if with_peer:
        say(f"the peer, {peer.name()} ...")
        other = peer.measure(CACHE)
        found.peer = other.about
        if other.figure is not None:
            ours["peer_per_s"] = other.figure
    else:
        found.peer = {"name": peer.name(), "missing": "left out by --no-peer"}
    say("grouping from file to file ...")
    ours["file_ratio"], ours["file_seconds"], limits["file_seconds"] = file_ratio(size, catalog)
    say(f"the year of {size.stays:,} stays ...")
    years, limits["year_seconds"] = year(size, drawn_region(size, say))
    ours |= years
    say("its statements ...")
    ours["statements_seconds"], ours["statement_seconds"] = statements(size)
    say("what-ifs on it ...")
    ours["what_if_seconds"], ours["what_if_load_seconds"] = what_ifs(size)
    say("scaling ...")
    for n, each in scaling(size, compiled).items():
        ours[f"scaling_{n}"] = each
    child(HELP)
    helps = [child(HELP)[0] for _ in range(5)]
    starts = [child("")[0] for _ in range(5)]
    ours["help_seconds"], limits["help_seconds"] = figure(helps, "s", "< 0.5"), figure(starts, "s")
    return found


def as_json(size: Size, found: Measured) -> dict[str, Any]:
    """Return one object: each figure by its name, the limits, whose stays, the peer, the machine."""
    stays = Figure(size.stays, 1, size.stays, size.stays, "stays")
    figures = {name: one.as_json() for name, one in {**found.ours, "stays": stays}.items()}
    return {
        **figures,
        "limits": {name: one.as_json() for name, one in found.limits.items()},
        "drg_source": found.drg_source,
        "peer": found.peer,
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


def table(found: Measured) -> Table:
    """Return the figures and the limits side by side."""
    out = Table(title="fenzhi: measured, and the limit from the same run")
    for title in ("figure", "median", "range", "n", "limit", "target", "unit"):
        out.add_column(title, justify="left" if title in ("figure", "unit") else "right", no_wrap=True)
    for name, one in found.ours.items():
        limit = shown(found.limits[name].value) if name in found.limits else ""
        spread = f"{shown(one.low)} .. {shown(one.high)}"
        out.add_row(name, shown(one.value), spread, str(one.n), limit, one.target, one.unit)
    return out


def notes(found: Measured) -> list[str]:
    """Return what is to be said below the table, a line each."""
    name = found.peer.get("name", "")
    if "missing" in found.peer:
        about = f"no figure of {name}: {found.peer['missing']}"
    else:
        about = (
            f"{name} groups US MS-DRG, claims of its own kind, one process, a call per claim:"
            " other rules, so compare the order of magnitude only"
        )
    return [
        "limits: file = polars reads and rewrites the file; year = polars reads the records; help = python -c ''",
        f"drg: {found.drg_source}",
        f"peer: {about}",
    ]


def main() -> None:
    """Measure, show, write, check."""
    options = argparse.ArgumentParser(prog="scripts/bench", description="Measure fenzhi on this machine.")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures as one JSON object")
    options.add_argument("--quick", action="store_true", help="small sizes, about a minute")
    options.add_argument(
        "--check", action="store_true", help="exit code 1 if a figure is worse than its floor"
    )
    options.add_argument(
        "--no-peer",
        action="store_true",
        help="do not fetch and measure the peer (7 MB from the package index)",
    )
    given = options.parse_args()
    size = QUICK if given.quick else FULL
    progress, out = Console(stderr=True), Console(width=None if sys.stdout.isatty() else 120)
    found = measure(size, lambda text: progress.print(text, style="dim"), with_peer=not given.no_peer)
    out.print(table(found))
    for line in notes(found):
        out.print(line, markup=False)
    if given.json:
        text = json.dumps(as_json(size, found), indent=1, ensure_ascii=False)
        given.json.write_text(text + "\n", encoding="utf-8")
    if given.check:
        floor = json.loads(FLOOR.read_text(encoding="utf-8"))["quick" if given.quick else "full"]
        worse = below_floor(found.ours, floor)
        for line in worse:
            out.print(line, style="bold red")
        raise SystemExit(1 if worse else 0)


if __name__ == "__main__":
    main()

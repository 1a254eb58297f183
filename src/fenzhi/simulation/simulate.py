"""Ask a year what-ifs: load it once, run scenarios on it, write the changed year out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from fenzhi.pipeline.prepared import freeze, prepare, read_records
from fenzhi.pipeline.setting import Progress, silent
from fenzhi.pipeline.sides import side_of
from fenzhi.pipeline.year import compute
from fenzhi.region import Region, load_region
from fenzhi.simulation.apply import Applied, apply_scenario
from fenzhi.simulation.base import Base, base_of
from fenzhi.simulation.engine import unchanged, what_if
from fenzhi.simulation.hospital import write_hospital
from fenzhi.simulation.outcome import FullYear, Outcome, QuickYear, Year
from fenzhi.simulation.scenario import Scenario, read_scenario
from fenzhi.simulation.state import load_state, save_state
from fenzhi.simulation.write import write_region

#: The parts of a scenario in the order in which they are done.
LEVERS = (
    *("volume", "mix", "cost", "move", "coding", "others", "coefficient", "review", "budget"),
    *("policy", "catalog", "point_value"),
)


@dataclass(frozen=True)
class Simulation:
    """A year that answers what-ifs. ``before``: the year as it is, fen for fen what a run says."""

    base: Base

    @cached_property
    def before(self) -> QuickYear:
        """Return the year as it is."""
        return QuickYear(unchanged(self.base))

    @property
    def hospitals(self) -> pl.DataFrame:
        """Return the region's hospitals."""
        return self.base.region.hospitals

    def run(self, scenario: Scenario | Path | str) -> Outcome:
        """Return what a scenario makes of the year.

        Raises :class:`fenzhi.errors.FenzhiError` in words: a scenario that makes no sense here, or that ends in a year
        that cannot be settled.
        """
        if not isinstance(scenario, Scenario):
            scenario = read_scenario(scenario)
        before = self.before
        since = time.perf_counter()
        applied = apply_scenario(self.base, scenario)
        quick = not applied.full
        after: Year = QuickYear(what_if(self.base, applied.change)) if quick else self._full(applied)
        spent = time.perf_counter() - since
        return Outcome(scenario, self._own(scenario), self.base, before, after, applied.full, spent)

    def _own(self, scenario: Scenario) -> str | None:
        codes = self.hospitals["fixmedins_code"]
        return scenario.hospital or (codes[0] if len(codes) == 1 else None)

    def _full(self, applied: Applied) -> FullYear:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "region"
            self._write(applied, folder)
            region = load_region(folder)
            tables, _ = compute(region)
        return full_year(tables, region)

    def write_hospital(self, code: str, target: Path | str) -> None:
        """Write a hospital's own folder: its stays, and what the region publishes in the place of all others."""
        write_hospital(self.base, self.before.changed.year.prices, code, Path(target))

    def _write(self, applied: Applied, target: Path) -> None:
        values = None
        if self.base.region.published is not None and not applied.full:
            prices = what_if(self.base, applied.change).year.prices
            values = dict(prices.select("pool", "settlement_value_e4").drop_nulls().iter_rows())
        write_region(
            self.base,
            applied.change,
            target,
            overlay=applied.keys,
            policy=applied.pack,
            catalog=applied.catalog,
            values=values,
        )

    def write_region(self, scenario: Scenario | Path | str, target: Path | str) -> None:
        """Write the year that a scenario describes as a new region folder, for ``fenzhi run``."""
        if not isinstance(scenario, Scenario):
            scenario = read_scenario(scenario)
        self._write(apply_scenario(self.base, scenario), Path(target))

    def steps(self, scenario: Scenario) -> list[tuple[str, Outcome]]:
        """Return the parts of a scenario, each with the outcome of all parts up to it: their differences add up."""
        present = [name for name in LEVERS if getattr(scenario, name)]
        found = []
        for end in range(1, len(present) + 1):
            left = {
                name: Scenario.model_fields[name].get_default(call_default_factory=True)
                for name in present[end:]
            }
            found.append((present[end - 1], self.run(scenario.model_copy(update=left))))
        return found


def full_year(tables: dict[str, pl.DataFrame], region: Region) -> FullYear:
    """Return a computed year as a scenario's outcome sees it."""
    policy = region.policy
    facts = {"scale": policy.weights.scale, "settlement_method": policy.point_value.settlement}
    return FullYear(tables, side_of(tables, tables["cases"].lazy(), facts))


def load_simulation(folder: Path | str, *, fresh: bool = False, progress: Progress = silent) -> Simulation:
    """Load a region's year for what-ifs.

    The first time the year is computed up to its points and kept in ``simulation/`` in the folder; after that it is
    read from there, as long as no file of the region changes. ``fresh``: compute it in any case.
    """
    region = load_region(Path(folder))
    if not fresh:
        base = load_state(region)
        if base is not None:
            return Simulation(base)
    frozen = freeze(region, progress)
    progress("read records", 0.5)
    base = base_of(prepare(frozen, read_records(frozen)))
    progress("write", 0.9)
    save_state(base)
    progress("done", 1.0)
    return Simulation(base)


def simulate(
    folder: Path | str, scenarios: Sequence[Scenario | Path | str] | Scenario | Path | str
) -> list[Outcome]:
    """Return what each scenario makes of a region's year, each by itself."""
    several = [scenarios] if isinstance(scenarios, Scenario | Path | str) else list(scenarios)
    simulation = load_simulation(folder)
    return [simulation.run(one) for one in several]

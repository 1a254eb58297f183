"""Outcomes as tables, a summary, and a folder with CSV files and a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.attribution import CAUSES, cause
from fenzhi.attribution.simulated import SIMULATED
from fenzhi.errors import RegionError
from fenzhi.files import new_dir
from fenzhi.pipeline.store import write_csv
from fenzhi.simulation.outcome import Outcome
from fenzhi.simulation.simulate import Simulation

_SUMS = ("stays_before", "stays_after", "before_fen", "after_fen", "difference_fen")


def titles_of(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a name for each scenario; equal ones get a number."""
    found: list[str] = []
    for outcome in outcomes:
        title = name = outcome.scenario.title()
        number = 1
        while name in found:
            number += 1
            name = f"{title} ({number})"
        found.append(name)
    return found


def tables_of(simulation: Simulation, outcomes: Sequence[Outcome]) -> dict[str, pl.DataFrame]:
    """Return the tables of :data:`SIMULATED` for scenarios side by side, all of one hospital or of all.

    Raises :class:`RegionError` if they are of different hospitals.
    """
    if len({outcome.hospital for outcome in outcomes}) > 1:
        raise RegionError(
            "scenarios side by side are of one hospital",
            code="SCENARIO_SENSE",
            field="hospital",
            value=", ".join(str(outcome.hospital) for outcome in outcomes),
            remedy="simulate them one by one",
        )
    found: dict[str, list[pl.DataFrame]] = {name: [] for name in SIMULATED}
    for name, outcome in zip(titles_of(outcomes), outcomes, strict=True):
        sums = outcome.own.select(pl.col(*_SUMS, *(cause(one) for one in CAUSES)).sum())
        whole = outcome.accounts["difference_fen"].sum()
        parts = _parts(simulation, outcome)
        for table, frame in (
            ("scenarios", sums.with_columns(pl.lit(whole, pl.Int64).alias("region_difference_fen"))),
            ("parts", parts),
            ("pools", outcome.pools),
            ("accounts", outcome.accounts),
            ("groups", outcome.groups),
        ):
            named = frame.with_columns(pl.lit(name).alias("scenario"))
            found[table].append(named.select(pl.col(c.name).cast(c.dtype) for c in SIMULATED[table]))
    return {name: pl.concat(frames) for name, frames in found.items()}


def _parts(simulation: Simulation, outcome: Outcome) -> pl.DataFrame:
    rows = []
    last = int(outcome.own["before_fen"].sum())
    for part, step in simulation.steps(outcome.scenario):
        after = int(step.own["after_fen"].sum())
        rows.append((part, after, after - last))
        last = after
    schema = {"part": pl.String, "after_fen": pl.Int64, "difference_fen": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def summary_of(simulation: Simulation, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return what the page says of the region, the hospital and the scenarios."""
    region = simulation.base.region
    catalog = simulation.base.frozen.parts[0].setting.catalog.meta
    code = outcomes[0].hospital
    named = simulation.hospitals.filter(pl.col("fixmedins_code") == pl.lit(code, pl.String))["fixmedins_name"]
    return {
        "fenzhi": version("fenzhi"),
        "region": {
            "id": region.meta.id,
            "name": region.meta.name,
            "year": region.meta.year,
            "synthetic": region.meta.synthetic,
        },
        "policy": region.policy.meta.title,
        "catalog": f"{catalog.title} {catalog.version}",
        "scheme": region.policy.meta.scheme,
        "scale": region.policy.weights.scale,
        "hospital": None if code is None else {"code": code, "name": named[0] if named.len() else None},
        "notes": [] if region.published is None else ["elasticity"],
        "scenarios": [
            {
                "name": name,
                "full": list(outcome.full),
                "before_fen": int(outcome.own["before_fen"].sum()),
                "after_fen": int(outcome.own["after_fen"].sum()),
                "difference_fen": int(outcome.own["difference_fen"].sum()),
                "causes": {one: int(outcome.own[cause(one)].sum()) for one in CAUSES},
                "region_difference_fen": int(outcome.accounts["difference_fen"].sum()),
                "seconds": round(outcome.seconds, 3),
                "scenario": outcome.scenario.model_dump(mode="json", exclude_defaults=True),
            }
            for name, outcome in zip(titles_of(outcomes), outcomes, strict=True)
        ],
    }


def write_outcomes(
    simulation: Simulation, outcomes: Sequence[Outcome], target: Path, lang: str = "zh"
) -> None:
    """Write the tables as CSV, ``summary.json`` and ``simulate.html`` into a new folder, all or nothing."""
    from fenzhi.reports.simulate import simulate_page

    tables, summary = tables_of(simulation, outcomes), summary_of(simulation, outcomes)
    page = simulate_page(summary, tables, lang)
    with new_dir(target) as aside:
        for name, frame in tables.items():
            write_csv(frame, aside / f"{name}.csv")
        text = json.dumps(summary, ensure_ascii=False, indent=1)
        (aside / "summary.json").write_text(text, encoding="utf-8")
        (aside / "simulate.html").write_text(page, encoding="utf-8")

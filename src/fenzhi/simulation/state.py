"""A prepared year on disk, in ``simulation/`` of the region's folder: read again as long as no input file changes."""

from __future__ import annotations

import hashlib
import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.files import new_dir, sweep
from fenzhi.pipeline.parts import Part
from fenzhi.pipeline.prepared import Frozen
from fenzhi.pipeline.setting import make_settings
from fenzhi.pipeline.store import input_files, write_table
from fenzhi.policy import policy_hash
from fenzhi.region import Region
from fenzhi.settlement import YearInputs
from fenzhi.simulation.base import Base, sums_of
from fenzhi.weights import Weights
from fenzhi.weights.auxiliary import AuxiliaryTypes

FOLDER = "simulation"
_WEIGHTS = ("groups", "level_means", "coefficients", "classes", "costs", "by_class")
_FORM = 1


def stamp(region: Region) -> str:
    """Return what a prepared year follows from: version, rules, and name, size and time of change of every file."""
    said: list[Any] = [_FORM, version("fenzhi"), [policy_hash(pack) for pack in region.policies]]
    for label, file in sorted(input_files(region).items()):
        about = file.stat()
        said.append([label, about.st_size, about.st_mtime_ns])
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def save_state(base: Base) -> None:
    """Keep a prepared year; an older one goes."""
    region, frozen = base.region, base.frozen
    home = region.folder / FOLDER
    target = home / stamp(region)
    for old in home.iterdir() if home.is_dir() else ():
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
    sweep(home)
    with new_dir(target) as aside:
        frames: dict[str, pl.DataFrame | None] = {
            "stays": base.stays,
            "scored": base.scored,
            "discharges": base.discharges,
            "opening": frozen.opening,
            "last_points": frozen.last_points,
            "accounts": frozen.inputs.accounts,
            "last_booked": frozen.inputs.last_booked,
        }
        for at, facts in (base.facts or {}).items():
            frames[f"facts-{at}"] = facts
        for at, part in enumerate(frozen.parts):
            frames |= {f"part-{at}-{name}": frame for name, frame in _frames(part).items()}
        for name, frame in frames.items():
            if frame is not None:
                write_table(frame, aside / f"{name}.parquet")
        said = {
            "parts": [
                {"mean_fen": part.weights.mean_fen, "years": list(part.weights.years)}
                for part in frozen.parts
            ],
            "facts": None if base.facts is None else list(base.facts),
        }
        (aside / "state.json").write_text(json.dumps(said), encoding="utf-8")


def _frames(part: Part) -> dict[str, pl.DataFrame | None]:
    weights = part.weights
    found: dict[str, pl.DataFrame | None] = {name: getattr(weights, name) for name in _WEIGHTS}
    found["all"] = part.groups
    found["days"] = part.days
    found["exempt"] = None if weights.exempt is None else weights.exempt.alias("exempt").to_frame()
    if weights.auxiliary is not None:
        found["types"], found["applied"] = weights.auxiliary.table, weights.auxiliary.applied
    return found


def load_state(region: Region) -> Base | None:
    """Return the prepared year that is kept for the region as it is now; None without one."""
    folder = region.folder / FOLDER / stamp(region)
    file = folder / "state.json"
    if not file.is_file():
        return None
    said = json.loads(file.read_text(encoding="utf-8"))

    def read(name: str) -> pl.DataFrame:
        return pl.read_parquet(folder / f"{name}.parquet")

    parts = []
    for at, (setting, about) in enumerate(zip(make_settings(region), said["parts"], strict=True)):
        own = {name: read(f"part-{at}-{name}") for name in _present(folder, at)}
        types = AuxiliaryTypes(own["types"], own["applied"]) if "types" in own else None
        weights = Weights(
            groups=own["groups"],
            level_means=own["level_means"],
            coefficients=own["coefficients"],
            classes=own["classes"],
            costs=own["costs"],
            by_class=own["by_class"],
            mean_fen=about["mean_fen"],
            years=tuple(about["years"]),
            exempt=own["exempt"]["exempt"] if "exempt" in own else None,
            auxiliary=types,
        )
        parts.append(Part(setting, weights, own["all"], own.get("days")))
    inputs = YearInputs(
        year=region.meta.year,
        accounts=read("accounts"),
        last_booked=read("last_booked"),
        assessment=region.assessment,
        deductions=region.deductions,
        advances=region.advances,
        ratios=None if region.published is None else region.published.ratios(),
    )
    frozen = Frozen(region, tuple(parts), read("opening"), read("last_points"), inputs)
    scored = read("scored")
    facts = None if said["facts"] is None else {at: read(f"facts-{at}") for at in said["facts"]}
    discharges = read("discharges") if (folder / "discharges.parquet").is_file() else None
    return Base(frozen, read("stays"), scored, facts, discharges, sums_of(scored, region))


def _present(folder: Path, at: int) -> list[str]:
    head = f"part-{at}-"
    return sorted(file.stem.removeprefix(head) for file in folder.glob(f"{head}*.parquet"))

"""The demo region with its catalogue, which is built from its own history like any region's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fenzhi.files import new_dir
from fenzhi.pipeline.build import BuildInputs, build_from_history, write_built
from fenzhi.pipeline.setting import Progress, silent
from fenzhi.region.demo import DemoSummary, write_demo
from fenzhi.region.load import load_region


@dataclass(frozen=True)
class Demo:
    """What was written: the region's summary and the number of groups of its catalogue."""

    summary: DemoSummary
    groups: int


def make_demo(
    folder: Path,
    *,
    stays: int = 60_000,
    hospitals: int = 40,
    seed: int = 1,
    full: bool = False,
    progress: Progress = silent,
) -> Demo:
    """Write a synthetic region into a new folder and build its catalogue from its history, all or nothing.

    Raises :class:`OutputError` if the folder exists and is not empty, :class:`RegionError` for a size that
    cannot be made.
    """
    with new_dir(folder) as aside:
        summary = write_demo(
            aside,
            stays=stays,
            hospitals=hospitals,
            seed=seed,
            full=full,
            progress=lambda stage, done: progress(stage, 0.6 * done),
        )
        region = load_region(aside)
        inputs = BuildInputs(
            history=[region.path(name) for name in region.meta.history],
            policy=region.policy,
            base="demonstration-3.0",
            operations=None if region.meta.operations is None else region.path(region.meta.operations),
            diagnoses=aside / "diagnoses.csv",
            title=f"{region.meta.name}本地病种目录",
            synthetic=True,
        )
        built = build_from_history(inputs, progress=lambda stage, done: progress(stage, 0.6 + 0.4 * done))
        write_built(built, aside / region.meta.catalog)
    progress("done", 1.0)
    return Demo(summary, int(built.counts["groups"]))

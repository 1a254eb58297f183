"""The demo region with its catalogue: for DIP built from its own history, for DRG the shipped one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fenzhi.catalogs import load_catalog
from fenzhi.files import new_dir
from fenzhi.pipeline.build import BuildInputs, build_from_history, write_built
from fenzhi.pipeline.setting import Progress, silent
from fenzhi.region import Region, load_region
from fenzhi.region.demo import SCHEMES, DemoSummary, write_demo


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
    scheme: str = "dip",
    progress: Progress = silent,
) -> Demo:
    """Write a synthetic region into a new folder, all or nothing; a DIP catalogue is built from its history.

    ``scheme``: ``dip``, ``drg-rate`` or ``drg-points``. Raises :class:`OutputError` if the folder exists and is
    not empty, :class:`RegionError` for a size that cannot be made.
    """
    builds = not SCHEMES[scheme].shipped_catalog
    share = 0.6 if builds else 1.0
    with new_dir(folder) as aside:
        summary = write_demo(
            aside,
            stays=stays,
            hospitals=hospitals,
            seed=seed,
            full=full,
            scheme=scheme,
            progress=lambda stage, done: progress(stage, share * done),
        )
        region = load_region(aside)
        if builds:
            groups = _build(region, aside, lambda stage, done: progress(stage, share + (1 - share) * done))
        else:
            groups = load_catalog(region.catalog, near=aside).groups.height
    progress("done", 1.0)
    return Demo(summary, groups)


def _build(region: Region, aside: Path, progress: Progress) -> int:
    """Build the region's catalogue from its history and return the number of groups."""
    inputs = BuildInputs(
        history=[region.path(name) for name in region.meta.history],
        policy=region.policy,
        base="demonstration-3.0",
        operations=None if region.meta.operations is None else region.path(region.meta.operations),
        diagnoses=aside / "diagnoses.csv",
        title=f"{region.meta.name}本地病种目录",
        synthetic=True,
    )
    built = build_from_history(inputs, progress=progress)
    write_built(built, aside / region.catalog)
    return int(built.counts["groups"])

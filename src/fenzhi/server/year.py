"""The year that is shown: a finished run of a folder, whose page it is, and what was read of it already."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from fenzhi.errors import FenzhiError, InputError
from fenzhi.pipeline.explain import require_inputs
from fenzhi.region import Region, load_region
from fenzhi.reports.facts import HOSPITAL, Facts, gather, region_bands
from fenzhi.reports.hospital import Hospital, statement_of
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import language
from fenzhi.server.texts import ServeWords
from fenzhi.simulation import Simulation, load_simulation

T = TypeVar("T")


class Once:
    """Values that are made on first use and kept; who asks for one that is being made waits for it."""

    def __init__(self) -> None:
        self._door = threading.Lock()
        self._locks: dict[object, threading.Lock] = {}
        self._made: dict[object, Any] = {}

    def get(self, key: object, make: Callable[[], T]) -> T:
        """Return the value of a key, made by ``make`` if there is none; an error is kept by nobody."""
        with self._door:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            found: T = self._made[key]
            return found


@dataclass(frozen=True)
class Year:
    """A finished run and its folder. ``own``: the hospital whose page it is; None: one is chosen on the page.

    Nothing here changes while the page is open: what is kept was read from files of a finished run, or follows from
    them. Two users never see each other's questions.
    """

    folder: Path
    run: Path
    tables: RunTables
    own: str | None
    words: ServeWords
    kept: Once = field(default_factory=Once, repr=False, compare=False)

    @property
    def codes(self) -> list[str]:
        """Return the hospitals that may be chosen."""
        if self.own is not None:
            return [self.own]
        return self.tables.hospitals[HOSPITAL].unique(maintain_order=True).to_list()

    def names(self) -> dict[str, str]:
        """Return code -> name of the hospitals that may be chosen, by code."""
        known = dict(self.tables.hospitals.select(HOSPITAL, "fixmedins_name").iter_rows())
        return {code: known.get(code) or code for code in sorted(self.codes)}

    def chosen(self, wanted: str | None) -> str | None:
        """Return the hospital to show: its own, or the one that is asked for.

        Raises :class:`InputError` for a hospital that is not this page's, in the same words as for an unknown one.
        """
        if not wanted:
            return self.own
        if wanted not in self.codes:
            raise InputError(
                "this page shows no hospital with this code",
                code="SERVE_HOSPITAL",
                field="hospital",
                value=wanted,
                remedy="choose one of the list",
            )
        return wanted

    def hospital(self, code: str) -> Hospital:
        """Return a hospital's rows of the result tables."""
        return self.kept.get(("hospital", code), lambda: statement_of(self.tables, code))

    def facts(self) -> Facts:
        """Return the sums of all hospitals."""
        return self.kept.get("facts", lambda: gather(self.tables))

    def bands(self) -> pl.DataFrame:
        """Return the stays of the region by deviation band."""
        return self.kept.get("bands", lambda: region_bands(self.tables))

    def simulation(self) -> Simulation:
        """Return the year ready for what-ifs. Raises as :meth:`region`."""
        return self.kept.get("simulation", self._simulation)

    def region(self) -> Region:
        """Return the folder's inputs. Raises :class:`InputError` if they are not as the run read them."""
        return self.kept.get("region", self._region)

    def _region(self) -> Region:
        region = load_region(self.folder)
        require_inputs(region, self.tables.manifest)
        return region

    def _simulation(self) -> Simulation:
        self.region()
        return load_simulation(self.folder)

    def warm(self) -> None:
        """Make the year ready for what-ifs before anybody asks; what is wrong is said to who asks."""
        with suppress(FenzhiError, OSError):
            self.simulation()


def open_year(folder: Path, hospital: str | None, run: Path | None, lang: str) -> Year:
    """Return the last finished run of a folder (or ``run``), to be shown to a hospital, or to all (None)."""
    language(lang)
    run = last_run(folder) if run is None else run
    tables = RunTables.read(run)
    codes = tables.hospitals[HOSPITAL].unique(maintain_order=True).to_list()
    own = hospital or (codes[0] if len(codes) == 1 else None)
    if own is not None and own not in codes:
        raise InputError(
            "the run has no hospital with this code",
            code="SERVE_HOSPITAL",
            file=run / "hospitals.parquet",
            field="--hospital",
            value=own,
            remedy=f"give a code of hospitals.csv, for example {codes[0]}" if codes else "run the year again",
        )
    return Year(folder, run, tables, own, ServeWords(lang, tables.style))


def last_run(folder: Path) -> Path:
    """Return the last finished run of a folder. Raises :class:`InputError` if there is none."""
    runs = folder / "runs"
    found = sorted(runs.glob("*/manifest.json")) if runs.is_dir() else []
    done = [one.parent for one in found if not one.parent.name.startswith(".")]
    if not done:
        raise InputError(
            "there is no finished run to show",
            code="SERVE_NO_RUN",
            file=folder,
            remedy=f"run the year first: fenzhi run {folder}",
        )
    return done[-1]

"""From a folder or a catalogue and what is given of a case to its answer: reads files, works nothing out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.budget import payment_ratio
from fenzhi.budget.elastic import PERIODS
from fenzhi.catalogs import compares_exactly
from fenzhi.errors import ConservationError, InputError
from fenzhi.pipeline.case import CaseAnswer, Prices, answer_case
from fenzhi.pipeline.case_basis import NO_POOL, Basis, Place, catalog_basis, region_basis
from fenzhi.pipeline.case_source import one_stay, read_case
from fenzhi.pipeline.explain import require_inputs
from fenzhi.pipeline.setting import columns_for, known_codes
from fenzhi.pipeline.store import read_manifest, read_table
from fenzhi.records import ColumnMap, load_columns, read_stays
from fenzhi.region import Region, load_region


@dataclass(frozen=True)
class Given:
    """What the user says besides the case itself.

    ``value_e4``: the point value. ``ratio``: the payment ratio B / C. ``weights``: published ones. ``items``: drugs or
    technologies that an application for special review would name. ``place``: of a case without region.
    """

    value_e4: int | None = None
    ratio: Fraction | None = None
    weights: Path | None = None
    items: tuple[str, ...] = ()
    place: Place = field(default_factory=Place)


def case_by_catalog(
    catalog: str | Path, policy: str | Path | None, case: Mapping[str, Any], given: Given
) -> CaseAnswer:
    """Answer a case by a catalogue and a policy alone; points need published weights."""
    place = (
        given.place if given.place.opening_e4 is not None else replace(given.place, opening_e4=given.value_e4)
    )
    basis = catalog_basis(catalog, policy, given.weights, place)
    read = read_case(case, columns=basis.columns, known=basis.known, quality=basis.quality, day=date.today())
    prices = Prices(given.value_e4, "given", place.opening_e4, given.ratio)
    # Whatever hospital is named: its level and coefficient are those of the options.
    stay = read.stays.with_columns(pl.lit(NO_POOL).alias("fixmedins_code"))
    return answer_case(stay, basis, prices, warnings=read.warnings, items=given.items)


def case_in_region(
    folder: Path,
    case: Mapping[str, Any],
    given: Given,
    setl_id: str | None = None,
    basis_of: Callable[[Region, date, Path | None], Basis] = region_basis,
) -> CaseAnswer:
    """Answer a case in a region's folder, or in a finished run (``runs/<id>``), whose point value then counts.

    ``case``: columns of a stay; ``setl_id``: a stay of the region's records instead. A stay of a run is checked
    against it: :class:`ConservationError` if group or points differ. Raises :class:`InputError` for an unknown stay
    or hospital. ``basis_of``: for who answers many cases of one folder and keeps what they share.
    """
    run = folder if (folder / "manifest.json").is_file() else None
    region = load_region(folder.resolve().parents[1] if run is not None else folder)
    if run is not None:
        require_inputs(region, read_manifest(run))
    stay, warnings = _given_case(region, case) if setl_id is None else _recorded(region, setl_id)
    basis = basis_of(region, stay["dscg_time"][0].date(), given.weights)
    row = None if run is None or setl_id is None else _row(run, setl_id)
    prices = _prices(basis, given, run, basis.take(stay).row(0, named=True))
    answer = answer_case(stay, basis, prices, warnings=warnings, items=given.items)
    return answer if row is None else _agreed(answer, row)


def _columns(region: Region) -> ColumnMap:
    """Return the mapping that the region's records are read with."""
    name = region.meta.columns
    cmap = None if name is None else load_columns(region.path(name))
    return columns_for(cmap, compares_exactly(region.catalog, region.folder))


def _recorded(region: Region, setl_id: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a stay of the region's records, and what quality control said of it."""
    source = region.path(region.meta.records)
    read = read_stays(source, columns=_columns(region), quality=region.quality, known=known_codes(region))
    return one_stay(read, setl_id, source), read.warnings.filter(pl.col("setl_id") == setl_id)


def _given_case(region: Region, case: Mapping[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a case that is given by its columns; hospital, insurance and day have sensible defaults."""
    hospitals = region.hospitals["fixmedins_code"].to_list()
    code = case.get("fixmedins_code") or (hospitals[0] if len(hospitals) == 1 else None)
    if code not in hospitals:
        raise InputError(
            "the region has several hospitals, and the case names none"
            if code is None
            else "the region has no hospital with this code",
            code="CASE_HOSPITAL",
            file=region.path(region.meta.hospitals),
            field="fixmedins_code",
            value=code,
            remedy=f"give --hospital with a code of that file, for example {hospitals[0]}",
        )
    filled = {"insutype": region.pools[0].insutype[0]} | {k: v for k, v in case.items() if v is not None}
    own = _columns(region)
    read = read_case(
        filled | {"fixmedins_code": code},
        columns=ColumnMap(codes=own.codes, empty_age_is_infant=own.empty_age_is_infant),
        known=known_codes(region),
        quality=region.quality,
        day=date(region.meta.year, 12, 31),
    )
    return read.stays, read.warnings


def _row(run: Path, setl_id: str) -> dict[str, Any]:
    """Return the row of a run that an accepted stay has."""
    mine = (pl.col("setl_id") == setl_id) & ~pl.col("outcome").is_in(["rejected"])
    return read_table(run, "cases").filter(mine).row(0, named=True)


def _prices(basis: Basis, given: Given, run: Path | None, taken: Mapping[str, Any]) -> Prices:
    """Return what a point of a pool is worth: as given, else as the run settled it, else the opening value."""
    pool = taken["pool"]
    opening = dict(basis.opening.select("pool", "opening_value_e4").iter_rows()).get(pool)
    value, source, ratio = opening, "opening", given.ratio
    published = None if basis.setting is None else basis.setting.region.published
    if published is not None and pool is not None:
        value, source = published.given()[pool], "published"
        ratio = published.ratios().get(pool) if ratio is None else ratio
    if run is not None and pool is not None:
        row = read_table(run, "pools").filter(pl.col("pool") == pool).row(0, named=True)
        settled = row["settlement_value_e4"]
        if (run / "values.parquet").is_file():
            period = (taken["month"] - 1) // (12 // PERIODS[basis.policy.point_value.period])
            mine = (pl.col("pool") == pool) & (pl.col("period") == period)
            settled = read_table(run, "values").filter(mine)["settlement_value_e4"].to_list()
            settled = settled[0] if settled else row["settlement_value_e4"]
        if settled is not None:
            value, source = settled, "settlement"
        if ratio is None:
            ratio = payment_ratio(row["cost_fen"], row["booked_fen"])
    if given.value_e4 is not None:
        value, source = given.value_e4, "given"
    return Prices(value, source, opening, ratio)


def _agreed(answer: CaseAnswer, row: Mapping[str, Any]) -> CaseAnswer:
    """Return the answer, checked against the run, with what the run alone knows of the stay.

    What depends on other stays (a top share, a readmission, a decision of special review) is the run's.
    """
    mine = answer.facts.row(0, named=True)
    names = ["outcome", "group_id", *(n for n in ("rw_e4", "coefficient_e4", "points_base_e4") if n in mine)]
    alone = (
        row["review"] is None and row["readmitted_days"] is None and row["deviation"] == mine.get("deviation")
    )
    if alone and "points_e4" in mine:
        names.append("points_e4")
    for name in names:
        if mine[name] != row[name]:
            raise ConservationError(
                f"the case has another {name} than the run", field=name, value=(row[name], mine[name])
            )
    known = {name: row[name] for name in ("deviation", "points_e4", "review") if row[name] is not None}
    facts = answer.facts.with_columns(pl.lit(value).alias(name) for name, value in known.items())
    amounts = ("standard_fen", "direct_fen", "payable_fen")
    paid = answer.payment.with_columns(pl.lit(row[name], pl.Int64).alias(f"run_{name}") for name in amounts)
    return replace(answer, facts=facts, payment=paid if answer.payment.height else answer.payment)

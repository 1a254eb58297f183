"""One year of stays of the demo region, drawn in whole arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from fenzhi.arrays import MISSING, Bools, Floats, Int64s
from fenzhi.region.demo.cells import SEASONS, Cells
from fenzhi.region.demo.chapters import SERVICES
from fenzhi.region.demo.diseases import AGE_PROFILES
from fenzhi.region.demo.hospitals import AREA, Hospitals
from fenzhi.region.demo.payments import (
    EMPLOYEE,
    MONEY,
    RESIDENT,
    SELF_PAYING,
    Payer,
    pay,
    split_items,
    split_operations,
)
from fenzhi.region.demo.secondary import AGE_BANDS, FAMILIES

EMPLOYEE_SHARE = 0.22
SELF_PAYING_SHARE = 0.025
AWAY_SHARE = 0.055
AWAY_AREAS = ("990200", "990300", "980100")
GROWTH = 1.04
OUTLIER_SHARE, SHORT_SHARE = 0.008, 0.02
NEWBORN_DAYS = 28
_MONTHS = np.array(
    [
        # flat, winter, summer: relative number of discharges by month (the second is spring festival)
        [1.0, 0.82, 1.05, 1.02, 1.02, 1.0, 1.03, 1.02, 1.0, 0.98, 1.02, 1.04],
        [1.35, 1.0, 1.1, 0.98, 0.9, 0.82, 0.8, 0.8, 0.88, 0.98, 1.12, 1.32],
        [0.82, 0.72, 0.92, 0.98, 1.08, 1.18, 1.26, 1.24, 1.1, 0.98, 0.9, 0.84],
    ]
)
_TCM_CODES = ("A04.01.01", "A07.01.01", "A08.01.10", "A17.16.00", "B02.01.01", "B03.02.03", "B04.05.01")
_FEMALE_SHARE = 0.48


@dataclass(frozen=True)
class World:
    """What stays the same over the years: cells, hospitals, year of settlement, and the cost scale that
    brings the mean to the target."""

    cells: Cells
    hospitals: Hospitals
    base_year: int
    scale: float = 1.0


@dataclass(frozen=True)
class _People:
    """Per stay: sex (1, 2), age in years, age in days (-1 from one year on), birth weight (-1 none)."""

    sex: Int64s
    age: Int64s
    age_days: Int64s
    birth_weight: Int64s


def _people(cells: Cells, cell: Int64s, rng: np.random.Generator) -> _People:
    n = len(cell)
    profile = np.array(list(AGE_PROFILES.values()))[cells.age[cell]]
    age = np.clip(np.rint(rng.normal(profile[:, 0], profile[:, 1])), profile[:, 2], profile[:, 3]).astype(
        np.int64
    )
    newborn = cells.age[cell] == list(AGE_PROFILES).index("newborn")
    days = np.where(newborn, rng.integers(0, NEWBORN_DAYS, n), rng.integers(NEWBORN_DAYS + 1, 365, n))
    days = np.where(age == 0, days, MISSING)
    given = cells.sex[cell]
    sex = np.where(given == 0, np.where(rng.random(n) < _FEMALE_SHARE, 2, 1), given)
    # Birth weights in steps of 10 g: by the diagnosis of low weight, else those of mature newborns.
    low = {"P07.0": (780, 110, 500, 990), "P07.1": (1850, 380, 1000, 2490), "P07.2": (2350, 330, 1500, 3200)}
    low["P07.3"] = low["P07.2"]
    bands = np.array(
        [
            next((v for k, v in low.items() if code.startswith(k)), (3250, 420, 2500, 4600))
            for code in cells.codes
        ]
    )[cells.diagnosis[cell]]
    grams = np.clip(rng.normal(bands[:, 0], bands[:, 1]), bands[:, 2], bands[:, 3])
    weight = np.where(newborn, np.rint(grams / 10) * 10, MISSING).astype(np.int64)
    return _People(sex, age, days, weight)


def _others(cells: Cells, cell: Int64s, age: Int64s, rng: np.random.Generator) -> tuple[Int64s, Floats]:
    """Return other diagnoses (stays x slots, -1 none, the accompanying one first) and the cost factor."""
    n = len(cell)
    slots = np.full((n, 1 + len(FAMILIES)), MISSING, dtype=np.int64)
    for at, members in enumerate(cells.companions):
        rows = np.flatnonzero(cells.companion[cell] == at)
        slots[rows, 0] = members[rng.integers(0, len(members), len(rows))]
    band = np.searchsorted(AGE_BANDS, age, side="right")
    category = np.array([code[:3] for code in cells.codes])
    principal = category[cells.diagnosis[cell]]
    load = np.zeros(n)
    for at, (family, members) in enumerate(zip(FAMILIES, cells.families, strict=True)):
        rows = np.flatnonzero(rng.random(n) < np.array(family.chances)[band])
        own = {str(category[member]) for member in members}
        rows = rows[~np.isin(principal[rows], list(own))]
        slots[rows, at + 1] = members[rng.integers(0, len(members), len(rows))]
        load[rows] += 0.28 if family.heavy else 0.035
    return slots, np.minimum(0.88 + load, 2.4)


def _hospital(world: World, cell: Int64s, rng: np.random.Generator) -> Int64s:
    """Draw a hospital for each stay by its cell's class (level mix x service)."""
    kinds = world.cells.mix[cell] * len(SERVICES) + world.cells.service[cell]
    chances = world.hospitals.chances
    flat = (chances + np.arange(len(chances))[:, None]).ravel()
    drawn = np.searchsorted(flat, kinds + rng.random(len(cell)), side="right") - kinds * chances.shape[1]
    place: Int64s = np.minimum(drawn, chances.shape[1] - 1)
    return place


def _payers(age: Int64s, level: Int64s, rng: np.random.Generator) -> Payer:
    """Draw the insurance: employees are adults and prefer large hospitals."""
    n = len(age)
    chance = np.where(age < 18, 0.0, np.where(age < 60, 1.15, 1.0)) * np.array([0.0, 0.6, 1.0, 1.7])[level]
    chance *= EMPLOYEE_SHARE / (1 - SELF_PAYING_SHARE) / max(float(chance.mean()), 1e-9)
    insurance = np.where(rng.random(n) < chance, EMPLOYEE, RESIDENT)
    insurance = np.where(rng.random(n) < SELF_PAYING_SHARE, SELF_PAYING, insurance)
    away = rng.random(n) < AWAY_SHARE * np.array([0.0, 0.4, 0.9, 1.9])[level]
    return Payer(insurance, away & (insurance != SELF_PAYING))


def _dates(cells: Cells, cell: Int64s, year: int, rng: np.random.Generator) -> Int64s:
    """Return the days of discharge as days since 1970-01-01."""
    season = _MONTHS / _MONTHS.sum(axis=1, keepdims=True)
    flat = (np.cumsum(season, axis=1) + np.arange(len(SEASONS))[:, None]).ravel()
    kind = cells.season[cell]
    month = np.minimum(np.searchsorted(flat, kind + rng.random(len(cell)), side="right") - kind * 12, 11)
    first = (
        np.arange(f"{year}-01", f"{year + 1}-02", dtype="datetime64[M]")
        .astype("datetime64[D]")
        .astype(np.int64)
    )
    length = np.diff(first)
    days: Int64s = first[month] + (rng.random(len(cell)) * length[month]).astype(np.int64)
    return days


def _cost_and_days(
    world: World, cell: Int64s, base: Floats, load: Floats, rng: np.random.Generator
) -> tuple[Int64s, Int64s, Bools]:
    """Return cost (fen), days between admission and discharge, and which stays were cut short."""
    cells, n = world.cells, len(cell)
    noise, own = rng.normal(size=n), rng.normal(size=n)
    sigma = cells.sigma[cell]
    cost = base * load * np.exp(sigma * noise - sigma**2 / 2)
    days = cells.days[cell] * np.sqrt(load) * np.exp(0.36 * (0.7 * noise + 0.7 * own) - 0.05)
    high = rng.random(n) < OUTLIER_SHARE
    short = ~high & (rng.random(n) < SHORT_SHARE)
    cost = np.where(
        high, cost * rng.uniform(2.2, 6.0, n), np.where(short, cost * rng.uniform(0.1, 0.45, n), cost)
    )
    days = np.where(high, days * 1.8, np.where(short, days * 0.3, days))
    day_case = rng.random(n) < cells.day_case[cell]
    days = np.where(day_case, rng.integers(0, 2, n), np.maximum(np.rint(days), 1))
    return np.maximum(np.rint(cost * 100), 5000).astype(np.int64), days.astype(np.int64), short


def _lists(positions: Int64s, book: pl.Series, *values: Int64s) -> list[pl.Series]:
    """Turn slots (stays x slots, -1 none) into list columns: names from the book, and money of each slot."""
    n = len(positions)
    mask = positions != MISSING
    rows = np.nonzero(mask)[0]
    flat = pl.DataFrame({"row": rows, "code": book.gather(positions[mask])}).with_columns(
        decimal(pl.Series(f"v{at}", value[mask])) for at, value in enumerate(values)
    )
    names = flat.columns[1:]
    kept = flat.group_by("row", maintain_order=True).agg(names)
    if kept.height < n:  # stays without any slot are absent from the groups
        kept = pl.DataFrame({"row": np.arange(n)}).join(kept, on="row", how="left", maintain_order="left")
        kept = kept.with_columns(pl.col(names).fill_null([]))
    return [kept[name] for name in names]


def decimal(fen: pl.Series) -> pl.Series:
    """Return int64 fen as exact yuan, Decimal(16, 2)."""
    return (fen.cast(pl.Decimal(18, 2)) / 100).cast(pl.Decimal(16, 2))


def _durations(rng: np.random.Generator, longest: Int64s, wanted: Bools) -> pl.Series:
    """Return durations ``days/hours/minutes`` within the stay for the wanted rows, null for the others."""
    n = len(wanted)
    frame = pl.DataFrame(
        {
            "d": (np.maximum(longest, 1) * rng.uniform(0.1, 0.8, n)).astype(np.int64),
            "h": rng.integers(0, 24, n),
            "m": rng.integers(0, 60, n),
            "on": wanted,
        }
    )
    text = pl.concat_str(pl.col("d", "h", "m").cast(pl.String), separator="/")
    return frame.select(pl.when("on").then(text)).to_series()


def _persons(sex: Int64s, born: Int64s, payer: Payer, often: Bools, rng: np.random.Generator) -> pl.Series:
    """Return pseudonymous person numbers: stays of one number agree in sex, year of birth and insurance.

    Tumour patients come back for every cycle, so they are drawn from fewer numbers.
    """
    key = ((born - 1900) * 2 + sex - 1) * 6 + payer.insurance * 2 + payer.away
    _, place, counts = np.unique(key, return_inverse=True, return_counts=True)
    pool = np.maximum((counts[place] * np.where(often, 0.06, 0.75)).astype(np.int64), 1)
    number = key * (1 << 22) + (rng.random(len(key)) * pool).astype(np.int64)
    # An odd factor modulo a power of two is a bijection: numbers stay distinct and say nothing by themselves.
    mixed = (number * 0x9E3779B1) & ((1 << 40) - 1)
    return (
        pl.DataFrame({"n": mixed}).select(pl.lit("P") + pl.col("n").cast(pl.String).str.zfill(13)).to_series()
    )


def _leaving(
    cells: Cells, cell: Int64s, age: Int64s, level: Int64s, short: Bools, rng: np.random.Generator
) -> Int64s:
    """Return ways of discharge: mostly by order; deaths by disease and age; short stays often leave early."""
    u = rng.random(len(cell))
    way = np.where(u < 0.03, 4, np.where(u < 0.045, 2, np.where(u < 0.055, 3, np.where(u < 0.058, 9, 1))))
    way = np.where((level == 1) & (u > 0.97), 2, way)
    way = np.where(short & (rng.random(len(cell)) < 0.7), np.where(u < 0.5, 4, 2), way)
    chance = cells.deadly[cell] * np.where(age >= 75, 1.6, 1.0) + np.where(age >= 80, 0.004, 0.0006)
    return np.where(rng.random(len(cell)) < chance, 5, way)


def _times(discharged: Int64s, days: Int64s, rng: np.random.Generator) -> tuple[pl.Series, pl.Series]:
    """Return admission and discharge as local times: in before noon, out after, so days agree with dates."""
    day = 86_400_000_000
    out = discharged * day + rng.integers(13 * 3600, 18 * 3600, len(days)) * 1_000_000
    into = (discharged - days) * day + rng.integers(6 * 3600, 12 * 3600, len(days)) * 1_000_000
    return pl.Series(into).cast(pl.Datetime("us")), pl.Series(out).cast(pl.Datetime("us"))


def _text(values: list[str] | np.ndarray, place: Int64s) -> pl.Series:
    return pl.Series(values, dtype=pl.String).gather(place)


def _nullable(values: Int64s, dtype: type[pl.DataType]) -> pl.Series:
    series = pl.Series(values)
    return series.to_frame("v").select(pl.when(pl.col("v") != MISSING).then("v").cast(dtype)).to_series()


def draw_year(world: World, year: int, stays: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return one year of clean stays, sorted by discharge.

    One row per stay with the national column names, money as Decimal(16, 2) in yuan, codes as List(String);
    every quality rule holds.
    """
    cells, hospitals = world.cells, world.hospitals
    limits = np.cumsum(cells.weight)
    cell = np.searchsorted(limits / limits[-1], rng.random(stays), side="right")
    discharged = _dates(cells, cell, year, rng)
    cell, discharged = cell[np.argsort(discharged, kind="stable")], np.sort(discharged)
    people = _people(cells, cell, rng)
    others, load = _others(cells, cell, people.age, rng)
    hospital = _hospital(world, cell, rng)
    level, at_tcm = hospitals.level[hospital], hospitals.tcm[hospital]
    base = cells.yuan[cell] * hospitals.price[hospital] * world.scale * GROWTH ** (year - world.base_year)
    total, days, short = _cost_and_days(world, cell, base, load, rng)
    operations = cells.operations[cell]
    operated = operations[:, 0] != MISSING
    tcm = at_tcm & (rng.random(stays) < 0.65)
    payer = _payers(people.age, level, rng)
    items = split_items(total, operated, tcm, rng)
    money = {"medfee_sumamt": total, **items, **pay(total, payer, level, cells.tumour[cell], rng)}
    diagnoses = np.column_stack([cells.diagnosis[cell], others])
    (diag_codes,) = _lists(diagnoses, pl.Series("c", cells.codes))
    fees = split_operations(items["oprn_fee"], operations)
    oprn_codes, oprn_fees = _lists(operations, pl.Series("c", cells.operation_codes), fees)
    tcm_slots = np.where(tcm[:, None], rng.integers(0, [4, 3], (stays, 2)) + np.array([0, 4]), MISSING)
    (tcm_codes,) = _lists(tcm_slots, pl.Series("c", _TCM_CODES))
    admitted, left = _times(discharged, days, rng)
    los = np.maximum(days, 1)
    los_given = np.where(rng.random(stays) < hospitals.los_missing[hospital], MISSING, los)
    obstetric = cells.service[cell] == SERVICES.index("mother")
    maternity = obstetric & (payer.insurance == EMPLOYEE) & (rng.random(stays) < 0.6)
    insurance = np.where(maternity, 3, payer.insurance)
    # The fourth entry, maternity, is 510; self-paying patients have neither kind nor area of insurance.
    kinds = pl.Series(["390", "310", None, "510"], dtype=pl.String)
    area = np.where(payer.away, rng.integers(1, 1 + len(AWAY_AREAS), stays), 0)
    area = np.where(payer.insurance == SELF_PAYING, 1 + len(AWAY_AREAS), area)
    areas = pl.Series([AREA, *AWAY_AREAS, None], dtype=pl.String)
    department = _text(cells.departments, cells.department[cell])
    ventilated = (
        pl.DataFrame({"o": oprn_codes})
        .select(pl.col("o").list.eval(pl.element().str.starts_with("96.7")).list.any())["o"]
        .to_numpy()
    )
    intensive = (load > 1.4) & (rng.random(stays) < 0.35)
    bed_day = rng.random(stays) < cells.bed_day[cell]
    table = hospitals.table
    trt = np.where(tcm, rng.integers(1, 3, stays), 0)
    return pl.DataFrame(
        {
            "setl_id": pl.Series(np.arange(1, stays + 1))
            .cast(pl.String)
            .str.zfill(8)
            .str.replace("^", f"S{year}"),
            "psn_no": _persons(people.sex, year - people.age, payer, cells.tumour[cell], rng),
            "fixmedins_code": table["fixmedins_code"].gather(hospital),
            "fixmedins_name": table["fixmedins_name"].gather(hospital),
            "insutype": kinds.gather(insurance),
            "insu_admdvs": areas.gather(area),
            "gend": pl.Series(people.sex).cast(pl.Int8),
            "age": pl.Series(people.age).cast(pl.Int16),
            "nwb_age": _nullable(people.age_days, pl.Int32),
            "nwb_bir_wt": _nullable(people.birth_weight, pl.Int32),
            "nwb_adm_wt": _nullable(people.birth_weight, pl.Int32),
            "adm_time": admitted,
            "dscg_time": left,
            "act_ipt_days": _nullable(los_given, pl.Int32),
            "dscg_way": pl.Series(_leaving(cells, cell, people.age, level, short, rng)).cast(pl.Int8),
            "adm_caty": department,
            "dscg_caty": department,
            "med_type": _text(["21", "2105"], bed_day.astype(np.int64)),
            "trt_type": _text(["1", "2", "3"], trt),
            "diag_codes": diag_codes,
            "oprn_codes": oprn_codes,
            "tcm_diag_codes": tcm_codes,
            "oprn_fees": oprn_fees,
            "vent_used_dura": _durations(rng, los, ventilated),
            "scs_cutd_sum_dura": _durations(rng, los, intensive),
            **{name: decimal(pl.Series(name, money[name])) for name in MONEY},
        }
    )

"""Write the demo region: a whole synthetic year of settlement with three years of history."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter

from fenzhi.errors import RegionError
from fenzhi.region.demo.budget import POOLS, Line, assessment, budget_lines, budget_toml, deductions
from fenzhi.region.demo.cells import Cells, build_cells
from fenzhi.region.demo.dirt import ADDED, KIND, MONTH, UNREADABLE, soil
from fenzhi.region.demo.hospitals import AREA, make_hospitals
from fenzhi.region.demo.procedures import UNLISTED
from fenzhi.region.demo.returns import add_returns
from fenzhi.region.demo.reviews import make_reviews
from fenzhi.region.demo.schemes import SCHEMES, YEAR, Scheme
from fenzhi.region.demo.stays import World, draw_year
from fenzhi.region.demo.tail import FULL_STAYS, make_tail
from fenzhi.region.demo.tracks import HEAD_POOL, LINES, heads, heads_fen, price_list, track_label

HISTORY = (2024, 2025, 2026)
NAME = "示范统筹区(合成数据)"
MEAN_COST_YUAN = 6_129
PILOT_STAYS = 60_000
FULL_HOSPITALS = 319
MIN_STAYS, MIN_HOSPITALS = 1_000, 10
HISTORY_FAULT_RATE = 0.2
TEXT_MONTH, EXCEL_MONTH = 10, 11
EXCEL_ROWS_MAX = 20_000
FILE_ROWS = 250_000

Progress = Callable[[str, float], None]

_README = f"""{NAME}

本文件夹中的全部数据(医疗机构、参保人、住院记录、费用、预算)均由程序随机生成,不对应任何真实的
地区、机构或个人。疾病和费用的数字是为演示而编写的粗略值,不得用于研究或决策。
records/ 与 history/ 中故意放入了少量有错误的记录,种类与数量见 demo-truth.json。

All data in this folder (hospitals, persons, stays, costs, budgets) are invented: they were drawn at random
by a program and describe no real region, hospital or person. The figures for diseases and costs were made up
for demonstration and must not be used for research or decisions. A few faulty records were put in on purpose;
demo-truth.json counts them by kind.
"""


@dataclass(frozen=True)
class DemoSummary:
    """What was written: hospitals, rows by year (faults included), mean cost in fen of the year of
    settlement (clean stays), and how many rows of each kind of fault were put in."""

    target: Path
    hospitals: int
    rows: dict[int, int]
    mean_cost_fen: int
    injected: dict[str, int]
    injected_history: dict[str, int]


def _text_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """Return all columns as text: lists joined by ``|``, times as ``yyyy-MM-dd HH:mm:ss``."""

    def text(name: str, dtype: pl.DataType) -> pl.Expr:
        if isinstance(dtype, pl.List):
            return pl.col(name).list.eval(pl.element().cast(pl.String)).list.join("|")
        if isinstance(dtype, pl.Datetime):
            return pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S")
        return pl.col(name).cast(pl.String)

    return frame.select(text(name, dtype).alias(name) for name, dtype in frame.schema.items())


def _write_excel(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame of text; the creation date is fixed so that the same seed gives the same bytes."""
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"created": datetime(YEAR, 1, 1), "title": NAME})
        sheet = book.add_worksheet("stays")
        frame.write_excel(book, sheet, autofilter=False)


def _public(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop(KIND, ADDED, MONTH)


def _write_month(frame: pl.DataFrame, month: int, folder: Path) -> None:
    """Write one month: one as CSV in GB18030, one as Excel while it is small, the others as Parquet."""
    stem = folder / f"{YEAR}-{month:02d}"
    if month == TEXT_MONTH:
        text = _text_frame(frame)
        for kind, (column, value, _) in UNREADABLE.items():
            text = text.with_columns(
                pl.when(pl.col(KIND) == kind).then(pl.lit(value)).otherwise(column).alias(column)
            )
        stem.with_suffix(".csv").write_bytes(_public(text).write_csv().encode("gb18030"))
    elif month == EXCEL_MONTH and frame.height <= EXCEL_ROWS_MAX:
        _write_excel(_text_frame(_public(frame)), stem.with_suffix(".xlsx"))
    else:
        _public(frame).write_parquet(stem.with_suffix(".parquet"), compression="zstd")


def _write_history(frame: pl.DataFrame, folder: Path) -> None:
    folder.mkdir(parents=True)
    parts = max(2, -(-frame.height // FILE_ROWS))
    size = -(-frame.height // parts)
    for part in range(parts):
        path = folder / f"stays-{part + 1:02d}.parquet"
        _public(frame.slice(part * size, size)).write_parquet(path, compression="zstd")


def _region_toml(scheme: Scheme) -> str:
    lines = [
        "# 全部数据均为合成数据,见 README.txt",
        "[region]",
        f'id = "{scheme.region}"',
        f'name = "{NAME}"',
        f'area = "{AREA}"',
        f"year = {YEAR}",
        "synthetic = true",
        'policy = "policy.toml"',
        f'catalog = "{scheme.catalog}"',
        'records = "records"',
        "history = [" + ", ".join(f'"history/{year}"' for year in HISTORY) + "]",
        'hospitals = "hospitals.csv"',
        'budget = "budget.toml"',
        *(['operations = "operations.csv"'] if not scheme.shipped_catalog else []),
    ]
    for pool, (title, kinds) in POOLS.items():
        codes = ", ".join(f'"{kind}"' for kind in kinds)
        lines += [
            "",
            "[[pool]]",
            f'id = "{pool}"',
            f'title = "{title}"',
            f"insutype = [{codes}]",
            'areas = "local"',
        ]
    lines += ["", "[codes]", 'diagnosis_book = "diagnoses.csv"', 'operation_book = "operations.csv"']
    return "\n".join(lines) + "\n"


def _operations(cells: Cells) -> pl.DataFrame:
    """Return the operation table: what occurs, except the few codes that tables in use never know."""
    used = sorted(
        {cells.operation_codes[at] for at in np.unique(cells.operations) if at >= 0} - set(UNLISTED)
    )
    rows = [(code, *cells.operation_types[code]) for code in used]
    return pl.DataFrame(
        {
            "code": [row[0] for row in rows],
            "name": [row[3] for row in rows],
            "type": [row[1] for row in rows],
            "level": [row[2] for row in rows],
        }
    )


def _budget(
    frame: pl.DataFrame, pays: Scheme, hospitals: pl.DataFrame, target: Path
) -> dict[str, list[Line]]:
    """Return the budget; with other tracks also write the tables that they read."""
    if pays.bed_days_inside:
        return budget_lines(frame, pl.lit(None, pl.String), names={})
    if not pays.tracks:
        return budget_lines(frame)
    price_list().write_csv(target / "prices.csv")
    outpatients = heads(hospitals)
    outpatients.write_csv(target / "outpatient.csv")
    return budget_lines(frame, track_label(hospitals), names=LINES, heads={HEAD_POOL: heads_fen(outpatients)})


def _silent(_text: str, _share: float) -> None:
    """Tell nobody."""


def _check(target: Path, stays: int, hospitals: int) -> None:
    if stays < MIN_STAYS or hospitals < MIN_HOSPITALS:
        raise RegionError(
            f"a demo region needs at least {MIN_STAYS} stays a year and {MIN_HOSPITALS} hospitals",
            code="DEMO_SIZE",
            value=f"stays={stays}, hospitals={hospitals}",
            remedy="give larger numbers",
        )
    if not target.is_dir():
        raise RegionError(
            "the folder for the demo region does not exist",
            code="DEMO_FOLDER",
            file=target,
            remedy="create it first",
        )


def write_demo(
    target: Path,
    *,
    stays: int = 60_000,
    hospitals: int = 40,
    seed: int = 1,
    full: bool = False,
    scheme: str = "dip",
    progress: Progress | None = None,
) -> DemoSummary:
    """Write a synthetic region into the existing empty folder ``target``.

    ``stays`` a year of settlement and of each of three years of history, in that many ``hospitals``; ``full``
    takes the size of a whole prefecture instead (319 hospitals, 770,000 stays a year). ``scheme`` is a key of
    ``SCHEMES``. The same arguments give the same bytes. ``progress`` is told what was written and which share
    (0 to 1) is done. The stays contain faults on purpose; ``demo-truth.json`` and the summary count them.
    Raises :class:`RegionError`.
    """
    if full:
        stays, hospitals = FULL_STAYS, FULL_HOSPITALS
    _check(target, stays, hospitals)
    tell = progress or _silent
    pays = SCHEMES[scheme]
    # One independent stream per purpose, so that a change in one place does not move the others.
    seeds = np.random.SeedSequence(seed)
    streams = [np.random.default_rng(s) for s in seeds.spawn(6 + 2 * (len(HISTORY) + 1))]
    coming_back = dict(zip((*HISTORY, YEAR), seeds.spawn(len(HISTORY) + 1), strict=True))
    [reviewing] = seeds.spawn(1)
    cells = build_cells(make_tail(stays, streams[0]), streams[1])
    table = make_hospitals(hospitals, streams[2])
    pilot = draw_year(World(cells, table, YEAR), YEAR, PILOT_STAYS, streams[3])
    pilot_fen = pilot.select((pl.col("medfee_sumamt") * 100).cast(pl.Int64).sum()).item()
    scale = MEAN_COST_YUAN * 100 * PILOT_STAYS / pilot_fen
    world = World(cells, table, YEAR, scale)

    def draw(year: int, rng: np.random.Generator) -> pl.DataFrame:
        drawn = draw_year(world, year, stays, rng)
        return add_returns(drawn, np.random.default_rng(coming_back[year])) if pays.returns else drawn

    tell("tables", 0.05)
    rows: dict[int, int] = {}
    injected_history: dict[str, int] = {}
    for at, year in enumerate(HISTORY):
        frame, counts = soil(draw(year, streams[6 + 2 * at]), streams[7 + 2 * at], rate=HISTORY_FAULT_RATE)
        _write_history(frame, target / "history" / str(year))
        rows[year] = frame.height
        injected_history = {
            k: injected_history.get(k, 0) + counts.get(k, 0) for k in injected_history | counts
        }
        tell(f"history {year}", 0.05 + 0.22 * (at + 1))
    clean = draw(YEAR, streams[-2])
    mean_cost = clean.select((pl.col("medfee_sumamt") * 100).cast(pl.Int64).sum()).item() // stays
    frame, injected = soil(clean, streams[-1], text_month=TEXT_MONTH)
    del clean
    (target / "records").mkdir()
    for month in range(1, 13):
        _write_month(frame.filter(pl.col(MONTH) == month), month, target / "records")
    rows[YEAR] = frame.height
    tell(f"records {YEAR}", 0.95)
    if pays.reviews:
        reviews = make_reviews(frame, YEAR, np.random.default_rng(reviewing))
        reviews.applications.write_csv(target / "special_review.csv")
        reviews.decisions.write_csv(target / "review_decisions.csv")
    lines = _budget(frame, pays, table.table, target)
    (target / "budget.toml").write_text(budget_toml(YEAR, lines), encoding="utf-8")
    (target / "region.toml").write_text(_region_toml(pays), encoding="utf-8")
    (target / "README.txt").write_text(_README, encoding="utf-8")
    (target / "policy.toml").write_text(pays.policy, encoding="utf-8")
    codes = table.table["fixmedins_code"]
    table.table.write_csv(target / "hospitals.csv")
    _operations(cells).write_csv(target / "operations.csv")
    pl.DataFrame({"code": cells.codes, "name": cells.code_names}).write_csv(target / "diagnoses.csv")
    assessment(codes, streams[4]).write_csv(target / "assessment.csv")
    deductions(codes, streams[5]).write_csv(target / "deductions.csv")
    injected_history = dict(sorted(injected_history.items()))
    truth = {"synthetic": True, "records": injected, "history": injected_history}
    (target / "demo-truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
    tell("done", 1.0)
    return DemoSummary(target, len(table), rows, mean_cost, injected, injected_history)

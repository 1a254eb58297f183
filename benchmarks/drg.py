"""The DRG figures: whose stays are grouped, and how many a second.

``python -m benchmarks.drg STAYS TIMES`` prints the seconds of each call as JSON, for a process of its own.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import synthetic
from benchmarks.measure import Figure, figure, repeat, told
from fenzhi.catalogs import DrgCatalog, load_catalog
from fenzhi.catalogs.drg import import_tables
from fenzhi.grouping import CompiledDrg, group_drg
from fenzhi.grouping.compile_drg import compile_drg

ROOT = Path(__file__).parents[1]
SHIPPED = "demonstration-drg"
TABLES, CASES = "chs_drg_11", "chs_drg_11_cases_dev.parquet"
TARGET = ">= 1,500,000"
# Column of the cases -> column of stays.
COLUMNS = {
    "gender": "gend",
    "age": "age",
    "age_day": "nwb_age",
    "weight": "nwb_bir_wt",
    "los": "act_ipt_days",
    "leaving_type": "dscg_way",
    "dept": "dscg_caty",
    "dx": "diag_codes",
    "proc": "oprn_codes",
}


@dataclass(frozen=True)
class Drawn:
    """What is grouped: stays, the rules they are grouped by, and in words where both come from."""

    frame: pl.DataFrame
    compiled: CompiledDrg
    source: str


def reference_data() -> Path | None:
    """Return the folder that FENZHI_DATA names, if it has the DRG tables and cases."""
    given = os.environ.get("FENZHI_DATA")
    folder = Path(given) if given else None
    return folder if folder and (folder / TABLES).is_dir() and (folder / CASES).is_file() else None


def read_cases(path: Path) -> pl.DataFrame:
    """Return the cases with the columns of stays; codes joined by ``|`` become lists, an empty text an empty one."""
    cases = pl.read_parquet(path, columns=list(COLUMNS)).rename(COLUMNS)
    none = pl.lit([], pl.List(pl.String))
    operations = pl.col("oprn_codes")
    return cases.with_columns(
        pl.col("diag_codes").str.split("|"),
        pl.when(operations == "").then(none).otherwise(operations.str.split("|")).alias("oprn_codes"),
    )


def repeated(cases: pl.DataFrame, n: int) -> pl.DataFrame:
    """Return ``n`` stays, one case after the other and again from the first; each with a number of its own."""
    return (
        cases[np.arange(n) % cases.height]
        .with_columns(pl.Series("setl_id", np.arange(n)).cast(pl.String).str.zfill(12))
        .rechunk()
    )


def draw(n: int) -> Drawn:
    """Return ``n`` stays: the reference cases where FENZHI_DATA has them, else drawn for the shipped catalogue."""
    folder = reference_data()
    catalog: DrgCatalog
    if folder:
        catalog = import_tables(folder / TABLES)
        cases = read_cases(folder / CASES)
        frame, source = repeated(cases, n), f"{min(n, cases.height):,} reference cases, repeated; {TABLES}"
    else:
        catalog = load_catalog(SHIPPED)
        frame, source = synthetic.drg_stays(n, catalog), f"drawn stays; {SHIPPED}"
    return Drawn(frame, compile_drg(catalog), source)


def calls(drawn: Drawn, times: int) -> list[float]:
    """Return the seconds of ``times`` calls of ``group_drg``, frame in, frame out, after a warm-up."""
    return repeat(lambda: group_drg(drawn.frame, drawn.compiled), times)


def grouping(n: int, times: int) -> tuple[Figure, str]:
    """Measure grouping a frame: stays per second, and where the stays come from."""
    drawn = draw(n)
    return figure([n / t for t in calls(drawn, times)], "stays/s", TARGET), drawn.source


def one_thread(n: int, times: int) -> Figure:
    """Measure the same in a process in which polars and the kernel have one thread."""
    command = [sys.executable, "-m", "benchmarks.drg", str(n), str(times)]
    taken = told(command, PYTHONPATH=str(ROOT), POLARS_MAX_THREADS="1")
    return figure([n / t for t in taken], "stays/s")


if __name__ == "__main__":
    print(json.dumps(calls(draw(int(sys.argv[1])), int(sys.argv[2]))))

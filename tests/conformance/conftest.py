"""The reference tables and cases, read once: catalogue, twin, stays, what the reference program gives."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from fenzhi.grouping import CompiledDrg
from twins.drg import TwinDrg
from twins.drg_engine import rules_in

# Column of the cases -> column of stays.
COLUMNS = {
    "gender": "gend",
    "age": "age",
    "age_day": "nwb_age",
    "weight": "nwb_bir_wt",
    "dept": "dscg_caty",
    "los": "act_ipt_days",
    "leaving_type": "dscg_way",
    "dx": "diag_codes",
    "proc": "oprn_codes",
}


@pytest.fixture(scope="session")
def tables(reference_data: Path) -> Path:
    """Folder of the tables."""
    return reference_data / "chs_drg_11"


@pytest.fixture(scope="session")
def rules(tables: Path) -> CompiledDrg:
    return rules_in(tables)


@pytest.fixture(scope="session")
def twin(tables: Path) -> TwinDrg:
    return TwinDrg.read(tables)


@pytest.fixture(scope="session")
def cases(reference_data: Path) -> pl.DataFrame:
    """The cases with the columns of stays, codes joined by |, and exp_*; setl_id is the case's number."""
    frame = pl.read_parquet(reference_data / "chs_drg_11_cases_dev.parquet")
    return frame.rename(COLUMNS).with_columns(pl.col("id").cast(pl.String).alias("setl_id"))


def split(frame: pl.DataFrame) -> pl.DataFrame:
    """Codes as lists; an empty text has no operation, and one diagnosis, a blank one."""
    none = pl.lit([], pl.List(pl.String))
    return frame.with_columns(
        pl.col("diag_codes").str.split("|"),
        pl.when(pl.col("oprn_codes") == "")
        .then(none)
        .otherwise(pl.col("oprn_codes").str.split("|"))
        .alias("oprn_codes"),
    )


@pytest.fixture(scope="session")
def stays(cases: pl.DataFrame) -> pl.DataFrame:
    """The cases with lists of codes."""
    return split(cases)

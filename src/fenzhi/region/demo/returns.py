"""Patients of the demo region who come back soon, for the rules on readmission."""

from __future__ import annotations

import numpy as np
import polars as pl

# Second stays among all stays, and the days from the discharge to the next admission: some are soon enough for a
# rule of ten days, some are not.
RETURN_SHARE = 0.015
SOONEST_DAYS, LATEST_DAYS = 1, 15
# What the two stays of a pair have in common from the start.
_ALIKE = ("fixmedins_code", "insutype", "insu_admdvs", "gend", "_principal", "_operations")
_TAKEN = ("psn_no", "age", "diag_codes", "dscg_time")


def _pairs(frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``_row`` of every second stay of its kind, with what it takes from the one before as ``_<column>``."""
    alike = frame.with_row_index("_row").with_columns(
        pl.col("diag_codes").list.first().alias("_principal"),
        pl.col("oprn_codes").list.join("|").alias("_operations"),
    )
    # Infants are left out: their age in days would no longer fit the dates.
    adults = alike.filter((pl.col("age") > 0) & pl.col("insutype").is_not_null())
    return adults.select(
        "_row",
        pl.int_range(pl.len()).over(_ALIKE).alias("_place"),
        *(pl.col(name).shift(1).over(_ALIKE).alias(f"_{name}") for name in _TAKEN),
    ).filter(pl.col("_place") % 2 == 1)


def add_returns(frame: pl.DataFrame, rng: np.random.Generator, share: float = RETURN_SHARE) -> pl.DataFrame:
    """Turn some stays of a clean year into second stays of another stay's patient.

    ``frame`` as ``draw_year`` makes it. About ``share`` of the stays take person, age and diagnoses from a stay of
    the same hospital, insurance, sex, principal diagnosis and operations, and begin SOONEST_DAYS to LATEST_DAYS days
    after its discharge; length, cost and payers stay their own. Stays that would end in another year are left as
    they are. Returns the same number of stays, sorted and numbered by discharge.
    """
    pairs = _pairs(frame)
    wanted = min(pairs.height, round(share * frame.height))
    pairs = pairs[np.sort(rng.choice(pairs.height, wanted, replace=False))].with_columns(
        pl.Series("_gap", rng.integers(SOONEST_DAYS, LATEST_DAYS + 1, wanted))
    )
    both = frame.with_row_index("_row").join(pairs, on="_row", how="left", maintain_order="left")
    later = pl.col("_dscg_time").dt.truncate("1d") + pl.duration(days="_gap")
    moved = later - pl.col("adm_time").dt.truncate("1d")
    same_year = (pl.col("dscg_time") + moved).dt.year() == pl.col("dscg_time").dt.year()
    both = both.with_columns(pl.when(same_year).then(moved).alias("_moved"))
    back = pl.col("_moved").is_not_null()
    changed = both.with_columns(
        *(
            pl.when(back).then(pl.col(f"_{name}")).otherwise(pl.col(name)).alias(name)
            for name in ("psn_no", "age", "diag_codes")
        ),
        *(
            pl.when(back).then(pl.col(name) + pl.col("_moved")).otherwise(pl.col(name)).alias(name)
            for name in ("adm_time", "dscg_time")
        ),
    )
    ordered = changed.sort(pl.col("dscg_time").dt.date(), "_row", maintain_order=True)
    return ordered.select(frame.columns).with_columns(frame["setl_id"])

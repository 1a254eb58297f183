"""A catalogue and stays of any size, drawn at random: frequent things frequent, rare things many.

No real patients and no real catalogue: sizes and skew are those of a prefecture (8,000 core groups and one
comprehensive row per category and kind; about 6 diagnoses and 1.2 operations a stay, half of the stays without any).
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from fenzhi.catalogs import CatalogMeta, DipCatalog, make_catalog
from fenzhi.catalogs.dialect import Dialect
from fenzhi.catalogs.models import GROUPS_SCHEMA, KINDS

CATEGORIES = 2_000
SUBCATEGORIES = 4
EXTENSIONS = 3
OPERATIONS = 3_000
CORE_GROUPS = 8_000
MEAN_OTHER_DIAGNOSES = 5.0
MEAN_FURTHER_OPERATIONS = 1.7
SHARE_AGAINST_TYPE = 0.15
SHARE_OF_FITTING_OPERATIONS = 0.8
SHARE_OF_STRANGE_PRINCIPALS = 0.08
HOSPITALS = 319


def _categories() -> list[str]:
    return [f"{chr(65 + i // 100)}{i % 100:02d}" for i in range(CATEGORIES)]


def _subcategories() -> list[str]:
    return [f"{category}.{digit}" for category in _categories() for digit in range(SUBCATEGORIES)]


def _operations() -> list[str]:
    return [f"{i // 100:02d}.{i % 100:02d}00" for i in range(OPERATIONS)]


def catalog(core_groups: int = CORE_GROUPS) -> DipCatalog:
    """Return a catalogue of ``core_groups`` groups and the comprehensive rows of every category."""
    subs, oprns = _subcategories(), _operations()
    core = [
        {
            "group_id": f"{subs[i % len(subs)]}-{i}",
            "layer": "basic",
            "main_diag": subs[i % len(subs)],
            "treatment": "conservative" if i % 2 else "operation",
            "main_oprn": None if i % 2 else oprns[i % OPERATIONS],
        }
        for i in range(core_groups)
    ]
    rest = [
        {"group_id": f"{category}-{kind}", "layer": "comprehensive", "main_diag": category, "treatment": kind}
        for category in _categories()
        for kind in KINDS
    ]
    rows = pl.DataFrame(core + rest, infer_schema_length=None).with_columns(
        pl.lit("合成病种").alias("name"), pl.lit(False).alias("grassroots")
    )
    missing = [
        pl.lit(None, dtype).alias(name) for name, dtype in GROUPS_SCHEMA.items() if name not in rows.columns
    ]
    meta = CatalogMeta(
        id="benchmark",
        title="合成目录(测速用)",
        version="1",
        kind="demonstration",
        layers=("basic", "comprehensive"),
        dialect=Dialect("or_of_ands"),
        synthetic=True,
    )
    types = pl.DataFrame({"code": oprns, "name": oprns, "type": ["surgery"] * len(oprns)})
    return make_catalog(meta, rows.with_columns(missing).select(list(GROUPS_SCHEMA)), operations=types)


def _skewed(rng: np.random.Generator, kinds: int, size: int) -> npt.NDArray[np.int64]:
    """Draw ``size`` numbers below ``kinds``; the k-th most frequent comes about 1/k as often as the first."""
    cumulated = np.cumsum(1 / np.arange(1, kinds + 1))
    drawn = np.searchsorted(cumulated, rng.random(size) * cumulated[-1])
    return rng.permutation(kinds)[np.minimum(drawn, kinds - 1)]


def _lists(values: pl.Series, lengths: npt.NDArray[np.int64]) -> pl.Series:
    """Cut flat values into lists of the given lengths (0 gives an empty list)."""
    rows = pl.DataFrame({"row": np.repeat(np.arange(len(lengths)), lengths), "value": values})
    lists = rows.group_by("row", maintain_order=True).agg("value")
    every = pl.DataFrame({"row": np.arange(len(lengths))}).join(
        lists, on="row", how="left", maintain_order="left"
    )
    return every["value"].fill_null(pl.Series([[]], dtype=pl.List(pl.String)))


def stays(n: int, seed: int = 1) -> pl.DataFrame:
    """Return ``n`` stays with the columns that grouping reads: codes as lists of text, principal first."""
    rng = np.random.default_rng(seed)
    subs = _subcategories()
    codes = pl.Series([f"{sub}00x{j:03d}" for sub in subs for j in range(EXTENSIONS)])
    group = _skewed(rng, CORE_GROUPS, n)
    principal = (group % len(subs)) * EXTENSIONS + rng.integers(0, EXTENSIONS, n)
    strange = rng.random(n) < SHARE_OF_STRANGE_PRINCIPALS
    principal[strange] = rng.integers(0, len(codes), int(strange.sum()))

    lengths = 1 + np.minimum(rng.poisson(MEAN_OTHER_DIAGNOSES, n), 15)
    flat = _skewed(rng, len(codes), int(lengths.sum()))
    flat[np.cumsum(lengths) - lengths] = principal
    diagnoses = _lists(codes.gather(pl.Series(flat)), lengths)

    # Groups with odd numbers are conservative, the others ask for an operation; most stays are what they seem.
    operated = (group % 2 == 0) ^ (rng.random(n) < SHARE_AGAINST_TYPE)
    lengths = np.where(operated, 1 + np.minimum(rng.poisson(MEAN_FURTHER_OPERATIONS, n), 8), 0)
    flat = _skewed(rng, OPERATIONS, int(lengths.sum()))
    fits = rng.random(int(operated.sum())) < SHARE_OF_FITTING_OPERATIONS
    flat[(np.cumsum(lengths) - lengths)[operated][fits]] = (group[operated] % OPERATIONS)[fits]
    operations = _lists(pl.Series(_operations()).gather(pl.Series(flat)), lengths)
    return pl.DataFrame(
        {
            "setl_id": pl.Series(np.arange(n)).cast(pl.String).str.zfill(12).str.replace("^", "S"),
            "diag_codes": diagnoses,
            "oprn_codes": operations,
            "age": pl.Series(rng.integers(0, 95, n), dtype=pl.Int16),
            "nwb_age": pl.Series([None], dtype=pl.Int16).new_from_index(0, n),
            "nwb_bir_wt": pl.Series([None], dtype=pl.Int32).new_from_index(0, n),
        }
    )


def file_of_stays(n: int, seed: int = 1) -> pl.DataFrame:
    """Return stays as a hospital or an agency would export them: those of :func:`stays` and the usual columns."""
    rng = np.random.default_rng(seed + 1)
    admitted = pl.Series(rng.integers(0, 350 * 24 * 60, n)).cast(pl.Duration("us")) * 60_000_000
    length = rng.integers(1, 15, n)
    begin = pl.lit(datetime(2027, 1, 1))
    cost = pl.Series(np.round(np.exp(rng.normal(8.5, 0.8, n)) * 100).astype(np.int64))
    money = {"medfee_sumamt": 1.0, "hifp_pay": 0.6, "psn_pay_sumamt": 0.4, "drug_fee": 0.3, "exam_fee": 0.2}
    hospitals = pl.Series([f"H{i:011d}" for i in range(HOSPITALS)])
    return (
        stays(n, seed)
        .with_columns(
            hospitals.gather(pl.Series(_skewed(rng, HOSPITALS, n))).alias("fixmedins_code"),
            pl.Series("insutype", ["310", "390"]).gather(pl.Series(rng.integers(0, 2, n))).alias("insutype"),
            pl.Series("psn_no", rng.integers(0, 10**9, n)).cast(pl.String),
            pl.Series("gend", rng.integers(1, 3, n)).cast(pl.String),
            (begin + admitted).alias("adm_time"),
            (begin + admitted + pl.Series(length).cast(pl.Duration("us")) * 86_400_000_000).alias(
                "dscg_time"
            ),
            pl.Series("act_ipt_days", length, dtype=pl.Int32),
            pl.lit("1").alias("dscg_way"),
            *((cost * share).round().cast(pl.Int64).alias(name) / 100 for name, share in money.items()),
        )
        .with_columns(pl.col(name).cast(pl.Decimal(16, 2)) for name in money)
    )

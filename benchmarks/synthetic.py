"""A catalogue and stays of any size, drawn at random: frequent things frequent, rare things many.

No real patients and no real catalogue: sizes and skew are those of a prefecture (8,000 core groups and one
comprehensive row per category and kind; about 6 diagnoses and 1.2 operations a stay, half of the stays without any).
Stays for a DRG catalogue are drawn from its own lists, so that every group occurs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from fenzhi.catalogs import CatalogMeta, DipCatalog, DrgCatalog, make_catalog
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
MEAN_OTHER_DRG_DIAGNOSES = 2.5
MEAN_FURTHER_DRG_OPERATIONS = 2.5
SHARE_OPERATED_BESIDES = 0.15


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


def _single(token: str) -> list[str]:
    """Return the categories of a range (``A00-A09``, ``76-84``); everything else as it is."""
    low, _, high = token.partition("-")
    return [f"{low[:-2]}{k:02d}" for k in range(int(low[-2:]), int(high[-2:]) + 1)] if high else [token]


def _whole_diagnoses(tokens: Iterable[str]) -> list[str]:
    """Return full codes that begin with what the catalogue writes: ``K35`` -> ``K35.900x000`` ..."""
    begins = [code if "." in code else f"{code}.9" for token in tokens for code in _single(token)]
    return [f"{begin}00x{j:03d}" for begin in begins for j in range(EXTENSIONS)]


def _whole_operations(tokens: Iterable[str]) -> list[str]:
    """Return full codes that begin with what the catalogue writes: ``33`` -> ``33.1100``, ``33.5`` -> ``33.5100``."""
    return [code + ".1100"[len(code) - 2 :] for token in tokens for code in _single(token)]


@dataclass(frozen=True)
class _Pools:
    """For each ADRG the codes to draw from: ``codes[start : start + length]``; a length of 0 is no pool."""

    codes: pl.Series
    start: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]

    @classmethod
    def of(cls, pools: list[list[str]]) -> _Pools:
        length = np.array([len(pool) for pool in pools])
        return cls(pl.Series([code for pool in pools for code in pool]), np.cumsum(length) - length, length)

    def draw(self, rng: np.random.Generator, at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return a row of ``codes`` for each ADRG given."""
        return self.start[at] + (rng.random(len(at)) * self.length[at]).astype(np.int64)


def _drg_pools(catalog: DrgCatalog) -> tuple[_Pools, _Pools]:
    """Return principal diagnoses and operations of every ADRG, from the lists that its conditions name."""
    tables = catalog.tables
    lists = {key: part["code"].to_list() for (key,), part in tables["code_list"].group_by("list_id")}
    chapter = {key: part["code"].to_list() for (key,), part in tables["mdc_dx"].group_by("mdc")}
    terms = dict(tables["adrg_condition"].group_by("adrg", "alt"))
    of_kind = {"MAIN_DX_IN": "dx", "MAIN_PROC_IN": "op", "ANY_PROC_IN": "op", "MAIN_PROC_VALID": "valid"}
    diagnoses, operations = [], []
    for adrg, alt, mdc in tables["adrg"].select("adrg", "alt", "mdc").iter_rows():
        found: dict[str, list[str]] = {"dx": [], "op": [], "valid": []}
        if (adrg, alt) in terms:
            for kind, list_id in terms[adrg, alt].select("kind", "list_id").iter_rows():
                if kind == "MAIN_PROC_VALID":
                    found["valid"] = tables["valid_procedure"]["code"].to_list()
                elif kind in of_kind:
                    found[of_kind[kind]] += lists[list_id]
        # A chapter for every principal diagnosis (the first one) has no list of its own.
        diagnoses.append(_whole_diagnoses(found["dx"] or chapter.get(mdc) or tables["mdc_dx"]["code"]))
        operations.append(_whole_operations(found["op"] or found["valid"]))
    return _Pools.of(diagnoses), _Pools.of(operations)


def drg_stays(n: int, catalog: DrgCatalog, seed: int = 1) -> pl.DataFrame:
    """Return ``n`` stays for a DRG catalogue that compares by category, with every column that grouping reads.

    An ADRG is drawn for each stay (few of them frequent), then codes from its lists, sex and age that its chapter
    asks for, further diagnoses and operations from anywhere.
    """
    rng = np.random.default_rng(seed)
    principals, operations = _drg_pools(catalog)
    entry = dict(catalog.tables["mdc"].select("mdc", pl.col("entry_rule").str.split(";")).iter_rows())
    rules = [entry[mdc] for mdc in catalog.tables["adrg"]["mdc"]]
    adrg = _skewed(rng, len(rules), n)

    every = pl.concat([principals.codes, pl.Series(_whole_diagnoses(catalog.tables["cc"]["code"]))]).unique()
    every = every.sort()
    lengths = 1 + np.minimum(rng.poisson(MEAN_OTHER_DRG_DIAGNOSES, n), 15)
    flat = len(principals.codes) + _skewed(rng, len(every), int(lengths.sum()))
    flat[np.cumsum(lengths) - lengths] = principals.draw(rng, adrg)
    diagnoses = _lists(pl.concat([principals.codes, every]).gather(pl.Series(flat)), lengths)

    asked = operations.length[adrg] > 0
    operated = asked | (rng.random(n) < SHARE_OPERATED_BESIDES)
    lengths = np.where(operated, 1 + np.minimum(rng.poisson(MEAN_FURTHER_DRG_OPERATIONS, n), 8), 0)
    flat = _skewed(rng, len(operations.codes), int(lengths.sum()))
    flat[(np.cumsum(lengths) - lengths)[asked]] = operations.draw(rng, adrg[asked])
    done = _lists(operations.codes.gather(pl.Series(flat)), lengths)

    sex = np.array([2 if "female" in rule else 1 if "male" in rule else 0 for rule in rules])[adrg]
    newborn = np.array(["age0" in rule for rule in rules])[adrg]
    age = np.where(newborn, 0, rng.integers(1, 95, n))
    days = pl.Series(rng.integers(0, 60, n), dtype=pl.Int32)
    grams = pl.Series(rng.integers(800, 4500, n), dtype=pl.Int32)
    return pl.DataFrame(
        {
            "setl_id": pl.Series(np.arange(n)).cast(pl.String).str.zfill(12).str.replace("^", "S"),
            "diag_codes": diagnoses,
            "oprn_codes": done,
            "gend": pl.Series(np.where(sex > 0, sex, rng.integers(1, 3, n)), dtype=pl.Int8),
            "age": pl.Series(age, dtype=pl.Int16),
            "nwb_age": days.set(pl.Series(~newborn), None),
            "nwb_bir_wt": grams.set(pl.Series(~newborn), None),
            "act_ipt_days": pl.Series(rng.integers(1, 30, n), dtype=pl.Int32),
            "dscg_way": pl.Series(rng.integers(1, 6, n), dtype=pl.Int8),
            "dscg_caty": pl.Series(["A03", "A04", "A05", "A07"]).gather(pl.Series(rng.integers(0, 4, n))),
        }
    )

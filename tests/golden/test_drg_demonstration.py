"""The demonstration DRG catalogue: cases worked by hand, no rule without a stay, nothing that overlaps by mistake."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fenzhi.catalogs import load_catalog
from fenzhi.catalogs.drg import DrgCatalog, check_drg_catalog
from fenzhi.catalogs.drg.rules import CONDITION_KINDS
from fenzhi.codes import read_table
from fenzhi.grouping.compile_drg import CompiledDrg, compile_drg
from fenzhi.grouping.drg import group_drg
from fenzhi.grouping.explain_drg import trace_drgs
from fenzhi.region.demo.cells import build_cells
from fenzhi.region.demo.hospitals import make_hospitals
from fenzhi.region.demo.stays import World, draw_year
from fenzhi.region.demo.tail import make_tail

CASES = Path(__file__).parent / "drg_demonstration_cases.csv"
RESULT = ["mdc", "adrg", "drg", "status", "reason"]
NUMBERS = ["gend", "age", "nwb_age", "nwb_bir_wt", "act_ipt_days", "dscg_way"]


def _codes(name: str) -> pl.Expr:
    return pl.col(name).fill_null("").str.split("|").list.filter(pl.element() != "")


@pytest.fixture(scope="module")
def cases() -> pl.DataFrame:
    """The cases as stays, with what is expected of each."""
    return read_table(CASES).with_columns(
        _codes("diag_codes"), _codes("oprn_codes"), pl.col(NUMBERS).cast(pl.Int32)
    )


@pytest.fixture(scope="module")
def catalog() -> DrgCatalog:
    """The catalogue as it is shipped."""
    loaded = load_catalog("demonstration-drg")
    assert isinstance(loaded, DrgCatalog)
    return loaded


@pytest.fixture(scope="module")
def compiled(catalog: DrgCatalog) -> CompiledDrg:
    """The catalogue compiled."""
    return compile_drg(catalog)


def _found(stays: pl.DataFrame, compiled: CompiledDrg) -> list[tuple[str | None, ...]]:
    return group_drg(stays, compiled).frame.select(pl.col(RESULT).cast(pl.String)).rows()


def _first_code(token: str) -> str:
    """Return a code that a token of a table stands for: of a range its first category."""
    return token.partition("-")[0]


def test_every_case_finds_its_group(cases: pl.DataFrame, compiled: CompiledDrg) -> None:
    expected = cases.select(RESULT).rows()
    names = cases.select("setl_id", "why").rows()
    found = _found(cases, compiled)
    wrong = [(name, got, want) for name, got, want in zip(names, found, expected, strict=True) if got != want]
    assert cases.height > 150
    assert wrong == []


def test_cases_are_told_apart(cases: pl.DataFrame) -> None:
    assert cases["setl_id"].n_unique() == cases.height
    given = cases.select("diag_codes", "oprn_codes", *NUMBERS, "dscg_caty")
    assert given.with_columns(pl.col("diag_codes", "oprn_codes").list.join("|")).n_unique() == cases.height
    assert cases["why"].null_count() == 0


def test_the_order_of_cases_does_not_matter(cases: pl.DataFrame, compiled: CompiledDrg) -> None:
    shuffled = cases.sample(fraction=1, shuffle=True, seed=7)
    assert _found(shuffled, compiled) == shuffled.select(RESULT).rows()


def test_the_explanation_of_every_case_ends_with_its_result(
    cases: pl.DataFrame, compiled: CompiledDrg
) -> None:
    for told, expected in zip(trace_drgs(cases, compiled), cases.select(RESULT).rows(), strict=True):
        assert (told.mdc, told.adrg, told.drg, told.status, told.reason) == expected


def test_the_cases_reach_every_chapter_and_every_answer(cases: pl.DataFrame, catalog: DrgCatalog) -> None:
    assert set(cases["mdc"]) == {*catalog.tables["mdc"]["mdc"], "0000"}
    assert set(cases["reason"].drop_nulls()) == {
        "sex_unknown",
        "age_unknown",
        "newborn_age_days_missing",
        "newborn_weight_missing",
        "no_mdc",
        "sex_against_chapter",
        "age_against_chapter",
        "unknown_diagnosis",
        "unknown_operation",
        "operation_not_valid",
        "no_adrg",
    }


def test_the_cases_reach_every_group_that_differs_by_more_than_complications(
    cases: pl.DataFrame, catalog: DrgCatalog
) -> None:
    severity = pl.col("rule").is_in(["always", "mcc", "cc", "mcc_or_cc"])
    special = catalog.tables["drg"].filter(~severity)["drg"].unique()
    assert len(special) >= 15
    assert set(special) - set(cases["drg"]) == set()


def test_every_kind_of_condition_is_used(catalog: DrgCatalog) -> None:
    assert set(catalog.tables["adrg_condition"]["kind"]) == set(CONDITION_KINDS)


def test_qy_rules_hold_when_they_are_switched_on(cases: pl.DataFrame, catalog: DrgCatalog) -> None:
    on = compile_drg(replace(catalog, meta=catalog.meta.model_copy(update={"ambiguous": True})))
    expected = cases.select(RESULT).rows()
    differ = {
        stay: got
        for stay, got, want in zip(cases["setl_id"], _found(cases, on), expected, strict=True)
        if got != want
    }
    # An operation of another organ: on the prostate's patient, and on the woman in childbed.
    other = cases.filter(pl.col("oprn_codes").list.first() == "47.0900")["setl_id"].to_list()
    assert len(other) == 2
    status = "歧义病案"
    assert differ == {
        other[0]: ("MDCM", "QY", "MQY", status, "ambiguous"),
        other[1]: ("MDCO", "QY", "OQY", status, "ambiguous"),
    }


def test_the_check_finds_nothing(catalog: DrgCatalog) -> None:
    assert [one for one in check_drg_catalog(catalog) if one.severity != "note"] == []


def test_every_category_of_icd_10_has_a_chapter(compiled: CompiledDrg) -> None:
    # First and last category of each stretch of ICD-10, but the external causes (V to Y).
    stretches = (
        "A00-A09 A15-A28 A30-A49 A50-A71 A74-A99 B00-B09 B15-B34 B35-B83 B85-B99 C00-C26 C30-C34 C37-C41 "
        "C43-C58 C60-C85 C88-C88 C90-C96 D00-D07 D09-D48 D50-D77 D80-D89 E00-E07 E10-E16 E20-E35 E40-E46 "
        "E50-E68 E70-E90 F00-F99 G00-G47 G50-G99 H00-H59 H60-H95 I00-I52 I60-I89 I95-I99 J00-J06 J09-J22 "
        "J30-J47 J60-J70 J80-J99 K00-K14 K20-K31 K35-K38 K40-K46 K50-K67 K70-K77 K80-K87 K90-K93 L00-L99 "
        "M00-M99 N00-N51 N60-N64 N70-N99 O00-O08 O10-O16 O20-O48 O60-O75 O80-O92 O95-O99 P00-P96 Q00-Q07 "
        "Q10-Q18 Q20-Q28 Q30-Q45 Q50-Q56 Q60-Q99 R00-R07 R09-R23 R25-R36 R39-R65 R68-R99 S00-S99 T00-T98 "
        "Z00-Z99"
    )
    codes = [
        f"{low[0]}{number:02d}.{last}00"
        for low, high in (part.split("-") for part in stretches.split())
        for number in range(int(low[1:]), int(high[1:]) + 1)
        for last in (0, 9)
    ]
    given = pl.DataFrame({"code": codes}).join(pl.DataFrame({"gend": [1, 2]}), how="cross")
    stays = given.select(
        pl.col("code").alias("setl_id"),
        pl.concat_list("code").alias("diag_codes"),
        pl.lit([], pl.List(pl.String)).alias("oprn_codes"),
        "gend",
        pl.when(pl.col("code").str.starts_with("P")).then(0).otherwise(40).alias("age"),
        pl.lit(5).alias("nwb_age"),
        pl.lit(3000).alias("nwb_bir_wt"),
        pl.lit(5).alias("act_ipt_days"),
        pl.lit(1).alias("dscg_way"),
        pl.lit(None, pl.String).alias("dscg_caty"),
    )
    frame = group_drg(stays, compiled).frame.with_columns(pl.col("setl_id").str.slice(0, 3).alias("category"))
    left = frame.group_by("category").agg((pl.col("outcome") == "grouped").any().alias("grouped"))
    assert set(left.filter(~pl.col("grouped"))["category"]) == {"O95", "O96", "O97"}


def test_no_adrg_stands_in_the_shadow_of_those_before_it(
    cases: pl.DataFrame, catalog: DrgCatalog, compiled: CompiledDrg
) -> None:
    """Every ADRG is reached by a case or by some pair of a diagnosis and an operation that tables name."""
    lists = catalog.tables["code_list"]["code"]
    tokens = pl.concat([catalog.tables["mdc_dx"]["code"], lists.filter(lists.str.contains("^[A-Z]"))])
    operations = pl.concat(
        [catalog.tables["valid_procedure"]["code"], lists.filter(lists.str.contains("^[0-9]"))]
    )
    dx = pl.DataFrame({"dx": tokens.map_elements(_first_code, return_dtype=pl.String).unique().sort()})
    op = pl.DataFrame(
        {"op": ["", *operations.map_elements(_first_code, return_dtype=pl.String).unique().sort()]}
    )
    people = pl.DataFrame({"gend": [1, 2, 1], "age": [40, 40, 0], "nwb_age": [None, None, 9]})
    stays = (
        dx.join(op, how="cross")
        .join(people, how="cross")
        .select(
            pl.lit("S").alias("setl_id"),
            pl.concat_list("dx").alias("diag_codes"),
            pl.when(pl.col("op") == "").then([]).otherwise(pl.concat_list("op")).alias("oprn_codes"),
            "gend",
            "age",
            "nwb_age",
            pl.lit(3000).alias("nwb_bir_wt"),
            pl.lit(70).alias("act_ipt_days"),
            pl.lit(1).alias("dscg_way"),
            pl.lit(None, pl.String).alias("dscg_caty"),
        )
    )
    reached = {*group_drg(stays, compiled).frame["adrg"].unique(), *cases["adrg"]}
    assert set(catalog.tables["adrg"]["adrg"]) - reached == set()


def test_no_complication_is_listed_twice_and_every_block_excludes(catalog: DrgCatalog) -> None:
    cc, exclusion = catalog.tables["cc"], catalog.tables["cc_exclusion"]
    assert cc["code"].n_unique() == cc.height
    assert set(cc["excl_table"]) == set(exclusion["excl_table"])
    # A complication lies in the block whose name it carries, and blocks do not overlap.
    spans = sorted((code[:3], code[-3:]) for code in exclusion["main_dx"])
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    for code, table in cc.select("code", "excl_table").iter_rows():
        low, high = table[:3], table[-3:]
        assert low <= code[:3] <= high, code
        if "-" in code:
            assert code[-3:] <= high, code


def test_the_year_of_the_demo_region_is_grouped(catalog: DrgCatalog, compiled: CompiledDrg) -> None:
    stays_a_year = 60_000
    tail, rest = (np.random.default_rng(seed) for seed in (1, 2))
    world = World(build_cells(make_tail(stays_a_year, tail), rest), make_hospitals(40, rest), year := 2027)
    stays = draw_year(world, year, stays_a_year, rest)
    frame = group_drg(stays, compiled).frame.with_columns(pl.col("layer").cast(pl.String))
    grouped = frame.filter(pl.col("outcome") == "grouped")
    assert grouped.height / frame.height > 0.99
    shares = {layer: count / grouped.height for layer, count in grouped["layer"].value_counts().iter_rows()}
    assert 0.12 < shares["surgical"] < 0.35
    assert 0.04 < shares["procedure"] < 0.20
    assert shares["medical"] > 0.55
    assert grouped["adrg"].n_unique() > 0.9 * catalog.tables["adrg"]["adrg"].n_unique()
    # All chapters but the one of several injuries, which the demo region does not draw.
    assert set(catalog.tables["mdc"]["mdc"]) - set(grouped["mdc"]) == {"MDCZ"}
    # Groups tell costs apart: the spread within them is far below the spread of all.
    cost = grouped.with_columns(stays["medfee_sumamt"].cast(pl.Float64).filter(frame["outcome"] == "grouped"))
    spread = pl.col("medfee_sumamt").std() / pl.col("medfee_sumamt").mean()
    within = cost.group_by("drg").agg(spread.fill_null(0).alias("cv"), pl.len().alias("cases"))
    mean_cv = within.select((pl.col("cv") * pl.col("cases")).sum() / pl.col("cases").sum()).item()
    assert mean_cv < 0.65 * cost.select(spread).item()


def test_codes_of_groups_cannot_be_taken_for_official_ones(catalog: DrgCatalog) -> None:
    assert catalog.tables["adrg"]["adrg"].str.contains("^[A-Z][A-Z]0$").all()
    assert catalog.meta.kind == "demonstration"
    assert catalog.meta.synthetic
    assert "不得用于付费" in catalog.meta.note

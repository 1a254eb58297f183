"""Kinds of agreement and difference by hand, and what must hold for any two results."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.comparison import KINDS, compare, official_side
from fenzhi.comparison.compare import AGREE, DIFFERENCES, ONE_SIDE
from fenzhi.errors import ConservationError
from fenzhi.records.official import FIELDS, Official

DRG_GROUPS = pl.DataFrame(
    {
        "group_id": ["BR21", "BR23", "BR11", "GB15"],
        "name": ["脑缺血伴严重并发症", "脑缺血伴并发症", "脑出血", "阑尾"],
        "layer": ["medical", "medical", "medical", "surgical"],
        "mdc": ["MDCB", "MDCB", "MDCB", "MDCG"],
        "adrg": ["BR2", "BR2", "BR1", "GB1"],
    }
)
DIP_GROUPS = pl.DataFrame({"group_id": ["A", "B"], "name": ["甲", "乙"], "layer": ["basic", "comprehensive"]})


def ours(*rows: tuple[str, str | None, str | None], chapter: str | None = None) -> pl.DataFrame:
    frame = pl.DataFrame(
        rows, {"setl_id": pl.String, "group_id": pl.String, "reason": pl.String}, orient="row"
    )
    return frame.with_columns(pl.lit(chapter, pl.String).alias("chapter"))


def official(scheme: str, rows: list[dict[str, Any]]) -> Official:
    schema = {name: pl.String() for name in FIELDS[scheme] if name != "grp_dise_sco"}
    if scheme == "dip":
        schema["grp_dise_sco_e4"] = pl.Int64()
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Official(scheme, frame, 0, 0, 0, (), (), len(rows))


def drg(**codes: str | None) -> Official:
    return official("drg", [{"setl_id": key, "drg_codg": code} for key, code in codes.items()])


def test_every_kind_of_a_drg_difference():
    side, column = official_side(
        drg(
            same="BR21",
            level="BR23",
            adrg="BR11",
            chapter="GB15",
            none="0000",
            qy="BQY",
            only="BR21",
            extra="BR21",
        ),
        DRG_GROUPS,
    )
    assert column == "drg_codg"
    mine = ours(
        ("same", "BR21", None),
        ("level", "BR21", None),
        ("adrg", "BR21", None),
        ("chapter", "BR21", None),
        ("none", "BR21", None),
        ("qy", None, "ambiguous"),
        ("only", None, "no_adrg"),
        ("missing", "BR21", None),
    )
    compared = compare(mine, side, DRG_GROUPS)
    assert compared.cases.select("setl_id", pl.col("kind").cast(pl.String)).rows() == [
        ("same", "agree"),
        ("level", "other_level"),
        ("adrg", "other_adrg"),
        ("chapter", "other_chapter"),
        ("none", "only_ours"),
        ("qy", "agree"),
        ("only", "only_theirs"),
        ("missing", "not_in_official"),
        ("extra", "not_in_stays"),
    ]
    chapters = compared.by("chapter").select("chapter", "cases", "agree", "differ", "agreement_e4").rows()
    # B: agree 1 of 5 (same, level, adrg, none, only); the chapter is the official one where there is one.
    assert chapters == [("B", 5, 1, 4, 2_000), ("G", 1, 0, 1, 0), (None, 1, 1, 0, 10_000)]
    assert compared.by_group().rows() == [
        # group, officially, ours, agree, share: BR21 is official twice (same, only), ours five times.
        ("BR11", 1, 0, 0, 0),
        ("BR21", 2, 5, 1, 5_000),
        ("BR23", 1, 0, 0, 0),
        ("GB15", 1, 0, 0, 0),
    ]


def test_dip_scores_are_compared_only_where_both_are_known():
    rows = [
        {"setl_id": key, "dip_dise_grp_code": group, "grp_stas": state, "grp_dise_sco_e4": score}
        for key, group, state, score in [
            ("1", "A", "1", 5_000_000),
            ("2", "A", None, 5_000_001),
            ("3", "A", "1", None),
            ("4", "B", "1", 1),
            ("5", "A", "0", None),
            ("6", "B", "1", 7),
        ]
    ]
    side, _ = official_side(official("dip", rows), DIP_GROUPS)
    mine = ours(*((str(i), "B" if i == 6 else "A", None) for i in range(1, 7)), chapter="K")
    kinds = [str(kind) for kind in compare(mine, side, DIP_GROUPS, {"A": 5_000_000}).cases["kind"]]
    assert kinds == ["agree", "other_score", "agree", "other_group", "only_ours", "agree"]
    without = compare(mine, side, DIP_GROUPS)
    assert without.counts["other_score"] == 0
    assert without.by("layer")["cases"].to_list() == [5, 1]
    assert without.by("chapter")["chapter"].to_list() == ["K"]


def test_the_column_whose_codes_the_catalogue_has_is_compared():
    rows = [
        {"setl_id": "1", "drg_codg": "BR2X", "place_drg_codg": "BR21", "place_drg_name": "地方"},
        {"setl_id": "2", "drg_codg": "BR23", "place_drg_codg": "BR23"},
    ]
    side, column = official_side(official("drg", rows), DRG_GROUPS)
    assert column == "place_drg_codg"
    assert side.select("group_id", "name").rows() == [("BR21", "地方"), ("BR23", None)]
    # Equal: the national one. Nothing known: the one that is filled.
    equal = [{"setl_id": "1", "drg_codg": "BR21", "place_drg_codg": "BR21"}]
    assert official_side(official("drg", equal), DRG_GROUPS)[1] == "drg_codg"
    foreign = [{"setl_id": "1", "place_drg_codg": "ZZ99"}]
    assert official_side(official("drg", foreign), DRG_GROUPS)[1] == "place_drg_codg"


def test_a_code_the_catalogue_lacks_is_placed_by_the_official_row_else_by_its_letters():
    rows = [
        {"setl_id": "1", "drg_codg": "XX99", "mdc_codg": "MDCB", "adrg_codg": "BR2"},
        {"setl_id": "2", "drg_codg": "BR29"},
        {"setl_id": "3", "drg_codg": "BX29"},
        {"setl_id": "4", "drg_codg": "GX29"},
    ]
    side, _ = official_side(official("drg", rows), DRG_GROUPS)
    compared = compare(ours(*((str(i), "BR21", None) for i in range(1, 5))), side, DRG_GROUPS)
    assert [str(k) for k in compared.cases["kind"]] == [
        *("other_level", "other_level", "other_adrg", "other_chapter")
    ]


def test_patterns_are_numbered_by_frequency():
    side, _ = official_side(drg(a="BR23", b="BR23", c="BR11", d="BR21"), DRG_GROUPS)
    mine = ours(*((key, "BR21", None) for key in "abcd"))
    compared = compare(mine, side, DRG_GROUPS)
    assert compared.patterns.select("pattern", "theirs", "ours", "cases").rows() == [
        (1, "BR23", "BR21", 2),
        (2, "BR11", "BR21", 1),
    ]
    assert compared.cases["pattern"].to_list() == [1, 1, 2, None]


def test_a_settlement_twice_on_a_side_is_refused():
    side, _ = official_side(drg(a="BR21"), DRG_GROUPS)
    with pytest.raises(ConservationError):
        compare(ours(("a", "BR21", None), ("a", "BR21", None)), side, DRG_GROUPS)
    with pytest.raises(ConservationError):
        compare(ours(("a", "BR21", None)), pl.concat([side, side]), DRG_GROUPS)


CODES = st.sampled_from([None, "BR21", "BR23", "BR11", "GB15", "0000", "BQY", "XX99", "XX98"])
RESULTS = st.dictionaries(st.sampled_from([f"S{i}" for i in range(12)]), CODES, max_size=12)


@given(RESULTS, RESULTS)
def test_counts_add_up(left, right):
    plain = {None, "0000", "BQY"}
    mine = ours(*((key, None if code in plain else code, None) for key, code in left.items()))
    side, _ = official_side(drg(**right), DRG_GROUPS)
    compared = compare(mine, side, DRG_GROUPS)
    counts = compared.counts
    assert list(counts) == list(KINDS)
    assert sum(counts.values()) == compared.cases.height == len(set(left) | set(right))
    assert sum(counts[kind] for kind in ONE_SIDE) == len(set(left) ^ set(right))
    both = set(left) & set(right)
    agreeing = {k for k in both if left[k] == right[k] or {left[k], right[k]} <= plain}
    assert counts[AGREE] == len(agreeing)
    for column in ("chapter", "layer"):
        table = compared.by(column)
        assert table["cases"].sum() == len(both)
        assert (table["agree"] + table["differ"]).to_list() == table["cases"].to_list()
        assert table.select(pl.sum_horizontal(DIFFERENCES)).to_series().to_list() == table["differ"].to_list()
    assert compared.patterns["cases"].sum() == len(both) - len(agreeing)
    groups = compared.by_group()
    assert groups["theirs"].sum() == sum(right[k] not in plain for k in both)
    assert groups["ours"].sum() == sum(left[k] not in plain for k in both)


@given(RESULTS)
def test_a_result_with_itself_is_whole_agreement(result):
    mine = ours(
        *((key, None if code in (None, "0000", "BQY") else code, None) for key, code in result.items())
    )
    compared = compare(mine, official_side(drg(**result), DRG_GROUPS)[0], DRG_GROUPS)
    assert compared.counts[AGREE] == len(result) == compared.cases.height
    assert set(compared.by("chapter")["agreement_e4"]) <= {10_000}
    assert compared.patterns.is_empty()

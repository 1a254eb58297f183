"""Refunds cancel, reduce or are rejected; rows and fen are conserved."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhi.records import QualityRules, StaysRead, read_stays

LENIENT = QualityRules(severity={"payers_mismatch": "off"})


def _read(*rows: tuple[str, int, int | None]) -> StaysRead:
    frame = pl.DataFrame(
        rows, schema={"setl_id": pl.String, "total": pl.Int64, "fund": pl.Int64}, orient="row"
    )
    frame = frame.select(
        "setl_id",
        pl.lit("H1").alias("fixmedins_code"),
        pl.lit("2027-01-02").alias("dscg_time"),
        pl.lit("K35.800").alias("diag_codes"),
        (pl.col("total").cast(pl.Decimal(16, 2))).alias("medfee_sumamt"),
        pl.col("fund").cast(pl.Decimal(16, 2)).alias("fund_pay_sumamt"),
    )
    return read_stays(frame, quality=LENIENT)


def _outcome(read: StaysRead) -> tuple[list[tuple[int, int]], list[tuple[int, str]], list[tuple[int, str]]]:
    return (
        read.stays.select("row_idx", pl.col("medfee_sumamt_fen") // 100).rows(),
        read.netted.select("row_idx", "reason").rows(),
        read.rejected.select("row_idx", "rule").rows(),
    )


@pytest.mark.parametrize(
    ("rows", "stays", "netted", "rejected"),
    [
        # Whole refund: both leave.
        ([("A", 100, 70), ("A", -100, -70)], [], [(0, "refunded"), (1, "refunded")], []),
        # The refund may come first.
        ([("A", -100, -70), ("B", 5, 1), ("A", 100, 70)], [(1, 5)], [(0, "refunded"), (2, "refunded")], []),
        # Part of it: the settlement goes on with what is left.
        ([("A", 100, 70), ("A", -30, -20)], [(0, 70)], [(1, "refund_netted")], []),
        # Two parts that make the whole.
        ([("A", 100, 0), ("A", -30, 0), ("A", -70, 0)], [], [(i, "refunded") for i in range(3)], []),
        # Cancelled and settled again under the same key: the new settlement stays whole.
        (
            [("A", 100, 70), ("A", -100, -70), ("A", 120, 80)],
            [(2, 120)],
            [(0, "refunded"), (1, "refunded")],
            [],
        ),
        # A duplicate beside a partial refund: the first goes on, the second is a duplicate.
        (
            [("A", 100, 0), ("A", 100, 0), ("A", -30, 0)],
            [(0, 70)],
            [(2, "refund_netted")],
            [(1, "duplicate_key")],
        ),
        # A refund without a settlement, with and without a key.
        ([("A", -100, 0), ("B", 5, 0)], [(1, 5)], [], [(0, "refund_without_original")]),
        # More than was paid.
        (
            [("A", 100, 0), ("A", -130, 0)],
            [],
            [],
            [(0, "refund_exceeds_original"), (1, "refund_exceeds_original")],
        ),
        # A larger refund than the first settlement: nothing of the key is paid until somebody looks.
        (
            [("A", 100, 0), ("A", -130, 0), ("A", 150, 0)],
            [],
            [],
            [(0, "refund_exceeds_original"), (1, "refund_exceeds_original"), (2, "duplicate_key")],
        ),
        # The refund came twice.
        (
            [("A", 100, 0), ("A", -100, 0), ("A", -100, 0)],
            [],
            [(0, "refunded"), (1, "refunded")],
            [(2, "refund_without_original")],
        ),
    ],
)
def test_by_hand(
    rows: list[tuple[str, int, int]],
    stays: list[tuple[int, int]],
    netted: list[tuple[int, str]],
    rejected: list[tuple[int, str]],
) -> None:
    assert _outcome(_read(*rows)) == (stays, netted, rejected)


def test_every_amount_is_netted_and_unknown_stays_unknown() -> None:
    read = _read(("A", 100, 70), ("B", 50, None), ("A", -30, -20), ("B", -10, None), ("C", 9, 9))
    assert read.stays.select("setl_id", "medfee_sumamt_fen", "fund_pay_sumamt_fen").rows() == [
        ("A", 7000, 5000),
        ("B", 4000, None),
        ("C", 900, 900),
    ]
    assert read.netted.columns == ["row_idx", "setl_id", "source_file", "source_row", "reason"]
    assert read.netted.row(0) == (2, "A", "frame", 3, "refund_netted")


def test_faults_of_a_refund_row_do_not_matter() -> None:
    frame = pl.DataFrame(
        {
            "setl_id": ["A", "A"],
            "fixmedins_code": ["H1", "H1"],
            "dscg_time": ["2027-01-02", "never"],
            "diag_codes": ["K35.800", None],
            "medfee_sumamt": ["100", "-40"],
        }
    )
    read = read_stays(frame)
    assert _outcome(read) == ([(0, 60)], [(1, "refund_netted")], [])


def test_a_key_is_needed_to_net() -> None:
    frame = pl.DataFrame(
        {
            "setl_id": [None, None],
            "fixmedins_code": ["H1", "H1"],
            "dscg_time": ["2027-01-02"] * 2,
            "diag_codes": ["K35.800"] * 2,
            "medfee_sumamt": ["100", "-100"],
        },
        schema_overrides={"setl_id": pl.String},
    )
    assert _outcome(read_stays(frame)) == (
        [],
        [],
        [(0, "key_missing"), (1, "key_missing"), (1, "refund_without_original")],
    )


def test_refunds_are_netted_for_grouping_too() -> None:
    frame = pl.DataFrame(
        {"setl_id": ["A", "A", "B"], "diag_codes": [["I10"]] * 3, "medfee_sumamt": [100.5, -100.5, 7.0]}
    )
    read = read_stays(frame, needs="grouping")
    assert read.stays["setl_id"].to_list() == ["B"]
    assert read.netted["reason"].to_list() == ["refunded", "refunded"]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.sampled_from([-200, -100, -50, 50, 100, 150]), st.just(0)),
        min_size=1,
        max_size=12,
    )
)
def test_rows_and_money_are_conserved(rows: list[tuple[str, int, int]]) -> None:
    read = _read(*rows)
    rejected = set(read.rejected["row_idx"])
    netted = set(read.netted["row_idx"])
    accepted = set(read.stays["row_idx"])
    assert Counter([*rejected, *netted, *accepted]) == Counter(range(len(rows)))
    # What came in and was not rejected is what goes on: a settlement is less exactly by its refunds.
    expected = dict.fromkeys("ABC", 0)
    for i, (key, amount, _) in enumerate(rows):
        if i not in rejected:
            expected[key] += amount * 100
    kept = dict.fromkeys("ABC", 0) | dict(read.stays.select("setl_id", "medfee_sumamt_fen").rows())
    assert kept == expected
    assert all(amount > 0 for amount in read.stays["medfee_sumamt_fen"])


def test_keys_stay_unique_if_lone_refunds_are_let_through() -> None:
    frame = pl.DataFrame(
        {
            "setl_id": ["A", "A"],
            "fixmedins_code": ["H1", "H1"],
            "dscg_time": ["2027-01-02"] * 2,
            "diag_codes": ["K35.800"] * 2,
            "medfee_sumamt": ["-100", "-100"],
        }
    )
    read = read_stays(frame, quality=QualityRules(severity={"refund_without_original": "warning"}))
    assert read.stays["row_idx"].to_list() == [0]
    assert read.rejected.select("row_idx", "rule").rows() == [(1, "duplicate_key")]

"""Two amounts and what made their difference, worked by hand from section 7 of the rules."""

from __future__ import annotations

import polars as pl
import pytest

from fenzhi.attribution import (
    CAUSES,
    STAY_CAUSES,
    Side,
    at,
    by_account,
    by_stay,
    cause,
    flows,
    paid_stays,
    split,
    stay_by_stay,
)
from fenzhi.attribution.causes import MEASURES, with_difference
from fenzhi.errors import ConservationError
from fenzhi.results import shape

NOTHING = (0, 0, 0, 0, 0)


def causes_of(before: tuple[int, ...], after: tuple[int, ...], scales=(1, 1), further=((0, 0), (0, 0))):
    """Causes of one row; before, after: stays, weight, base, points, priced."""
    row = {}
    for when, figures, rest in (("before", before, further[0]), ("after", after, further[1])):
        row |= {at(name, when): value for name, value in zip(MEASURES, (*figures, *rest), strict=True)}
    out = split(pl.DataFrame([row]), scales).row(0, named=True)
    assert sum(out[cause(name)] for name in STAY_CAUSES) == out["difference_fen"]
    return [out[cause(name)] for name in STAY_CAUSES], out["difference_fen"]


def test_one_stay_every_cause_of_points():
    # Before: RW 100 x 1.1 = 110 points, all paid, at 5 yuan: 550.00.
    # After: RW 120 x 1.0 = 120, deviation halves it to 60 points, at 6 yuan: 360.00.
    # 55,000 -> x 120/100 = 66,000 -> x 120/110 = 60,000 -> x 60/110 = 30,000 -> 36,000.
    before = (1, 1_000_000, 1_100_000, 1_100_000, 55_000)
    after = (1, 1_200_000, 1_200_000, 600_000, 36_000)
    assert causes_of(before, after) == ([0, 11_000, -6_000, -30_000, 6_000, 0, 0], -19_000)


def test_the_sums_of_a_hospital():
    # 10 stays of weight 100 -> 12 of 110; coefficient 1 -> 1.05; 10 % lost by deviation -> 5 %; 4.50 -> 4.00 a point.
    # Before: 1,000 x 1 x 0.9 = 900 points = 4,050.00. After: 1,320 x 1.05 = 1,386, x 0.95 = 1,316.7 points = 5,266.80.
    # 405,000 x 12/10 = 486,000; x 1,320/1,000 = 534,600; x 1,386/1,000 = 561,330;
    # x 1,316.7/900 = 592,515; then 526,680.
    before = (10, 10_000_000, 10_000_000, 9_000_000, 405_000)
    after = (12, 13_200_000, 13_860_000, 13_167_000, 526_680)
    assert causes_of(before, after) == ([81_000, 48_600, 26_730, 31_185, -65_835, 0, 0], 121_680)


def test_each_step_is_rounded_half_up_and_nothing_is_left():
    # 5 fen x 1/2 = 2.5 -> 3; x 1/3 = 1.67 -> 2; x 1/4 = 1.25 -> 1; then 1.
    assert causes_of((1, 2, 3, 4, 5), (1, 1, 1, 1, 1)) == ([0, -2, -1, -1, 0, 0, 0], -4)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # A new hospital: all is volume. One that is gone: the same the other way round.
        (NOTHING, (3, 30, 30, 30, 900), [900, 0, 0, 0, 0]),
        ((3, 30, 30, 30, 900), NOTHING, [-900, 0, 0, 0, 0]),
        # No points before (deviation took them all): what there is now was lost by deviation before.
        ((1, 10, 10, 0, 0), (1, 10, 10, 10, 500), [0, 0, 0, 500, 0]),
        # A weight but no points before deviation: the step to coefficients is that to the points: 8/8, so 400 -> 400.
        ((1, 10, 0, 8, 400), (1, 10, 10, 8, 400), [0, 0, 0, 0, 0]),
        # No weight and no base, as an ungrouped stay without points that review gave 8 points: all steps are 4/8.
        ((1, 0, 0, 8, 400), (1, 10, 10, 4, 200), [0, -200, 0, 0, 0]),
    ],
)
def test_a_step_that_would_divide_by_zero_is_the_next(before, after, expected):
    assert causes_of(before, after)[0][:5] == expected


def test_weights_of_another_scale_are_divided_by_it():
    # RW 1.2 at scale 1 is RW 1,200 at scale 1,000: only the price differs, 600.00 -> 700.00.
    before, after = (1, 12_000, 12_000, 12_000, 60_000), (1, 12_000_000, 12_000_000, 12_000_000, 70_000)
    assert causes_of(before, after, (1, 1000)) == ([0, 0, 0, 0, 10_000, 0, 0], 10_000)


def test_what_others_paid_and_what_is_paid_directly():
    # Priced 500 and 520; others paid 120 of it, then 150; the fund paid 0, then 40 directly: 380 -> 410.
    rows = (1, 10, 10, 10, 500), (1, 10, 10, 10, 520)
    assert causes_of(*rows, further=((120, 0), (150, 40))) == ([0, 0, 0, 0, 20, -30, 40], 30)


def test_causes_that_do_not_add_up_stop_everything():
    with pytest.raises(ConservationError, match="do not add up"):
        with_difference(pl.DataFrame({"before_fen": [1], "after_fen": [3], cause("price"): [1]}))


def stay(setl_id: str, group: str | None, rw: int | None, points: int, paid: int, **more) -> dict:
    own = {
        "setl_id": setl_id,
        "fixmedins_code": "H1",
        "pool": "p",
        "outcome": "grouped" if group else "ungrouped",
        "group_id": group,
        "cost_fen": 1_000,
        "booked_fen": 600,
        "rw_e4": rw,
        "coefficient_e4": 10_000 if group else None,
        "points_base_e4": points,
        "points_e4": points,
        "payable_fen": paid,
    }
    return own | more


def run_of(*stays: dict, subtracts: bool = False, **account) -> Side:
    gross = sum(one["payable_fen"] for one in stays)
    line = {"fixmedins_code": "H1", "pool": "p", "level": "2", "gross_fen": gross, "assessed_fen": 0}
    line |= {"deduction_fen": 0, "payable_fen": gross, "clearing_fen": gross} | account
    final = line.pop("final_fen", None)
    hospitals = shape(pl.DataFrame([line]), "hospitals")
    points = sum(one["points_e4"] for one in stays)
    return Side(
        cases=shape(pl.DataFrame(stays, infer_schema_length=None), "cases").lazy(),
        hospitals=hospitals if final is None else hospitals.with_columns(pl.lit(final).alias("final_fen")),
        pools=shape(pl.DataFrame([{"pool": "p", "points_e4": points}]), "pools"),
        groups=shape(pl.DataFrame({"group_id": ["A", "B"], "name": ["a", "b"]}), "groups"),
        scale=1,
        subtracts=subtracts,
    )


def both(before: Side, after: Side):
    stays = stay_by_stay(paid_stays(before), paid_stays(after), (1, 1))
    return stays, by_stay(stays, before, after).row(0, named=True)


def found(row: dict) -> dict[str, int]:
    """The causes that made something."""
    return {name: row[cause(name)] for name in CAUSES if row[cause(name)]}


def test_two_runs_stay_by_stay_and_what_follows_the_stays():
    # S1 stays in A; S2 moves from A (100) to B (150); S3 loses its group: weight 50 -> its own 20 points; S4 is new.
    # Everything at 2 fen per 1/10,000 point before, 1 after.
    before = run_of(
        stay("S1", "A", 100, 100, 200), stay("S2", "A", 100, 100, 200), stay("S3", "B", 50, 50, 100)
    )
    after = run_of(
        stay("S1", "A", 100, 100, 100),
        stay("S2", "B", 150, 150, 150),
        stay("S3", None, None, 20, 20),
        stay("S4", "A", 100, 100, 100),
        assessed_fen=7,
        deduction_fen=5,
        payable_fen=358,
        final_fen=368,
    )
    stays, row = both(before, after)
    # Volume: S4 +100 (no price before, so its own). Case mix: S2 +100, S3 -60. Price: S1 -100, S2 -150, S3 -20.
    # Gross 500 -> 370 = -130; assessment -7, deductions -5, sharing 368 - 358 = +10.
    assert found(row) == {
        "volume": 100,
        "case_mix": 40,
        "price": -270,
        "assessment": -7,
        "deduction": -5,
        "sharing": 10,
    }
    assert (row["before_fen"], row["after_fen"], row["difference_fen"]) == (500, 368, -132)
    assert [row[f"stays_{n}"] for n in ("added", "removed", "changed")] == [1, 0, 2]
    flow = flows(stays, before, after).select("group_id_before", "group_id_after", "stays", "difference_fen")
    assert sorted(flow.iter_rows(), key=str) == sorted(
        [("A", "A", 1, -100), ("A", "B", 1, -50), ("B", None, 1, -80)], key=str
    )


def test_a_stay_that_the_fund_now_pays_directly():
    # 200 by points before; its points are gone (volume), the fund pays 180 directly.
    before = run_of(stay("S1", "A", 100, 100, 200), stay("S2", "A", 100, 100, 200))
    after = run_of(stay("S1", "A", 100, 0, 180, direct_fen=180), stay("S2", "A", 100, 100, 200))
    assert found(both(before, after)[1]) == {"volume": -200, "direct": 180}


def test_under_the_difference_method_others_pay_a_part():
    # Points price 700 and 800; others paid 1,000 - 600 = 400 before, 1,000 - 650 = 350 now: 300 -> 450.
    before = run_of(stay("S1", "A", 100, 100, 300), subtracts=True)
    after = run_of(stay("S1", "A", 100, 100, 450, booked_fen=650), subtracts=True)
    stays, row = both(before, after)
    assert found(row) == {"price": 100, "patients": 50}
    assert stays["changed"].to_list() == [True]


def test_other_stays_are_compared_by_their_sums():
    # Weights 100 + 300 = 400, then 3 stays of 100: 800 fen x 3/2 = 1,200; x 300/400 = 600; then 750.
    before = run_of(stay("S1", "A", 100, 100, 200), stay("S2", "B", 300, 300, 600))
    after = run_of(*(stay(f"T{n}", "A", 100, 100, 250) for n in range(3)))
    row = by_account(before, after, (paid_stays(before), paid_stays(after))).row(0, named=True)
    assert found(row) == {"volume": 400, "case_mix": -600, "price": 150}


def test_a_stay_at_another_hospital_is_gone_here_and_new_there():
    before = run_of(stay("S1", "A", 100, 100, 200))
    moved = stay("S1", "A", 100, 100, 200, fixmedins_code="H2")
    after = run_of(moved, fixmedins_code="H2")
    stays = stay_by_stay(paid_stays(before), paid_stays(after), (1, 1))
    assert stays.select("fixmedins_code", "state", "difference_fen").rows() == [
        ("H1", "removed", -200),
        ("H2", "added", 200),
    ]


def test_stays_that_do_not_make_their_hospital_are_refused():
    with pytest.raises(ConservationError, match="do not add up to the amount of their hospital"):
        paid_stays(run_of(stay("S1", "A", 100, 100, 200), gross_fen=201))

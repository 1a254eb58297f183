"""Bed-days, day surgery, price lists and rows outside points, worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest

from fenzhi.policy.models import Policy
from fenzhi.tracks import LineMoney, Setup, pay_tracks, taken
from fenzhi.tracks.rows import price_rows
from fenzhi.tracks.stays import price_stays
from unit.tracks.test_annual_by_hand import track

HOSPITALS = pl.DataFrame(
    {
        "fixmedins_code": ["H1", "H2", "H3"],
        "level": ["3", "2", "1"],
        "type": ["general", "general", "tcm"],
        "community": [None, "C", "C"],
    }
)
STAY = {
    "setl_id": "S",
    "fixmedins_code": "H1",
    "pool": "E",
    "month": 1,
    "med_type": "21",
    "dscg_caty": None,
    "insu_admdvs": None,
    "act_ipt_days": 5,
    "diag_codes": ["F20.000"],
    "oprn_codes": [],
    "cost_fen": 100_000,
    "booked_fen": 60_000,
}
SCHEMA = {
    **dict.fromkeys(("setl_id", "fixmedins_code", "pool"), pl.String),
    "month": pl.Int8,
    **dict.fromkeys(("med_type", "dscg_caty", "insu_admdvs"), pl.String),
    "act_ipt_days": pl.Int32,
    **dict.fromkeys(("diag_codes", "oprn_codes"), pl.List(pl.String)),
    "cost_fen": pl.Int64,
    "booked_fen": pl.Int64,
}
PRICES = {
    "track": pl.String,
    "diagnosis": pl.String,
    "operation": pl.String,
    "price_fen": pl.Int64,
    "patient_share_e4": pl.Int64,
    "row": pl.Int64,
}
COMMUNITIES = {
    **dict.fromkeys(("track", "community", "pool", "areas"), pl.String),
    **dict.fromkeys(("amount_fen", "income_fen", "share_e4"), pl.Int64),
    "lead": pl.String,
    "row": pl.Int64,
}
QUOTAS = {
    **dict.fromkeys(("track", "pool", "fixmedins_code", "level"), pl.String),
    "amount_fen": pl.Int64,
    "row": pl.Int64,
}
OUTPATIENT = {
    **dict.fromkeys(("track", "fixmedins_code", "pool"), pl.String),
    "month": pl.Int8,
    "item": pl.String,
    **dict.fromkeys(("units", "price_fen", "points_e4"), pl.Int64),
}


def stays(*changed):
    rows = [{**STAY, "setl_id": f"S{at}", **one} for at, one in enumerate(changed, start=1)]
    return pl.DataFrame(rows, schema=SCHEMA)


def setup(*tracks, scope=None, prices=(), communities=(), quotas=(), bed_day=None):
    policy = Policy.model_validate(
        {
            "meta": {"id": "t", "title": "t", "scheme": "dip", "version": "1"},
            "deviation": {"bands": [{"name": "all", "points": "normal"}]},
            "scope": {"other_tracks": scope or {}},
            **({"bed_day": bed_day} if bed_day else {}),
            "tracks": [{"title": "t", **one} for one in tracks],
        }
    )
    tables = {
        "prices": pl.DataFrame(list(prices), schema=PRICES, orient="row"),
        "communities": pl.DataFrame(list(communities), schema=COMMUNITIES, orient="row"),
        "quotas": pl.DataFrame(list(quotas), schema=QUOTAS, orient="row"),
        "outpatient": pl.DataFrame(schema=OUTPATIENT),
    }
    return Setup(policy, HOSPITALS, tables, "990100")


def psychiatric(**keys):
    return {
        "id": "psy",
        "kind": "bed_day",
        "steps": [
            {"level": "3", "yuan_per_day": "300"},
            {"upto_days": 30, "yuan_per_day": "200"},
            {"upto_days": 60, "yuan_per_day": "180.50"},
            {"yuan_per_day": "150"},
        ],
        **keys,
    }


def priced(frame, made, *tracks, **more):
    given = setup(*tracks, **more)
    found = frame.hstack(taken(frame, given)).filter(pl.col("track") == made.id)
    levels = HOSPITALS.select("fixmedins_code", "level")
    found = found.join(levels, on="fixmedins_code", maintain_order="left")
    return price_stays(found, made, given.tables["prices"])


def amounts(frame, *names):
    return frame.select(f"{name}_fen" for name in names).rows()


def test_the_days_of_a_stay_have_the_rate_of_their_step():
    made = track(**psychiatric(fund_share="0.8", who={"diagnoses": ["F"]}))
    one = stays({"fixmedins_code": "H2", "act_ipt_days": 61}, {"act_ipt_days": 61})
    found = priced(one, made, psychiatric(fund_share="0.8", who={"diagnoses": ["F"]}))
    # Level 2: 30 x 200 + 30 x 180.50 + 150 = 11,565; x 0.8 = 9,252. Level 3 has steps of its own: 61 x 300 = 18,300.
    assert amounts(found, "standard", "fund", "patient") == [
        (1_156_500, 925_200, 231_300),
        (1_830_000, 1_464_000, 366_000),
    ]
    assert found["units"].to_list() == [61, 61]


def test_the_difference_is_what_others_did_not_pay_and_never_negative():
    rules = psychiatric(basis="difference", who={"diagnoses": ["F"]})
    found = priced(stays({}, {"act_ipt_days": 1}), track(**rules), rules)
    # 5 x 300 - (1,000 - 600) = 1,100; 300 - 400 < 0.
    assert amounts(found, "fund", "patient") == [(110_000, 40_000), (0, 40_000)]


def test_day_surgery_has_the_sum_of_its_main_operation():
    rules = {
        "id": "day",
        "kind": "day_surgery",
        "who": {"los_upto": 5},
        "prices": [{"operation": "47.0100", "yuan": "800"}, {"operation": "47.0100x001", "yuan": "900"}],
        "fund_share": "0.7",
    }
    frame = stays(
        {"oprn_codes": ["47.0100x001"]},
        {"oprn_codes": ["47.0100x002"]},
        # The main operation is the first.
        {"oprn_codes": ["54.5100", "47.0100"]},
        {},
    )
    found = priced(frame, track(**rules), rules)
    assert found["setl_id"].to_list() == ["S1", "S2"]
    # 900 x 0.7, 800 x 0.7
    assert amounts(found, "standard", "fund", "patient") == [
        (90_000, 63_000, 27_000),
        (80_000, 56_000, 24_000),
    ]
    general = {**rules, "yuan": "500"}
    found = priced(frame, track(**general), general)
    assert found["standard_fen"].to_list() == [90_000, 80_000, 50_000, 50_000]
    actual = {**rules, "unlisted": "actual"}
    found = priced(frame, track(**actual), actual)
    assert amounts(found, "standard", "fund", "patient")[2:] == [(None, 60_000, 40_000)] * 2


LISTED = [
    ("price", "K35", None, 300_000, 2_000, 1),
    ("price", "K35.8", None, 350_001, 5_000, 2),
    ("price", "K35", "47.0100", 500_000, 3_000, 3),
    ("price", "K35.9", "47.0100x001", 600_000, 0, 4),
]


def test_the_price_of_a_disease():
    rules = {"id": "price", "kind": "price_per_disease"}
    frame = stays(
        {"diag_codes": ["K35.900"]},
        {"diag_codes": ["K35.800"]},
        {"diag_codes": ["K35.800"], "oprn_codes": ["47.0100x001"]},
        {"diag_codes": ["K35.900"], "oprn_codes": ["47.0100x001"]},
        {"diag_codes": ["K36.x00"]},
    )
    found = priced(frame, track(**rules), rules, prices=LISTED)
    # Row 1; the longer diagnosis; with operation first; of those the longer diagnosis. The last has none.
    assert found["track_why"].to_list() == [f"prices.csv row {row}" for row in (1, 2, 3, 4)]
    # 3,000 x 0.8; 3,500.01 x 0.5 = 1,750.005, half up; 5,000 x 0.7; 6,000.
    assert amounts(found, "standard", "fund", "patient") == [
        (300_000, 240_000, 60_000),
        (350_001, 175_001, 175_000),
        (500_000, 350_000, 150_000),
        (600_000, 600_000, 0),
    ]
    exact = {**rules, "diagnosis_match": "exact"}
    assert priced(frame, track(**exact), exact, prices=LISTED).is_empty()
    actual = {**rules, "unlisted": "actual"}
    found = priced(frame, track(**actual), actual, prices=LISTED)
    assert amounts(found, "standard", "fund", "patient")[4] == (None, 60_000, 40_000)


@pytest.mark.parametrize(
    ("who", "change", "takes"),
    [
        ({"med_types": ["21"]}, {}, True),
        ({"med_types": ["21"]}, {"med_type": None}, False),
        ({"departments": ["D1"]}, {"dscg_caty": "D1"}, True),
        ({"departments": ["D1"]}, {}, False),
        ({"diagnoses": ["f20"]}, {}, True),
        ({"diagnoses": ["F20.0"]}, {"diag_codes": []}, False),
        ({"operations": ["47.0100"]}, {"oprn_codes": ["54.5100", "47.0100x001"]}, True),
        ({"operations": ["47.0100x001"]}, {"oprn_codes": ["47.0100"]}, False),
        ({"levels": ["3"]}, {}, True),
        ({"levels": ["3"]}, {"fixmedins_code": "H9"}, False),
        ({"types": ["tcm"]}, {"fixmedins_code": "H3"}, True),
        ({"hospitals": ["H2"]}, {}, False),
        ({"areas": ["990100"]}, {}, True),
        ({"areas": ["990100"]}, {"insu_admdvs": "990200"}, False),
        ({"los_from": 5, "los_upto": 5}, {}, True),
        ({"los_from": 6}, {}, False),
        ({"los_upto": 4}, {}, False),
        ({"pools": ["E"]}, {}, True),
        ({"pools": ["E"]}, {"pool": None}, False),
        ({"pools": ["E"], "levels": ["2"]}, {}, False),
    ],
)
def test_who_is_in(who, change, takes):
    rules = {"id": "t", "kind": "total_cap", "who": who}
    found = taken(stays(change), setup(rules))
    assert found["track"].to_list() == (["t"] if takes else [None])


def test_the_first_track_has_the_stay_and_says_why():
    one = {"id": "one", "kind": "total_cap", "who": {"levels": ["2"], "los_from": 3}}
    two = {"id": "two", "kind": "total_cap", "who": {"med_types": ["21"]}}
    found = taken(stays({"fixmedins_code": "H2"}, {}, {"med_type": "26"}), setup(one, two))
    assert found.select("track", "track_why").rows() == [
        ("one", "levels 2; los_from 3"),
        ("two", "med_types 21"),
        (None, None),
    ]


def test_a_kind_of_stay_is_sent_to_its_track_unless_bed_day_points_pay_it():
    rules = {"id": "psy", "kind": "total_cap"}
    frame = stays({"med_type": "2105"}, {})
    found = taken(frame, setup(rules, scope={"2105": "psy"}))
    assert found.select("track", "track_why").rows() == [("psy", "scope.other_tracks 2105"), (None, None)]
    points = {"med_types": ["2105"], "steps": [{"points_per_day": 1}]}
    assert taken(frame, setup(rules, scope={"2105": "psy"}, bed_day=points))["track"].to_list() == [
        None,
        None,
    ]


def test_a_community_takes_the_insured_of_its_areas_at_its_members_and_pays_for_care_outside():
    """Package 2,000: members booked 600 + 600, elsewhere 300 were booked: 500 are left for the two."""
    rules = {"id": "cc", "kind": "community", "cite": "a letter"}
    row = ("cc", "C", "E", "990100|990200", 200_000, None, None, None, 1)
    given = setup(rules, communities=[row])
    frame = stays(
        {"fixmedins_code": "H2"},
        {"fixmedins_code": "H3", "insu_admdvs": "990200"},
        {"fixmedins_code": "H3", "insu_admdvs": "990900"},
        {"booked_fen": 30_000},
    )
    found = taken(frame, given)
    assert found["track_why"].to_list() == ["community C", "community C", None, None]
    both = frame.hstack(found)
    money = LineMoney(pl.DataFrame({"pool": ["E"], "line": ["cc"], "line_fen": [210_000]}))
    paid = pay_tracks(
        both.filter(track="cc"), both.filter(pl.col("track").is_null()), given, money, ["E", "R"]
    )
    got = paid.accounts.select("fixmedins_code", "fund_fen", "adjustment_fen", "payable_fen", "why")
    why = "package 2,000.00, inside 1,200.00, outside 300.00"
    assert got.rows() == [("H2", 60_000, 25_000, 85_000, why), ("H3", 60_000, 25_000, 85_000, why)]
    assert paid.close.by_pool() == {"E": 30_000}
    # 2,100 - 1,700 - 300 = 100 to the reserve; the other pool has neither money nor stays.
    used = paid.lines.select("pool", "line_fen", "paid_fen", "outside_care_fen", "left_fen")
    assert used.rows() == [("E", 210_000, 170_000, 30_000, 10_000), ("R", 0, 0, 0, 0)]
    assert paid.dues.select("month", "fixmedins_code", "amount_fen", "kind").rows() == [
        (1, "H2", 60_000, "track_payable"),
        (1, "H3", 60_000, "track_payable"),
        (13, "H2", 25_000, "track_adjustment"),
        (13, "H3", 25_000, "track_adjustment"),
    ]


def test_a_quota_is_paid_at_the_close():
    rules = {"id": "q", "kind": "average_quota", "who": {"levels": ["3"]}}
    given = setup(rules, quotas=[("q", None, None, None, 50_000, 1)])
    frame = stays({}, {"month": 2})
    both = frame.hstack(taken(frame, given))
    paid = pay_tracks(both, both.clear(), given, LineMoney(pl.DataFrame(schema=MONEY)), ["E"])
    # Two stays of 600 against 500: 200 over, limit 200, half: paid 1,100.
    assert paid.accounts.select("standard_fen", "fund_fen", "adjustment_fen").rows() == [
        (100_000, 120_000, -10_000)
    ]
    assert paid.dues["month"].to_list() == [13, 13]
    assert paid.lines["left_fen"].to_list() == [-110_000]


MONEY = {"pool": pl.String, "line": pl.String, "line_fen": pl.Int64}


def test_outpatient_points_share_the_money_of_their_line():
    table = pl.DataFrame(
        [
            ("o", "H2", "E", 1, None, 10, None, 10_000),
            ("o", "H1", "E", 2, None, 10, None, 10_000),
            ("o", "H1", "E", 1, None, 10, None, 10_000),
            ("o", "H1", "R", 1, None, 10, None, 10_000),
        ],
        schema=OUTPATIENT,
        orient="row",
    )
    money = pl.DataFrame({"pool": ["E"], "line_fen": [100]})
    found = price_rows(table, track("outpatient", id="o", form="points"), money)
    assert found is not None
    # 100 fen over three equal rows: the smaller hospital and month has the odd fen. Pool R has no money.
    assert found.select("fixmedins_code", "pool", "month", "fund_fen").sort("pool", "fund_fen").rows() == [
        ("H1", "E", 13, 33),
        ("H2", "E", 13, 33),
        ("H1", "E", 13, 34),
        ("H1", "R", 13, 0),
    ]


def test_heads_times_price_amounts_as_they_are_and_shares_of_savings():
    heads = pl.DataFrame([("o", "H2", "E", 3, "HTN", 120, 4_050, None)], schema=OUTPATIENT, orient="row")
    money = pl.DataFrame(schema={"pool": pl.String, "line_fen": pl.Int64})
    found = price_rows(heads, track("outpatient", id="o"), money)
    assert found is not None
    # 120 x 40.50 = 4,860
    assert found.rows() == [("H2", "E", 3, 120, 486_000, 486_000)]
    outside = pl.DataFrame(
        {"track": ["d"], "fixmedins_code": "H1", "pool": "E", "month": 5, "amount_fen": 777}
    )
    found = price_rows(outside, track("outside_budget", id="d"), money)
    assert found is not None
    assert found.rows() == [("H1", "E", 5, 1, 777, 777)]
    saved = pl.DataFrame(
        {"track": ["s"], "fixmedins_code": "H1", "pool": "E", "saved_fen": 1_001, "share_e4": 5_000}
    )
    found = price_rows(saved, track("procurement_savings", id="s"), money)
    assert found is not None
    # 10.01 x 0.5 = 5.005, half up
    assert found.rows() == [("H1", "E", 13, 1, 1_001, 501)]


def test_the_order_of_stays_does_not_matter():
    rules = psychiatric(who={"diagnoses": ["F"]})
    given = setup(rules)
    frame = stays({}, {"fixmedins_code": "H2"}, {"month": 7}, {"pool": "R"})
    money = LineMoney(pl.DataFrame(schema=MONEY))
    results = []
    for one in (frame, frame.reverse()):
        both = one.hstack(taken(one, given))
        paid = pay_tracks(both, both.clear(), given, money, ["E", "R"])
        results.append((paid.accounts.rows(), paid.dues.rows(), paid.lines.rows()))
    assert results[0] == results[1]

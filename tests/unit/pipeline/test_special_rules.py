"""Bed-days inside, readmission, unstable groups, cost coefficients, fixed rates in a year; each explained again."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest

from cli.small import HISTORY, STAYS, stay, text_of
from fenzhi.errors import ConservationError, PolicyError, RegionError
from fenzhi.money import format_fen, round_half_up
from fenzhi.pipeline import compute, explain_stay, run
from fenzhi.pipeline import deviation as deviation_
from fenzhi.pipeline import steps as steps_
from fenzhi.region import load_region

BED = stay("BED", "A1", "390", "F20.000", "", "9000.00", "6000.00", discharged="2026-05-31", med_type="2105")
BED_DAY = '[bed_day]\nmed_types = ["2105"]\n[[bed_day.steps]]\nupto_days = 5\npoints_per_day = 10\n'
BED_DAY += "[[bed_day.steps]]\npoints_per_day = 7.5\n"


@pytest.fixture
def rules(folder, edit):
    """Let the small region follow a policy of its own: the national one with sections laid over."""

    def write(*sections: str, extends: str = "national-dip-3.0", scheme: str = "dip") -> None:
        meta = f'[meta]\nid = "small"\ntitle = "small"\nscheme = "{scheme}"\nversion = "1"\nextends = "{extends}"\n'
        (folder / "policy.toml").write_text(meta + "\n".join(sections), encoding="utf-8")
        text = (folder / "region.toml").read_text(encoding="utf-8")
        (folder / "region.toml").write_text(text.replace('"national-dip-3.0"', '"policy.toml"'), "utf-8")

    return write


def records(folder, rows) -> None:
    (folder / "records" / "2027.csv").write_text(text_of(rows), encoding="utf-8")


def history(folder, rows) -> None:
    (folder / "history" / "2026.csv").write_text(text_of(rows), encoding="utf-8")


def case(tables, setl_id: str) -> dict:
    return tables["cases"].filter(setl_id=setl_id).row(0, named=True)


def texts(folder, setl_id: str) -> dict[str, tuple[str, str]]:
    """Run the year and explain one of its stays: title -> formula and result."""
    done = run(folder, reports=False)
    return {step.en: (step.formula, step.result) for step in explain_stay(done.folder, setl_id).steps}


# --- bed-days ---


# S06: admitted on March 1st, left on the 9th: 8 days: 5 x 10 + 3 x 7.5 = 72.5 points.
def test_bed_day_stays_are_paid_inside(folder, rules):
    rules(BED_DAY)
    tables, facts = compute(load_region(folder))
    row = case(tables, "S06")
    assert (row["outcome"], row["reason"], row["layer"], row["group_id"], row["status"]) == (
        "bed_day",
        None,
        None,
        None,
        None,
    )
    assert (row["points_base_e4"], row["points_e4"], row["rw_e4"]) == (725_000, 725_000, None)
    assert row["payable_fen"] > 0
    assert facts["counts"]["outcome_bed_day"] == 1
    hospital = tables["hospitals"].filter(fixmedins_code="A1", pool="resident").row(0, named=True)
    assert (hospital["bed_day_cases"], hospital["points_bed_day_e4"]) == (1, 725_000)
    # Indices are of groups only.
    assert tables["monitoring"].filter(fixmedins_code="A1")["cases"].to_list() == [2]


def test_bed_day_stays_explain_day_by_day(folder, rules):
    rules(BED_DAY)
    found = texts(folder, "S06")
    assert found["outcome"] == ("", "bed_day")
    assert found["bed-day points"] == ("5 x 10 + 3 x 7.5", "72.5000")


def test_the_length_of_stay_is_no_matter_for_bed_days(folder, rules):
    rules(BED_DAY, "[scope]\nmax_los_days = 20\n")
    long = [
        stay("L1", "A1", "390", "F20.000", "", "900.00", "600.00", discharged="2027-05-31", med_type="2105"),
        stay("L2", "A1", "390", "K35.900", "", "900.00", "600.00", discharged="2027-05-31"),
    ]
    records(folder, [*STAYS, *long])
    tables, _ = compute(load_region(folder))
    # 30 days: 5 x 10 + 25 x 7.5.
    assert (case(tables, "L1")["outcome"], case(tables, "L1")["points_e4"]) == ("bed_day", 2_375_000)
    assert (case(tables, "L2")["outcome"], case(tables, "L2")["reason"]) == ("excluded", "los_above_scope")


# Resident history, all coefficients 1: 4 x 585.3659 + 2 x 731.7073 + 1,317.0732 = 5,121.9514 points, 35,000 yuan.
# With a bed-day stay of 30 days and 9,000 yuan: 44,000 / (5,121.9514 + 237.5) = 8.20979.
def test_bed_days_of_the_history_count_for_opening_values_and_nothing_else(folder, rules):
    rules(BED_DAY, "[coefficients]\nby = []\n")
    before, _ = compute(load_region(folder))
    history(folder, [*HISTORY, BED])
    after, facts = compute(load_region(folder))
    assert facts["mean_cost_fen"] == 683_333
    assert before["groups"]["rw_e4"].equals(after["groups"]["rw_e4"])
    opening = [t["pools"].filter(pool="resident")["opening_value_e4"][0] for t in (before, after)]
    assert opening == [68_333, 82_098]
    # Working capital is a month of what the fund booked: 14,500 and 6,000 more.
    capital = [t["hospitals"].filter(pool="resident")["working_capital_fen"].sum() for t in (before, after)]
    assert capital[1] - capital[0] == 50_000


# --- outcomes ---


def test_policy_and_catalogue_are_of_one_scheme(folder, rules):
    rules(extends="national-drg", scheme="drg")
    with pytest.raises(PolicyError, match="policy is for drg, the catalogue for dip") as caught:
        compute(load_region(folder))
    assert caught.value.code == "POLICY_SCHEME"


def test_a_stay_that_points_do_not_pay_keeps_its_reason_whatever_grouping_lacks(folder, edit):
    # Quality control lets stays without diagnosis through: insured ones are rejected, others excluded.
    edit("region.toml", "[[pool]]", '[quality.severity]\nprincipal_missing = "warning"\n\n[[pool]]')
    rows = [
        stay("N1", "A1", "310", "", "", "100.00", "50.00"),
        stay("N2", "A1", "", "", "", "100.00", "0.00"),
    ]
    records(folder, [*STAYS, *rows])
    history(folder, [*HISTORY, stay("N3", "A1", "310", "", "", "9.00", "0.00", discharged="2026-05-09")])
    tables, facts = compute(load_region(folder))
    found = [(case(tables, name)["outcome"], case(tables, name)["reason"]) for name in ("N1", "N2")]
    assert found == [("rejected", "no_principal_diagnosis"), ("excluded", "self_paying")]
    assert facts["mean_cost_fen"] == 683_333


# --- readmission ---

READMISSION = "[readmission]\ndays = 10\nfactor = 0.5\n"
TWICE = [
    stay("R1", "A1", "310", "K35.800", "47.0100", "10500.00", "7000.00", discharged="2027-05-09"),
    stay("R2", "A1", "310", "K35.800", "47.0100", "10500.00", "7000.00", discharged="2027-06-09"),
    stay("R0", "A1", "", "K35.800", "47.0100", "10500.00", "0.00", discharged="2027-05-28"),
]


# Stays begin on the first of their month. R2: June 1st, 4 days after R0 left, who paid himself.
def test_a_stay_soon_after_another_of_the_group_gets_half(folder, rules):
    rules(READMISSION)
    records(folder, [*STAYS, *TWICE])
    tables, facts = compute(load_region(folder))
    first, second = case(tables, "R1"), case(tables, "R2")
    assert (first["readmitted_days"], second["readmitted_days"]) == (None, 4)
    assert second["points_base_e4"] == first["points_base_e4"]
    assert second["points_e4"] == (first["points_e4"] + 1) // 2
    assert not any("psn_no" in text for text in facts["notices"])
    for table in tables.values():
        assert "psn_no" not in table.columns


def test_a_readmission_is_explained(folder, rules):
    rules(READMISSION)
    records(folder, [*STAYS, *TWICE])
    formula, result = texts(folder, "R2")["readmission"]
    assert formula == "4 <= 10 days: 1,986.3439 x 0.5"
    assert result == "993.1720"


def test_records_without_persons_are_said(folder, rules):
    rules(READMISSION, "[incomplete]\nways = [2]\n")
    text = (folder / "records" / "2027.csv").read_text(encoding="utf-8")
    (folder / "records" / "2027.csv").write_text(text.replace("P990100777", ""), encoding="utf-8")
    notices = compute(load_region(folder))[1]["notices"]
    assert "the records have no psn_no: nobody counts as readmitted" in notices
    assert any("no dscg_way" in text for text in notices)


# --- unstable groups, cost coefficients, given coefficients, fixed rate ---


# K35.8:47.0100 has 4 stays from 9,000 to 12,000: CV 0.1065.
def test_an_unstable_group_is_explained_by_its_cost(folder, rules):
    rules('[stability]\ncv_max = 0.001\nrule = "share_of_cost"\nfactor = 0.8\n')
    # 10,500 / 6,833.33 x 1,000 x 0.8 = 1,229.2689 (M rounded to fen).
    formula, result = texts(folder, "S01")["points in an unstable group"]
    assert formula == "CV 0.1065 (0.001), 4 stays (5): 10,500.00 / M 6,833.33 x 1000 x 0.8"
    assert result == "1,229.2689"
    groups = compute(load_region(folder))[0]["groups"]
    # A single stay has no spread.
    assert groups.select("history_cases", "stable").rows() == [
        (4, False),
        (4, False),
        (1, True),
        (2, False),
        (1, True),
    ]


# In K35.8:47.0100 all 4 stays are A1's: 1. S03's group had A1 6,000 and B2 4,000: 6,000 / 5,000 = 1.2, capped.
def test_a_cost_coefficient_is_explained_with_its_figures(folder, rules):
    rules('[coefficients]\nform = "cost"\nmin_cases = 1\ncap = 1.1\n')
    tables, _ = compute(load_region(folder))
    rows = tables["coefficients"].filter(group_id="K35-medical")
    assert rows.select("fixmedins_code", "cases", "cost_fen", "region_cases", "coefficient_e4").rows() == [
        ("A1", 1, 600_000, 2, 11_000),
        ("B2", 1, 400_000, 2, 8_000),
    ]
    formula, result = texts(folder, "S03")["institution coefficient h"]
    assert formula == "(6,000.00 / 1) / (10,000.00 / 2); <= 1.1"
    assert result == "1.1000"
    assert tables["hospitals"]["coefficient_e4"].null_count() == 6


def test_too_few_stays_and_given_coefficients_are_explained(folder, rules, edit):
    rules('[coefficients]\nform = "cost"\nmin_cases = 2\n')
    assert texts(folder, "S03")["institution coefficient h"] == (
        "1 stays in 2 years (at least 2): 1",
        "1.0000",
    )
    edit("hospitals.csv", "level,type", "level,type,coefficient")
    text = (folder / "hospitals.csv").read_text(encoding="utf-8")
    text = text.replace("general\n", "general,1.05\n")
    (folder / "hospitals.csv").write_text(text, encoding="utf-8")
    assert texts(folder, "S03")["institution coefficient h"] == ("hospitals.csv", "1.0500")


def test_an_incomplete_stay_is_explained(folder, rules):
    rules("[incomplete]\nlos_below_days = 30\n")
    # S02: m of K35.8:0 is 4,000; 4,200 is more: the whole weight, 4,000 / 6,833.33 x 1,000.
    formula, result = texts(folder, "S02")["points of an incomplete stay"]
    assert formula == "min(RW, RW x 4,200.00 / 4,000.00) (all_level_mean)"
    assert result == "585.3659"


def test_a_fixed_rate_is_the_opening_value(folder, rules):
    rules('[point_value]\nrate = "fixed"\n[settlement]\nresidual = "reserve"\n')
    tables, _ = compute(load_region(folder))
    pools = tables["pools"]
    assert pools["settlement_value_e4"].to_list() == pools["opening_value_e4"].to_list()
    assert (pools["gross_fen"] + pools["residual_fen"]).to_list() == pools["fund_fen"].to_list()
    formula, result = texts(folder, "S01")["settlement point value"]
    assert formula == f"fixed: opening value {result}"


def test_a_fixed_rate_may_be_stated_and_must_be_known(folder, rules, edit):
    rules('[point_value]\nrate = "fixed"\n[settlement]\nresidual = "reserve"\n')
    edit("region.toml", 'insutype = ["310"]', 'insutype = ["310"]\nopening_value = 12.5')
    assert compute(load_region(folder))[0]["pools"]["settlement_value_e4"][0] == 125_000
    # A history outside every pool gives no opening value.
    text = (folder / "history" / "2026.csv").read_text(encoding="utf-8")
    text = text.replace(",310,", ",999,").replace(",390,", ",999,")
    (folder / "history" / "2026.csv").write_text(text, encoding="utf-8")
    with pytest.raises(RegionError, match="BUDGET_OPENING"):
        compute(load_region(folder))


# Bands by weight: S01 weighs 1,536.59, S02 585.37. r = 10,500 / 10,500 and 4,200 / 4,000.
TIERS = """[deviation]
bands = []
test_reference = "all_level_mean"
factor_reference = "all_level_mean"
[[deviation.tiers]]
rw_upto = 1000
[[deviation.tiers.bands]]
name = "normal"
upto = 1.02
points = "normal"
[[deviation.tiers.bands]]
name = "high"
above = 1.02
points = "excess"
[[deviation.tiers]]
rw_above = 1000
[[deviation.tiers.bands]]
name = "normal"
points = "normal"
"""


def test_the_tier_of_a_weight_is_explained(folder, rules):
    rules(TIERS)
    formula, _ = texts(folder, "S01")["cost deviation"]
    assert formula.startswith("r = 10,500.00 / 10,500.00 (all_level_mean, tier 2); normal")
    formula, _ = texts(folder, "S02")["cost deviation"]
    assert formula.startswith(
        "r = 4,200.00 / 4,000.00 (all_level_mean, tier 1); high: RW x h x (r - 51/50 + 1)"
    )


def test_a_negotiated_weight_is_explained_with_who_and_why(folder):
    text = "group_id,weight,who,why\nK35.8:47.0100,1600,专家组,材料费\n"
    (folder / "weight_overrides.csv").write_text(text, encoding="utf-8")
    assert texts(folder, "S01")["weight RW"] == ("weight_overrides.csv: 专家组, 材料费", "1,600.0000")
    formula, _ = texts(folder, "S02")["weight RW"]
    assert "(weight_overrides.csv)" in formula


def test_an_explanation_that_differs_from_the_run_is_an_error(folder, rules, monkeypatch):
    rules(BED_DAY)
    done = run(folder, reports=False)
    monkeypatch.setattr(steps_, "to_e4", lambda value: 1)
    with pytest.raises(ConservationError, match="other points than the run"):
        explain_stay(done.folder, "S06")


def test_a_year_writes_the_same_in_chunks(folder, rules):
    rules(BED_DAY, READMISSION, '[coefficients]\nform = "cost"\nmin_cases = 1\n')
    records(folder, [*STAYS, *TWICE])
    whole, cut = (compute(load_region(folder), chunk_rows=n)[0] for n in (None, 2))
    assert whole.keys() == cut.keys()
    for name, table in whole.items():
        assert table.equals(cut[name]), name


# --- paid directly ---


def test_ungrouped_stays_paid_directly(folder, rules):
    rules('[ungrouped]\nrule = "fee_for_service"\nfactor = 0.7')
    tables, _ = compute(load_region(folder))
    paid = tables["cases"].filter(outcome="ungrouped").to_dicts()
    assert paid
    pools = {row["pool"]: row for row in tables["pools"].to_dicts()}
    for row in paid:
        pool = pools[row["pool"]]
        exact = Fraction(row["cost_fen"] * pool["booked_fen"] * 7, pool["cost_fen"] * 10)
        assert row["points_e4"] == 0
        assert row["direct_fen"] == row["payable_fen"] == round_half_up(exact)
    assert sum(row["direct_fen"] for row in paid) == sum(pool["direct_fen"] for pool in pools.values())
    found = texts(folder, paid[0]["setl_id"])
    formula, result = found["paid directly by the fund"]
    assert formula.endswith(" x 0.7")
    assert result == format_fen(paid[0]["direct_fen"])
    other = tables["cases"].filter(outcome="grouped", pool=paid[0]["pool"])["setl_id"][0]
    assert " - D " in texts(folder, other)["settlement point value"][0]


def test_a_band_paid_directly(folder, rules):
    rules('[deviation]\nbands = [{ name = "all", points = "fee_for_service" }]')
    tables, _ = compute(load_region(folder))
    paid = tables["cases"].filter(deviation="all").to_dicts()
    assert paid
    assert all(row["points_e4"] == 0 and row["payable_fen"] == row["direct_fen"] > 0 for row in paid)
    assert "paid directly by the fund" in texts(folder, paid[0]["setl_id"])


# --- the most expensive stays ---


# Cost / payment standard: S02 4,200 / 3,577.05, S01 10,500 / 10,500.01, S03 5,500 / 8,172.01.
def test_the_most_expensive_stays_are_paid_directly_and_explained(folder, rules):
    rules('[deviation.top_share]\nshare = 0.5\nof = "region"\n')
    done = run(folder, reports=False)
    row = case(done.tables, "S02")
    assert (row["deviation"], row["points_e4"]) == ("top", 0)
    pool = done.tables["pools"].filter(pool=row["pool"]).row(0, named=True)
    share = Fraction(pool["booked_fen"], pool["cost_fen"])
    assert row["direct_fen"] == round_half_up(row["cost_fen"] * share)
    found = {}
    for name in ("S01", "S02", "S03"):
        steps = {step.en: (step.formula, step.result) for step in explain_stay(done.folder, name).steps}
        found[name] = steps["place by cost"]
    assert found == {
        "S01": ("2 / 3 (region); 0.5 x 3", "2 > 1"),
        "S02": ("1 / 3 (region); 0.5 x 3", "1 <= 1"),
        "S03": ("3 / 3 (region); 0.5 x 3", "3 > 1"),
    }
    assert done.tables["monitoring"].filter(fixmedins_code=row["fixmedins_code"])["high_share"][0] > 0


def test_each_group_has_a_top_of_its_own(folder, rules):
    rules("[deviation.top_share]\nshare = 0.5\n")
    assert texts(folder, "S02")["place by cost"] == ("1 / 1 (group); 0.5 x 1", "1 > 0")


def test_a_place_that_differs_is_an_error(folder, rules, monkeypatch):
    rules('[deviation.top_share]\nshare = 0.5\nof = "region"\n')
    done = run(folder, reports=False)
    places = deviation_.top_places
    monkeypatch.setattr(
        deviation_, "top_places", lambda *given: places(*given).with_columns(pl.lit(2).alias("place"))
    )
    with pytest.raises(ConservationError, match="other deviation band"):
        explain_stay(done.folder, "S02")

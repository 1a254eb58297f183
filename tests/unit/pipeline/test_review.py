"""Special review in a year, by hand: who is eligible, quota and rank, each decision, what is refused and recorded.

S02 (B2, resident, cost 4,200.00) costs 1.1742 times its payment standard 3,577.05; S03 and S04 are the pool's others.
"""

from __future__ import annotations

import pytest

from fenzhi.errors import RegionError
from fenzhi.pipeline import compute, explain_stay, run
from fenzhi.pipeline.review import decide, list_reviews, record
from fenzhi.region import load_region

HEAD = '[meta]\nid = "small"\ntitle = "small"\nscheme = "dip"\nversion = "1"\nextends = "national-dip-3.0"\n'
COST = '[[special_review.criteria]]\nname = "cost"\ncost_multiple = 1\n'
DRUG = '[[special_review.criteria]]\nname = "drug"\nitems = ["X1"]\n'
ANY = '[[special_review.criteria]]\nname = "any"\ncost_multiple = 0\n'
APPLIED = "setl_id,applied_at,reason,icu_hours,items,departments\n"
DECIDED = "setl_id,outcome,value,decided_by,decided_at,why\n"


@pytest.fixture
def region(folder, edit):
    """Write policy, applications and decisions of the small region and return its folder."""
    edit("region.toml", '"national-dip-3.0"', '"policy.toml"')

    def write(*criteria: str, head: str = "quota = 0.5\n", applied: str = "", decided: str = ""):
        text = HEAD + "[special_review]\n" + head + "".join(criteria)
        (folder / "policy.toml").write_text(text, encoding="utf-8")
        (folder / "special_review.csv").write_text(APPLIED + applied, encoding="utf-8")
        if decided:
            (folder / "review_decisions.csv").write_text(DECIDED + decided, encoding="utf-8")
        return folder

    return write


def applications(folder) -> dict[str, dict]:
    tables, _ = compute(load_region(folder))
    return {row["setl_id"]: row for row in tables["applications"].iter_rows(named=True)}


def case(folder, setl_id: str) -> dict:
    tables, _ = compute(load_region(folder))
    return tables["cases"].filter(setl_id=setl_id).row(0, named=True)


def file_of(tmp_path, text: str, head: str = DECIDED):
    file = tmp_path / "new.csv"
    file.write_text(head + text, encoding="utf-8")
    return file


TWO = "S02,2027-05-01,long,,,\nS03,2027-04-01,drug,,X1; X2,\n"


def test_eligible_by_cost_or_drug(region):
    found = applications(region(COST, DRUG, applied=TWO + "S06,2027-05-01,bed,,,\nS99,2027-05-01,typo,,,\n"))
    assert {key: (row["eligible"], row["met"]) for key, row in found.items()} == {
        "S02": (True, "cost"),
        "S03": (True, "drug"),
        "S06": (False, None),
        "S99": (False, None),
    }
    assert (found["S02"]["compared_fen"], found["S02"]["cost_multiple_e4"]) == (357_705, 11_742)
    assert (found["S02"]["over_fen"], found["S99"]["unit"]) == (62_295, None)


def test_all_criteria(region):
    found = applications(region(COST, DRUG, head='quota = 0.5\nmatch = "all"\n', applied=TWO))
    assert [row["state"] for row in found.values()] == ["not_eligible", "not_eligible"]


# Discharged on the 9th of the month after admission on the 1st: 8 days, as all history stays: 8 > 0.99 x 8 only.
@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("los_above_days = 7", True),
        ("los_above_days = 8", False),
        ("los_multiple = 0.9999", True),
        ("los_multiple = 1", False),
        ("icu_above_hours = 23.9", True),
        ("icu_above_hours = 24", False),
        ('departments = ["D1"]', True),
        ('departments = ["D2"]', False),
        ("age_from = 50\nage_upto = 50", True),
        ("age_from = 51", False),
        ("age_upto = 49", False),
        ('items = ["X1"]\nage_from = 51', False),
        ('cost_multiple = 1\nitems = ["X1"]', True),
    ],
)
def test_each_condition(region, condition, holds):
    criterion = f'[[special_review.criteria]]\nname = "one"\n{condition}\n'
    found = applications(region(criterion, applied="S02,2027-05-01,why,24,X1,D3;D1\n"))
    assert found["S02"]["eligible"] is holds


# Four stays: 0.25 x 4 = 1. S02 is 1.1742 times its standard, the cost of S03 less.
def test_the_quota_is_rounded_down_and_what_is_over_it_has_a_rank(region):
    found = applications(region(ANY, head="quota = 0.4999\n", applied=TWO))
    assert {key: (row["quota"], row["rank"], row["state"]) for key, row in found.items()} == {
        "S02": (1, 1, "eligible"),
        "S03": (1, 2, "over_quota"),
    }
    by_day = applications(region(ANY, head='quota = 0.25\nrank_by = ["applied_at"]\n', applied=TWO))
    assert [by_day[key]["rank"] for key in ("S02", "S03")] == [2, 1]
    by_level = 'quota = 0\nlevel_quotas = { "2" = 0.5 }\n'
    found = applications(region(ANY, head=by_level, applied=TWO))
    assert {key: (row["unit"], row["quota"]) for key, row in found.items()} == {
        "S02": ("2", 1),
        "S03": ("3", 0),
    }


# S x h of S02 is 585.3659 x 0.7073 = 414.0293; the opening value is that of the pool.
@pytest.mark.parametrize(
    ("outcome", "value", "points"),
    [("coefficient", "1.3", 5_382_381), ("expert_points", "700", 7_000_000), ("expert_points", "0", 0)],
)
def test_points_of_a_decision(region, outcome, value, points):
    folder = region(COST, applied=TWO, decided=f"S02,{outcome},{value},组,2027-06-01,ok\n")
    row = case(folder, "S02")
    assert (row["points_e4"], row["review"], row["before_review_e4"]) == (points, outcome, 4_140_293)
    assert row["deviation"] == "normal"


def test_an_adjusted_standard_is_divided_by_the_opening_value(region):
    folder = region(COST, applied=TWO, decided="S02,adjusted_standard,5000,组,2027-06-01,ok\n")
    tables, _ = compute(load_region(folder))
    opening = tables["pools"].filter(pool="resident")["opening_value_e4"][0]
    row = tables["cases"].filter(setl_id="S02").row(0, named=True)
    assert row["points_e4"] == (2 * 500_000 * 10**6 + opening) // (2 * opening)


def test_fee_for_service_is_paid_directly_and_explained(region):
    folder = region(COST, applied=TWO, decided="S02,fee_for_service,,组,2027-06-01,ok\n")
    done = run(folder, reports=True)
    row = done.tables["cases"].filter(setl_id="S02").row(0, named=True)
    pool = done.tables["pools"].filter(pool="resident").row(0, named=True)
    exact = (2 * 420_000 * pool["booked_fen"] + pool["cost_fen"]) // (2 * pool["cost_fen"])
    assert (row["points_e4"], row["direct_fen"], row["payable_fen"]) == (0, exact, exact)
    assert pool["gross_fen"] + pool["residual_fen"] == pool["fund_fen"]
    published = done.tables["review"].row(0, named=True)
    assert (published["approved"], published["review_fen"], published["share"]) == (1, exact, 0.25)
    page = (done.folder / "region.html").read_text(encoding="utf-8")
    assert "特例单议" in page
    assert "25.0" in page
    steps = {step.en: step for step in explain_stay(done.folder, "S02").steps}
    assert steps["special review"].formula == "review_decisions.csv: fee_for_service; 组, 2027-06-01"
    assert steps["cost deviation"].result == "414.0293"
    assert "paid directly by the fund" in steps


@pytest.mark.parametrize("outcome", ["coefficient,1.3", "expert_points,700", "adjusted_standard,5000"])
def test_other_decisions_are_explained(region, outcome):
    folder = region(COST, applied=TWO, decided=f"S02,{outcome},组,2027-06-01,ok\n")
    done = run(folder, reports=False)
    steps = {step.en: step for step in explain_stay(done.folder, "S02").steps}
    assert steps["special review"].formula.startswith(f"review_decisions.csv: {outcome.split(',')[0]}: ")


def test_a_refused_stay_keeps_its_points(region):
    folder = region(COST, applied=TWO, decided="S02,refused,,组,2027-06-01,no\n")
    row = case(folder, "S02")
    assert (row["points_e4"], row["review"], row["before_review_e4"]) == (4_140_293, "refused", None)
    assert applications(folder)["S02"]["state"] == "refused"


def test_approving_one_more_moves_fen_and_none_is_lost(region, tmp_path):
    folder = region(COST, applied=TWO)
    file = file_of(tmp_path, "S02,coefficient,1.3,组,2027-06-01,ok\n")
    shown = decide(folder, file, effect=True)
    assert not (folder / "review_decisions.csv").exists()
    moved = dict(shown.effect.hospitals.select("fixmedins_code", "moved_fen").iter_rows())
    # B2 is assessed at 0.98.
    assert moved["A1"] < 0 < moved["B2"]
    pools = {row["pool"]: row for row in shown.effect.pools.iter_rows(named=True)}
    assert pools["resident"]["value_after_e4"] < pools["resident"]["value_before_e4"]
    assert pools["employee"]["value_after_e4"] == pools["employee"]["value_before_e4"]
    decide(folder, file)
    again = list_reviews(folder, effect=True)
    assert again.effect.hospitals.equals(shown.effect.hospitals)
    history = (folder / "review_history.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[1] for line in history] == ["state", "applied", "eligible", "decided"]
    assert history[1] == "S02,applied,2027-05-01,B2,long"
    assert history[3] == "S02,decided,2027-06-01,组,coefficient: ok"


def test_an_appeal_opens_a_case_and_settlement_closes_it(region, tmp_path):
    folder = region(COST, applied=TWO)
    decide(folder, file_of(tmp_path, "S02,refused,,组,2027-06-01,no\n"))
    before = (folder / "review_history.csv").read_bytes()
    states = "setl_id,state,at,who,why\n"
    record(folder, file_of(tmp_path, "S02,appealed,2027-07-01,B2,again\n", states))
    decide(folder, file_of(tmp_path, "S02,coefficient,1.3,组,2027-08-01,ok\n"))
    assert case(folder, "S02")["review"] == "coefficient"
    record(folder, file_of(tmp_path, "S02,settled,2028-01-01,局,closed\n", states))
    with pytest.raises(RegionError, match="this stay is settled") as caught:
        decide(folder, file_of(tmp_path, "S02,refused,,组,2028-02-01,no\n"))
    assert (caught.value.code, caught.value.row) == ("REVIEW_SETTLED", 1)
    with pytest.raises(RegionError, match="nothing can be recorded any more"):
        record(folder, file_of(tmp_path, "S02,appealed,2028-02-01,B2,again\n", states))
    assert (folder / "review_history.csv").read_bytes().startswith(before)


@pytest.mark.parametrize(
    ("decision", "code", "message"),
    [
        ("S04,refused,,组,2027-06-01,x", "REVIEW_UNKNOWN", "nobody applied for special review"),
        ("S99,expert_points,1,组,2027-06-01,x", "REVIEW_UNKNOWN", "no stay of this year"),
        ("S01,expert_points,1,组,2027-06-01,x", "REVIEW_NOT_ELIGIBLE", "fulfils no criterion"),
        ("S03,expert_points,1,组,2027-06-01,x", "REVIEW_QUOTA", "over the quota: rank 2, quota 1"),
        ("S02,adjusted_standard,1,组,2027-06-01,x", "REVIEW_OUTCOME", "the policy knows no outcome"),
        ("S02,bonus,1,组,2027-06-01,x", "REVIEW_CELL", "there is no such outcome"),
        ("S02,coefficient,,组,2027-06-01,x", "REVIEW_CELL", "needs a value"),
        ("S02,coefficient,1.30001,组,2027-06-01,x", "REVIEW_CELL", "needs a value"),
        ("S02,fee_for_service,3,组,2027-06-01,x", "REVIEW_CELL", "has no value"),
        ("S02,refused,,,2027-06-01,x", "REVIEW_CELL", "this cell is empty"),
        ("S02,refused,,组,June,x", "REVIEW_CELL", "this is no day"),
        (
            "S02,refused,,组,2027-06-01,x\nS02,refused,,组,2027-06-01,x",
            "REGION_KEY",
            "a stay is listed twice",
        ),
    ],
)
def test_what_cannot_be_decided_is_refused_in_words(region, tmp_path, decision, code, message):
    head = 'quota = 0.25\noutcomes = ["coefficient", "expert_points", "fee_for_service", "refused"]\n'
    applied = TWO + "S01,2027-05-01,x,,,\nS99,2027-05-01,x,,,\n"
    folder = region(COST, DRUG, head=head, applied=applied)
    with pytest.raises(RegionError, match=message) as caught:
        decide(folder, file_of(tmp_path, decision + "\n"))
    assert caught.value.code == code
    assert not (folder / "review_decisions.csv").exists()


def test_a_refusal_gives_its_place_up(region, tmp_path):
    folder = region(COST, DRUG, head="quota = 0.25\n", applied=TWO)
    text = "S02,refused,,组,2027-06-01,no\nS03,expert_points,5,组,2027-06-01,ok\n"
    assert decide(folder, file_of(tmp_path, text)).applications["state"].to_list() == ["refused", "approved"]


def test_a_decided_application_is_not_decided_twice(region, tmp_path):
    folder = region(COST, applied=TWO, decided="S02,refused,,组,2027-06-01,no\n")
    with pytest.raises(RegionError, match="decided already") as caught:
        decide(folder, file_of(tmp_path, "S02,expert_points,1,组,2027-06-01,x\n"))
    assert caught.value.code == "REVIEW_DECIDED"


def test_a_year_with_more_approvals_than_its_quota_does_not_run(region):
    both = "S02,expert_points,1,组,2027-06-01,x\nS03,expert_points,1,组,2027-06-01,x\n"
    folder = region(ANY, head="quota = 0.25\n", applied=TWO, decided=both)
    with pytest.raises(RegionError, match="over the quota of 1") as caught:
        compute(load_region(folder))
    assert (caught.value.code, caught.value.row, caught.value.value) == ("REVIEW_QUOTA", 2, "S03")


def test_a_stay_without_weight_has_no_coefficient(region):
    decided = "S04,coefficient,1.1,组,2027-06-01,x\n"
    folder = region(ANY, applied="S04,2027-05-01,x,,,\n", decided=decided)
    with pytest.raises(RegionError, match="no weight and coefficient"):
        compute(load_region(folder))


def test_files_without_rules_are_refused(folder):
    (folder / "special_review.csv").write_text(APPLIED, encoding="utf-8")
    with pytest.raises(RegionError, match="nothing would read this file"):
        load_region(folder)
    (folder / "special_review.csv").unlink()
    with pytest.raises(RegionError, match="has no special review"):
        list_reviews(folder)


@pytest.mark.parametrize(
    ("row", "code", "message"),
    [
        ("S02,eligible,2027-01-01,B2,x", "REVIEW_STATE", "recorded by the engine itself"),
        ("S02,lost,2027-01-01,B2,x", "REVIEW_CELL", "there is no such state"),
        ("S03,appealed,2027-01-01,B2,x", "REVIEW_UNKNOWN", "nothing was decided"),
    ],
)
def test_what_cannot_be_recorded(region, tmp_path, row, code, message):
    folder = region(COST, applied=TWO, decided="S02,refused,,组,2027-06-01,no\n")
    with pytest.raises(RegionError, match=message) as caught:
        record(folder, file_of(tmp_path, row + "\n", "setl_id,state,at,who,why\n"))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("S02,2027-13-01,x,,,", "this is no day"),
        ("S02,2027-01-01,,,,", "empty"),
        ("S02,2027-01-01,x,1h,,", "number"),
    ],
)
def test_applications_that_cannot_be_read(region, row, message):
    with pytest.raises(RegionError, match=message) as caught:
        load_region(region(COST, applied=row + "\n"))
    assert (caught.value.code, caught.value.row) == ("REVIEW_CELL", 1)

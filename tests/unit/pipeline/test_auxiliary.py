"""Auxiliary types in a year: measured and listed, explained again, and what cannot be."""

from __future__ import annotations

import polars as pl
import pytest

from cli.small import HISTORY, STAYS, stay, text_of
from fenzhi.errors import ConservationError, PolicyError, RegionError
from fenzhi.pipeline import auxiliary as auxiliary_
from fenzhi.pipeline import compute, explain_stay, run
from fenzhi.region import load_region

# Appendectomies of the history with diabetes cost 20,000, without 10,000: m = 15,000.
PAST = [
    stay(f"A{i}", "A1", "310", f"K35.800{more}", "47.0100", cost, "6000.00", discharged="2026-05-09")
    for more, cost in (("", "10000.00"), ("|E11.900", "20000.00"))
    for i in range(2 if more else 0, 4 if more else 2)
]
MEASURED = """[auxiliary]
comorbidity = "lists.csv"
min_cases = 4
min_level_cases = 2
[[auxiliary.families]]
name = "cci"
title = "CCI"
levels = [{ name = "some", cci_from = 1 }]
"""
LISTED = MEASURED.replace("[auxiliary]\n", '[auxiliary]\nsource = "listed"\n')
LISTS = "list,category,code,points\ncci,diabetes,E11,1\n"


@pytest.fixture
def rules(folder):
    """Let the small region follow the national policy with auxiliary types laid over."""

    def write(text: str = MEASURED) -> None:
        meta = '[meta]\nid = "small"\ntitle = "small"\nscheme = "dip"\nversion = "1"\nextends = "national-dip-3.0"\n'
        (folder / "policy.toml").write_text(meta + text, encoding="utf-8")
        region = (folder / "region.toml").read_text(encoding="utf-8")
        (folder / "region.toml").write_text(region.replace('"national-dip-3.0"', '"policy.toml"'), "utf-8")
        (folder / "lists.csv").write_text(LISTS, encoding="utf-8")
        rest = [line for line in HISTORY if "47.0100" not in line]
        (folder / "history" / "2026.csv").write_text(text_of([*PAST, *rest]), encoding="utf-8")
        (folder / "records" / "2027.csv").write_text(text_of(STAYS), encoding="utf-8")

    return write


def case(tables, setl_id: str) -> dict:
    return tables["cases"].filter(setl_id=setl_id, outcome="grouped").row(0, named=True)


def texts(folder, setl_id: str) -> dict[str, tuple[str, str]]:
    done = run(folder, reports=False)
    return {step.en: (step.formula, step.result) for step in explain_stay(done.folder, setl_id).steps}


# S01 has diabetes besides: 20,000 / 15,000 = 1.3333. S02 is in a group without such stays.
def test_measured_on_history(folder, rules):
    rules()
    tables, _ = compute(load_region(folder))
    row = case(tables, "S01")
    assert (row["auxiliary_family"], row["auxiliary_level"], row["auxiliary_e4"]) == ("cci", "some", 13_333)
    exact = row["rw_e4"] * row["coefficient_e4"] * 13_333
    assert row["points_base_e4"] == (2 * exact + 10**8) // (2 * 10**8)
    assert case(tables, "S02")["auxiliary_e4"] == 10_000
    found = tables["auxiliary"].filter(group_id="K35.8:47.0100")
    assert found.select("level", "cases", "mean_cost_fen", "coefficient_e4", "status").rows() == [
        ("some", 2, 2_000_000, 13_333, "chosen"),
        ("other", 2, 1_000_000, 6_667, "chosen"),
    ]


def test_explained_again(folder, rules):
    rules()
    found = texts(folder, "S01")
    text, value = found["auxiliary coefficient a"]
    assert text == "CCI: some: m_j 20,000.00 / m 15,000.00, 2 stays; CV 0.3333 -> 0.0000"
    assert value == "1.3333"
    assert found["points before deviation"][0].endswith(" x 1.3333")
    assert texts(folder, "S02")["auxiliary coefficient a"] == ("no coefficient for this stay: 1", "1.0000")


def test_listed_by_the_region(folder, rules):
    rules(LISTED)
    lines = (
        "group_id,family,level,coefficient,los_from\nK35.8:47.0100,cci,some,1.5,3\nK35.8:0,cci,other,0.8,\n"
    )
    (folder / "auxiliary.csv").write_text(lines, encoding="utf-8")
    found = texts(folder, "S01")
    assert found["auxiliary coefficient a"] == ("CCI: some; auxiliary.csv, the largest that fits", "1.5000")
    tables, _ = compute(load_region(folder))
    assert case(tables, "S02")["auxiliary_e4"] == 8_000
    assert tables["auxiliary"]["status"].to_list() == ["listed", "listed"]


def test_opening_values_use_the_same_coefficients(folder, rules):
    # Two stays of 4/3 and two of 2/3 earn what four of 1 earn: the opening value stays.
    rules()
    before = dict(compute(load_region(folder))[0]["pools"].select("pool", "opening_value_e4").iter_rows())
    rules(MEASURED.replace("min_cases = 4", "min_cases = 5"))
    after = dict(compute(load_region(folder))[0]["pools"].select("pool", "opening_value_e4").iter_rows())
    assert before["employee"] == pytest.approx(after["employee"], abs=2)


def test_a_replay_that_differs_is_an_error(folder, rules):
    # m_j / m is formed again from the costs and stays of the years: one fen elsewhere and it comes out differently.
    rules()
    done = run(folder, reports=False)
    row, table = case(done.tables, "S01"), done.tables["auxiliary"]
    policy, years = load_region(folder).policy, done.manifest["history_years"]

    def formed(case=row, table=table):
        return auxiliary_.auxiliary_formula(table, case, policy, years)

    assert formed().startswith("CCI: some: m_j 20,000.00 / m 15,000.00")
    changed = table.with_columns(pl.col("year_costs").str.replace("4000000/2", "4004000/2", literal=True))
    none = {**row, "auxiliary_family": None}
    listed = {**row, "auxiliary_e4": 13_334}
    for wrong in ({"table": changed}, {"case": none}, {"case": listed}):
        with pytest.raises(ConservationError, match="another auxiliary coefficient"):
            formed(**wrong)
    # The run's own column of coefficients does not matter: it is not read.
    assert formed(table=table.with_columns(coefficient_e4=pl.lit(1))) == formed()


def failed(folder, kind, match):
    with pytest.raises(kind, match=match) as caught:
        compute(load_region(folder))
    return caught.value


def test_lists_that_are_not_there(folder, rules):
    rules(MEASURED.replace("lists.csv", "elsewhere.csv"))
    error = failed(folder, PolicyError, "there are no such comorbidity lists")
    assert (error.code, error.value) == ("POLICY_COMORBIDITY", "elsewhere.csv")
    assert "demonstration" in error.remedy


def test_a_list_that_the_file_does_not_have(folder, rules):
    rules(MEASURED.replace("cci_from = 1", 'lists = ["severe"]'))
    error = failed(folder, PolicyError, "the comorbidity file has no such list")
    assert (error.code, error.value) == ("POLICY_COMORBIDITY", "severe")
    rules()
    (folder / "lists.csv").write_text("list,code\nsevere,R57\n", encoding="utf-8")
    assert failed(folder, PolicyError, "no such list").value == "cci"


def test_a_list_of_coefficients_and_a_policy_that_do_not_fit(folder, rules):
    rules(LISTED)
    assert failed(folder, RegionError, "auxiliary.csv, which lists none").code == "REGION_AUXILIARY"
    rules()
    (folder / "auxiliary.csv").write_text("group_id,family,level,coefficient\nK35.8:0,cci,some,1\n", "utf-8")
    assert failed(folder, RegionError, "the policy does not take them from there").value == "measured"


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        (",cci,some,1,,", "group_id", "this cell is empty"),
        ("G,,some,1,,", "family", "this cell is empty"),
        ("G,cci,,1,,", "level", "this cell is empty"),
        ("G,cci,some,,,", "coefficient", "this cell is empty"),
        ("G,cci,some,1.23456,,", "coefficient", "not a number of the expected form"),
        ("G,cci,some,-1,,", "coefficient", "not a number of the expected form"),
        ("G,cci,some,1,x,", "los_from", "not a number of the expected form"),
        ("G,cci,some,1,5,3", "los_upto", "not a number of the expected form"),
    ],
)
def test_a_cell_of_the_list_that_is_wrong(folder, row, field, message):
    text = f"group_id,family,level,coefficient,los_from,los_upto\nG,cci,some,1,,\n{row}\n"
    (folder / "auxiliary.csv").write_text(text, encoding="utf-8")
    error = failed(folder, RegionError, message)
    assert (error.code, error.row, error.field) == ("REGION_AUXILIARY", 2, field)

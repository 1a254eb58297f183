"""Every form of institution coefficient in a year on disk: worked by hand, explained again, refused where it cannot be.

History: level 3 (A1) 53,000 / 6 = 8,833.33, level 2 (B2) 29,000 / 6, M = 82,000 / 12 = 6,833.33: 1.2927 and 0.7073.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.small import GROUPS, HISTORY, stay, text_of
from fenzhi.errors import ConservationError, FenzhiError, PolicyError
from fenzhi.money import format_e4
from fenzhi.pipeline import compute, explain_stay, run
from fenzhi.pipeline.check import check_region
from fenzhi.pipeline.coefficients import coefficient_formula
from fenzhi.pipeline.replay import Paid
from fenzhi.pipeline.store import file_hashes
from fenzhi.region import load_region

BONUS = '[coefficients]\nform = "basic_bonus"\n[[coefficients.items]]\nname = "CMI"\nweight = 0.05\n'
PRODUCT = (
    '[coefficients]\nform = "product"\n[[coefficients.items]]\nname = "CMI"\ntitle = "病例组合"\ncap = 1.1\n'
)
LEVELS = '[coefficients.levels]\n"3" = 1.2\n"2" = 0.95\n'
GROUP = '[coefficients]\nform = "group"\nby = ["level"]\nlevel_order = ["2", "3"]\nmin_cases = 1\n'
VALUES = "A1,CMI,1.2\nB2,CMI,0.9\nC3,CMI,1\n"
H = "institution coefficient h"


def follow(folder: Path, section: str, values: str | None = None) -> Path:
    """Let the small region follow the national policy with a section laid over it, and write its bonuses."""
    head = '[meta]\nid = "own"\ntitle = "own"\nscheme = "dip"\nversion = "1"\nextends = "national-dip-3.0"\n'
    (folder / "policy.toml").write_text(head + section, encoding="utf-8")
    text = (folder / "region.toml").read_text(encoding="utf-8")
    (folder / "region.toml").write_text(text.replace('"national-dip-3.0"', '"policy.toml"'), "utf-8")
    if values is not None:
        (folder / "bonuses.csv").write_text(f"fixmedins_code,item,value\n{values}", encoding="utf-8")
    return folder


def coefficient(folder: Path, setl_id: str) -> tuple[str, str, str]:
    """Run the year and explain one of its stays: formula and result of its coefficient, and the section's source."""
    done = run(folder, reports=False)
    step = next(step for step in explain_stay(done.folder, setl_id).steps if step.en == H)
    case = done.tables["cases"].filter(setl_id=setl_id, outcome="grouped")
    case = case if case.height else done.tables["cases"].filter(setl_id=setl_id)
    assert step.result == format_e4(case["coefficient_e4"][0])
    assert case["points_base_e4"][0] == round(case["rw_e4"][0] * case["coefficient_e4"][0] / 10_000)
    return step.formula, step.result, step.cite


# 1.2927 + 1.2 x 0.05; B2 has 0.7073 + 0.9 x 0.05.
def test_basic_and_bonus(folder):
    follow(folder, BONUS, VALUES)
    assert coefficient(folder, "S01")[:2] == (
        "3|general: 1.2927 (8,833.33 / M 6,833.33) + CMI 0.06",
        "1.3527",
    )
    tables, facts = compute(load_region(folder))
    assert tables["hospitals"].filter(pool="resident")["coefficient_e4"].to_list() == [13_527, 7_523, 7_573]
    assert [entry["coefficient_e4"] for entry in facts["classes"]] == [7_073, 12_927]
    assert "bonuses.csv" in file_hashes(load_region(folder))


def test_a_bonus_may_be_negative_and_has_a_default(folder):
    follow(folder, f"{BONUS}default = 0.5\n", "A1,CMI,-0.5\n")
    assert coefficient(folder, "S01")[:2] == (
        "3|general: 1.2927 (8,833.33 / M 6,833.33) + CMI -0.025",
        "1.2677",
    )
    assert coefficient(folder, "S02")[:2] == (
        "2|general: 0.7073 (4,833.33 / M 6,833.33) + CMI 0.025",
        "0.7323",
    )


# 1.2 x min(1.2, 1.1) = 1.32, at most 1.3.
def test_a_product(folder):
    follow(folder, PRODUCT + LEVELS, VALUES)
    assert coefficient(folder, "S01")[:2] == ("level 3 1.2 x 病例组合 1.1", "1.3200")
    follow(folder, PRODUCT.replace("[[", "cap = 1.05\n[[", 1), VALUES)
    assert coefficient(folder, "S01")[:2] == ("病例组合 1.1; <= 1.05", "1.0500")


def test_a_coefficient_in_hospitals_csv_needs_no_values(folder, edit):
    follow(folder, PRODUCT, "B2,CMI,0.9\nC3,CMI,1\n")
    edit("hospitals.csv", "level,type\n", "level,type,coefficient\n")
    edit("hospitals.csv", "A1,第一医院,3,general", "A1,第一医院,3,general,1.25")
    edit("hospitals.csv", "B2,第二医院,2,general", "B2,第二医院,2,general,")
    edit("hospitals.csv", "C3,没有病例的医院,2,general", "C3,没有病例的医院,2,general,")
    assert coefficient(folder, "S01")[:2] == ("hospitals.csv", "1.2500")


# The appendectomies: A1 42,000 / 4 = 10,500, with one of B2 at 8,000 50,000 / 5 = 10,000: 1.05.
def test_per_group(folder):
    follow(folder, GROUP)
    more = stay("H99", "B2", "390", "K35.800", "47.0100", "8000.00", "2000.00", discharged="2026-06-09")
    (folder / "history" / "2026.csv").write_text(text_of([*HISTORY, more]), encoding="utf-8")
    assert coefficient(folder, "S01")[:2] == ("3 in the group: 10,500.00 / 10,000.00", "1.0500")
    # M = 90,000 / 13; level 2: 37,000 / 7: 0.76349.
    found = coefficient(folder, "S02")
    assert found[:2] == ("conservative; 2: 5,285.71 / M 6,923.08", "0.7635")
    table = compute(load_region(folder))[0]["class_coefficients"]
    assert table.filter(group_id="K35.8:47.0100").sort("class").rows() == [
        ("2", "K35.8:47.0100", 1, 800_000, 1_000_000, None, 8_000, "own", "small"),
        ("3", "K35.8:47.0100", 4, 1_050_000, 1_000_000, None, 10_500, "own", "small"),
    ]
    assert set(table.filter(group_id="K35-medical")["reason"]) == {"conservative"}


def test_per_group_with_too_few_stays_the_classes_coefficient_holds(folder):
    follow(folder, GROUP)
    assert coefficient(folder, "S01")[:2] == ("few_stays; 3: 8,833.33 / M 6,833.33", "1.2927")


def test_layers_may_be_exempt(folder):
    follow(folder, '[coefficients]\nexempt_layers = ["comprehensive"]\n')
    assert coefficient(folder, "S03")[:2] == ("comprehensive: 1", "1.0000")
    assert coefficient(folder, "S01")[1] == "1.2927"


@pytest.fixture
def grassroots(folder):
    """Make the appendectomy group a grassroots one."""
    lines = GROUPS.splitlines()
    marked = [f"{line},{'true' if 'K35.8:47' in line else ''}" for line in lines[1:]]
    text = "\n".join([f"{lines[0]},grassroots", *marked]) + "\n"
    (folder / "catalog" / "groups.csv").write_text(text, encoding="utf-8")
    return folder


def test_grassroots_groups_have_one_or_a_coefficient_of_their_own(grassroots):
    follow(grassroots, "")
    assert coefficient(grassroots, "S01")[:2] == ("grassroots: 1", "1.0000")
    follow(grassroots, '[grassroots]\ncite = "第九条"\nconfidence = "sample"\ncoefficient = 0.95\n')
    assert coefficient(grassroots, "S01") == ("grassroots: 0.95", "0.9500", "第九条 [sample]")
    follow(grassroots, "[coefficients]\ngrassroots_exempt = false\n")
    assert coefficient(grassroots, "S01")[1] == "1.2927"


def test_an_explanation_that_finds_another_coefficient_says_so(folder):
    follow(folder, BONUS, VALUES)
    done = run(folder, reports=False)
    case = {**done.tables["cases"].filter(setl_id="S01", outcome="grouped").row(0, named=True)}
    paid = Paid({**case, "coefficient_e4": 1}, done.folder, done.manifest, load_region(folder), {})
    group = {"grassroots": False, "layer": "basic"}
    with pytest.raises(ConservationError, match="other coefficient_e4 coefficient"):
        coefficient_formula(paid, group)


@pytest.mark.parametrize(
    ("section", "values", "code", "field", "value", "match"),
    [
        (BONUS, "A1,CMI,1\nA1,age,1\n", "REGION_BONUS_ITEM", "item", "age", "no such item"),
        (BONUS, "A1,CMI,1\nB2,CMI,1\n", "REGION_BONUS_MISSING", "fixmedins_code", "C3", "no value"),
        (BONUS, None, "REGION_BONUS_MISSING", "fixmedins_code", "A1", "asks for the item CMI"),
        (BONUS, "A1,CMI,1\nA1,CMI,2\n", "REGION_KEY", "item", "CMI", "A1 has this item twice"),
        (BONUS, "Z9,CMI,1\n", "REGION_KEY", "fixmedins_code", "Z9", "not listed in hospitals.csv"),
        (BONUS, "A1,CMI,1.23456\n", "REGION_NUMBER", "value", "1.23456", "number"),
        (BONUS, "A1,CMI,\n", "REGION_NUMBER", "value", None, "number"),
        (PRODUCT, "A1,CMI,-1\n", "REGION_NUMBER", "value", "-1", "must not be negative"),
        (PRODUCT + LEVELS.replace('"2"', '"1"'), VALUES, "REGION_LEVEL", "level", "2", "levels"),
        (GROUP.replace('"2", ', ""), None, "REGION_LEVEL", "level", "2", "level_order"),
    ],
)
def test_what_the_region_lacks_is_said_before_anything_runs(
    folder, section, values, code, field, value, match
):
    follow(folder, section, values)
    with pytest.raises(FenzhiError, match=match) as caught:
        load_region(folder)
    assert (caught.value.code, caught.value.field, caught.value.value) == (code, field, value)
    assert caught.value.remedy
    assert caught.value.file.endswith("hospitals.csv" if code == "REGION_LEVEL" else "bonuses.csv")


def test_a_layer_that_does_not_exist_is_found_by_check(folder):
    follow(folder, '[coefficients]\nexempt_layers = ["综合"]\n')
    with pytest.raises(PolicyError, match="no group of the catalogue lies in this layer") as caught:
        check_region(folder)
    assert (caught.value.code, caught.value.value) == ("POLICY_LAYER", "综合")


def test_the_file_may_have_another_name_and_is_left_alone_by_other_forms(folder):
    follow(folder, "", "A1,anything,1\n")
    assert load_region(folder).bonuses.is_empty()
    text = (folder / "region.toml").read_text(encoding="utf-8")
    (folder / "region.toml").write_text(
        text.replace("year = 2027", 'year = 2027\nbonuses = "加分.csv"'), "utf-8"
    )
    follow(folder, BONUS)
    (folder / "加分.csv").write_text(f"fixmedins_code,item,value\n{VALUES}", encoding="utf-8")
    assert load_region(folder).bonuses.height == 3

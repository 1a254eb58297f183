"""``fenzhi case``: the text, the JSON, that it agrees with the run, what is refused, and that it names nobody."""

from __future__ import annotations

import json
import shutil
from datetime import date

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from cli.small import PERSON_NAME, PERSON_NO
from cli.test_explain import unframed, words
from fenzhi.pipeline.case import score_cases
from fenzhi.pipeline.case_basis import region_basis
from fenzhi.records import read_stays
from fenzhi.region import load_region
from fenzhi.shipped import shipped_dir

HELD = """\
Explains and audits the codes that are given; never looks for codes that pay more.
principal diagnosis: K35.800
operations: 47.0100
effective main operation: 47.0100
candidate groups, in order of precedence
group layer name answer rule
K35.8:47.0100 basic 阑尾炎手术 wins main_diag=K35.8; treatment=operation; main_oprn=47.0100
K35.8:0 basic 阑尾炎保守 operations differ main_diag=K35.8; treatment=conservative
K35-medical comprehensive 阑尾炎内科诊疗组 operations differ main_diag=K35; treatment=medical
K35-surgery comprehensive 阑尾炎相关手术组 accepted main_diag=K35; treatment=surgery
points and the payment to expect
item figure
outcome grouped
group K35.8:47.0100
pool employee
cost priced by points 20,000.00
weight RW 1,536.5854
institution coefficient 1.2927
auxiliary coefficient 1.0000
points before deviation 1,986.3439
reference of the deviation test 10,500.01
deviation band normal
points 1,986.3439
point value 14.0000 (given)
payment standard to expect 27,808.81
payment standard minus cost 7,808.81
fund amount to expect, before assessment 20,022.35
distance to the limits of deviation
band (* = now) multiple from cost from cost to missing points follow points there
low cost 0.0000 0.00 5,250.00 -14,750.00 the actual cost 0.0000
* normal 0.5000 5,250.01 21,000.01 0.00 whole points 1,986.3439
high cost 2.0000 21,000.02 - 1,000.02 whole points, special review possible 1,986.3439
14,750.00 yuan above "low cost"; there: the actual cost.
Another 1,000.02 yuan until "high cost"; from there: whole points, special review possible.
distance to special review: the policy has no special review, or the case is not paid by disease
to look at again
kind what field value source
quality another diagnosis equals the principal one diag_codes K35.800 docs/reference/records.md
filling in a diagnosis is given twice diag_codes K35.800 settlement list, our wording
A hint is a reason to read the record again, not to add a diagnosis; payment plays no part in it.
"""
CASE = (
    "--hospital",
    "A1",
    "--diag",
    "K35.800|K35.800",
    "--oprn",
    "47.0100",
    "--sex",
    "1",
    "--age",
    "50",
    "--days",
    "6",
)


@pytest.fixture
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")


def answered(*args) -> dict:
    return json.loads(done("case", *args, "--json"))


@pytest.mark.usefixtures("wide")
def test_the_text_of_a_patient_still_in_hospital_is_worked_by_hand(small):
    """RW 1,536.5854 and h 1.2927 as in test_explain: 1,986.3439 points. x 14 = 27,808.8146 yuan; x 0.72 = 20,022.3465.

    Reference: 1,986.3439 x the opening value 5.2861 = 10,500.01; half of it 5,250.005, twice 21,000.02 (included).
    """
    said = fenzhi("case", small, *CASE, "--cost", "20000", "--value", "14", "--ratio", "0.72", "--lang", "en")
    assert (said.code, said.err) == (0, "")
    lines = [line for line in unframed(said.out).splitlines() if line.strip(" ─")]
    expected = HELD.splitlines()
    assert [words(line) for line in lines] == [words(line) for line in expected]


def test_the_chinese_text_says_what_it_is_for_and_how_far_it_is(small):
    text = done("case", small, *CASE, "--cost", "20000", "--value", "14")
    assert text.splitlines()[0] == "只解释和核对给定的编码,不寻找支付更高的编码。"
    assert "再增加 1,000.02 元进入“费用过高(可申请特例单议)”;从该处起:标准分值,可申请特例单议。" in text
    assert "提示只是请再看一遍病历的理由,不是增加诊断的理由;与支付多少无关。" in text


def test_options_a_file_and_the_record_itself_say_the_same(small, tmp_path):
    toml, other = tmp_path / "case.toml", tmp_path / "case.json"
    toml.write_text(
        'diag_codes = ["K35.800", "E11.900"]\noprn_codes = "47.0100"\ngend = 1\nage = 50\ninsutype = "310"\n'
        'act_ipt_days = 8\nmedfee_sumamt = 10500.00\nfixmedins_code = "A1"\nhifp_pay = 7000\n',
        encoding="utf-8",
    )
    given = {
        "diag_codes": ["K35.800", "E11.900"],
        "oprn_codes": ["47.0100"],
        "gend": 1,
        "age": 50,
        "act_ipt_days": 8,
    }
    other.write_text(json.dumps(given | {"medfee_sumamt": 10500.0, "hifp_pay": "7000"}), encoding="utf-8")
    options = ("--diag", "K35.800|E11.900", "--oprn", "47.0100", "--sex", "1", "--age", "50", "--days", "8")
    options = (*options, "--cost", "10500", "--booked", "7000", "--hospital", "A1")
    by_record = answered(small, "--setl-id", "S01")
    for found in (
        answered(small, *options),
        answered(small, "--file", toml),
        answered(small, "--file", other, "--hospital", "A1"),
    ):
        found["facts"][0]["setl_id"] = found["payment"][0]["setl_id"] = "S01"
        for row in found["limits"]:
            row["setl_id"] = "S01"
        assert found == by_record


def test_a_stay_of_a_run_is_priced_by_the_run(small_run):
    """1,986.3439 points x 14.3480 = 28,500.06; x 7,000 / 10,500 = 19,000.04; the run splits the fund: 19,000.00."""
    found = answered(small_run, "--setl-id", "S01")
    [paid] = found["payment"]
    assert (paid["point_value_e4"], paid["value_source"]) == (143_480, "settlement")
    assert (paid["standard_fen"], paid["fund_fen"], paid["run_payable_fen"]) == (
        2_850_006,
        1_900_004,
        1_900_000,
    )
    assert (paid["cost_fen"], paid["over_fen"]) == (1_050_000, 1_800_006)


def test_a_case_that_points_do_not_pay_says_why(small):
    [facts] = answered(small, "--setl-id", "S05")["facts"]
    assert (facts["outcome"], facts["reason"]) == ("excluded", "self_paying")
    assert answered(small, "--setl-id", "S05")["payment"] == []
    assert "不按病种付费" in done("case", small, "--setl-id", "S05")


def test_every_stay_of_the_demo_region_has_the_points_of_the_run(demo, demo_run):
    """One basis, all stays at once: what depends on no other stay is the run's, to the last digit."""
    region = load_region(demo)
    basis = region_basis(region, date(region.meta.year, 12, 31))
    stays = read_stays(
        demo / region.meta.records, columns=basis.columns, known=basis.known, quality=region.quality
    ).stays
    mine = score_cases(basis.take(stays), basis)
    cases = pl.read_parquet(demo_run / "cases.parquet").filter(~pl.col("outcome").is_in(["rejected"]))
    both = mine.join(cases, on="setl_id", suffix="_run").filter(pl.col("outcome_run") != "excluded")
    assert both.height > 2500
    for name in ("rw_e4", "coefficient_e4", "points_base_e4", "reference_fen"):
        assert both[name].equals(both[f"{name}_run"], null_equal=True), name
    alone = both.filter(pl.col("review").is_null() & pl.col("readmitted_days_run").is_null())
    assert alone["points_e4"].equals(alone["points_e4_run"], null_equal=True)
    assert alone["deviation"].equals(alone["deviation_run"], null_equal=True)


def test_a_stay_of_the_demo_run_has_its_distances_to_special_review(demo, demo_run):
    cases = pl.read_parquet(demo_run / "cases.parquet").filter(pl.col("deviation") == "normal")
    setl_id = cases.sort("cost_fen", descending=True)["setl_id"][0]
    found = answered(demo_run, "--setl-id", setl_id)
    assert {row["condition"] for row in found["reviews"]} >= {"cost_multiple", "los_above_days"}
    for row in found["reviews"]:
        assert row["holds"] == (row["missing"] == 0 if row["missing"] is not None else row["holds"])
    [facts] = found["facts"]
    [here] = [row for row in found["limits"] if row["inside"]]
    assert here["from_fen"] <= facts["cost_fen"] <= (here["upto_fen"] or facts["cost_fen"])


def test_published_weights_in_the_place_of_a_history(small, tmp_path):
    """A hospital's folder: no history, the agency's weights, its coefficient and opening value.

    1,500 x 1.05 = 1,575 points; reference 1,575 x 6.5 = 10,237.50; 1,575 x 6.5 = 10,237.50 is also the standard.
    """
    for name, old, new in (
        ("region.toml", 'history = ["history"]\nhistory_years = [2026]\n', ""),
        ("region.toml", 'id = "employee"\n', 'id = "employee"\nopening_value = 6.5\n'),
        (
            "hospitals.csv",
            "level,type\nA1,第一医院,3,general\n",
            "level,type,coefficient\nA1,第一医院,3,general,1.05\n",
        ),
        ("assessment.csv", "B2,0.98\n", ""),
        ("hospitals.csv", "B2,第二医院,2,general\nC3,没有病例的医院,2,general\n", ""),
    ):
        text = (small / name).read_text(encoding="utf-8")
        assert old in text
        (small / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    file = tmp_path / "weights.csv"
    file.write_text("group_id,weight\nK35.8:47.0100,1500\n", encoding="utf-8")
    case = ("--diag", "K35.800", "--oprn", "47.0100", "--sex", "2", "--cost", "9000")
    found = answered(small, *case, "--weights", file)
    assert (found["facts"][0]["points_e4"], found["facts"][0]["reference_fen"]) == (15_750_000, 1_023_750)
    assert (found["payment"][0]["standard_fen"], found["payment"][0]["over_fen"]) == (1_023_750, 123_750)
    assert found["payment"][0]["value_source"] == "opening"
    # The same in the folder itself: the published value and payment ratio are those of the answer.
    text = (small / "region.toml").read_text(encoding="utf-8")
    pools = "".join(
        f'[[published.pool]]\nid = "{one}"\nvalue = 8\npayment_ratio = 0.5\n'
        for one in ("employee", "resident")
    )
    shutil.copy(file, small / "weights.csv")
    (small / "region.toml").write_text(
        f'{text}\n[published]\nweights = "weights.csv"\nmean_cost = 6000\n{pools}', encoding="utf-8"
    )
    [paid] = answered(small, *case)["payment"]
    # 1,575 x 8 = 12,600.00, of which half is the fund's.
    assert (paid["value_source"], paid["standard_fen"], paid["fund_fen"]) == ("published", 1_260_000, 630_000)
    (small / "region.toml").write_text(text, encoding="utf-8")
    said = fenzhi("case", small, *case)
    assert said.err == (
        "[CASE_WEIGHTS] this folder has no history, so nothing says what a group is worth\n"
        f"  where: {small}/region.toml, field region.history\n"
        "  to do: give the published weights with --weights FILE (columns group_id, weight)\n"
    )


def test_a_catalogue_alone_groups_and_with_weights_pays(small, tmp_path):
    """Weight 1,500 x 1.1 = 1,650 points at 8.0000 yuan: 13,200.00, of which half is the fund's."""
    file = tmp_path / "weights.csv"
    file.write_text("group_id,weight\nK35.8:47.0100,1500\n", encoding="utf-8")
    case = ("--catalog", small / "catalog", "--diag", "K35.800", "--oprn", "47.0100")
    bare = answered(*case)
    assert bare["facts"][0]["group_id"] == "K35.8:47.0100"
    assert (bare["payment"], bare["limits"]) == ([], [])
    found = answered(
        *case, "--cost", "9000", "--weights", file, "--coefficient", "1.1", "--value", "8", "--ratio", "0.5"
    )
    assert found["payment"][0]["standard_fen"] == 1_320_000
    assert found["payment"][0]["fund_fen"] == 660_000


def test_a_drg_case(tmp_path):
    found = answered(
        "--catalog",
        "demonstration-drg",
        "--diag",
        "I21.900|J96.000",
        "--sex",
        "1",
        "--age",
        "60",
        "--days",
        "3",
    )
    assert found["facts"][0]["mdc"] is not None
    assert found["grouping"]["principal"] == "I21.900"


def test_codes_that_the_version_translated_or_dropped(small):
    (small / "map.csv").write_text("code,target\nK35.900,K35.800\n", encoding="utf-8")
    (small / "book.csv").write_text("code\nK35.800\n", encoding="utf-8")
    with (small / "region.toml").open("a", encoding="utf-8") as file:
        file.write('[codes]\ndiagnosis_map = "map.csv"\ndiagnosis_book = "book.csv"\n')
    case = (
        "--hospital",
        "A1",
        "--diag",
        "K35.900|E11.900",
        "--oprn",
        "54.5100",
        "--sex",
        "1",
        "--cost",
        "9000",
    )
    found = answered(small, *case)["findings"]
    assert [(row["check"], row["value"]) for row in found if row["kind"] == "code"] == [
        ("translated", "K35.900 -> K35.800"),
        ("unmapped", "E11.900"),
        ("not_in_book", "E11.900"),
        ("operation_unlisted", "54.5100"),
    ]


def test_nobody_is_named(small):
    for more in ((), ("--json",)):
        text = done("case", small, "--setl-id", "S01", *more)
        assert "S01" in text or not more
        assert PERSON_NO not in text
        assert PERSON_NAME not in text


REFUSED = [
    (
        ("--diag", "K35.800", "--cost", "1"),
        "[CASE_HOSPITAL] the region has several hospitals, and the case names none",
    ),
    (("--hospital", "Z9", "--diag", "K35.800"), "[CASE_HOSPITAL] the region has no hospital with this code"),
    (("--hospital", "A1"), "[CASE_RECORD] a case needs its diagnoses, the principal one first"),
    (("--hospital", "A1", "--diag", "K35.800", "--sex", "3"), "[CASE_RECORD] 性别应为1(男)或2(女)"),
    (
        ("--hospital", "A1", "--diag", "K35.800", "--cost", "1.234"),
        "[CASE_RECORD] 数字或日期无法读取(金额最多两位小数)",
    ),
    (("--setl-id", "S99"), "[CASE_MISSING] no row has that settlement id"),
    (("--setl-id", "S08"), "[CASE_MISSING] this row was rejected: cost_zero"),
]


@pytest.mark.parametrize(("args", "first"), REFUSED)
def test_refused_in_words(small, args, first):
    said = fenzhi("case", small, *args)
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[0] == first
    assert "to do: " in said.err


@pytest.mark.parametrize(
    ("text", "first", "field"),
    [
        ('psn_no = "P1"\n', "[CASE_COLUMN] a case names no person", "psn_no"),
        (
            'diag_code = "K35"\n',
            "[CASE_COLUMN] a stay has no such column; nearest is 'diag_codes'",
            "diag_code",
        ),
        ("diag_codes = [\n", None, None),
    ],
)
def test_a_file_that_cannot_be_a_case(small, tmp_path, text, first, field):
    file = tmp_path / "case.toml"
    file.write_text(text, encoding="utf-8")
    said = fenzhi("case", small, "--file", file)
    assert said.code == 2
    if first is None:
        assert said.err.startswith("[CASE_FILE] the case cannot be read: ")
    else:
        assert said.err.splitlines()[0] == first
        assert f"field {field}" in said.err
    assert "P1" not in said.err


@pytest.mark.parametrize(
    "args",
    [
        ("--diag", "K35"),
        ("DIR", "--catalog", "demonstration-3.0"),
        ("DIR", "--setl-id", "S01", "--cost", "1"),
        ("DIR", "--hospital", "A1", "--diag", "K35.800", "--value", "-1"),
        ("DIR", "--hospital", "A1", "--diag", "K35.800", "--ratio", "much"),
    ],
)
def test_wrong_usage(small, args):
    said = fenzhi("case", *(small if one == "DIR" else one for one in args))
    assert said.code == 2
    assert "Error: " in said.err


def test_a_changed_input_of_a_run_is_refused(small):
    done("run", small, "--no-reports")
    with (small / "hospitals.csv").open("a", encoding="utf-8") as file:
        file.write("D4,新医院,1,general\n")
    said = fenzhi("case", runs_of(small)[0], "--setl-id", "S01")
    assert (said.code, said.err.split("]")[0]) == (2, "[RUN_STALE")


def test_a_policy_of_the_other_scheme_is_refused(small):
    said = fenzhi("case", "--catalog", small / "catalog", "--policy", "national-drg", "--diag", "K35.800")
    assert (said.code, said.err.splitlines()[0]) == (
        2,
        "[POLICY_SCHEME] the policy is for drg, the catalogue for dip",
    )


def test_a_drg_catalogue_brings_its_own_weights(tmp_path):
    """Weight 1.2345 x coefficient 1 at 8,000.00 yuan: 9,876.00, of which 0.7 is the fund's: 6,913.20."""
    book = tmp_path / "drg"
    shutil.copytree(shipped_dir() / "drg" / "demonstration-drg", book)
    (book / "weights.csv").write_text("drg,weight\nFR01,1.2345\n", encoding="utf-8")
    case = ("--diag", "I21.900|J96.000", "--sex", "1", "--age", "60", "--days", "3", "--cost", "9000")
    found = answered("--catalog", book, *case, "--value", "8000", "--ratio", "0.7")
    [facts], [paid] = found["facts"], found["payment"]
    assert (facts["group_id"], facts["rw_e4"], facts["points_e4"]) == ("FR01", 12_345, 12_345)
    assert (paid["standard_fen"], paid["fund_fen"], paid["over_fen"]) == (987_600, 691_320, 87_600)

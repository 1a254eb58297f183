"""Every rule of quality control fires where it should, alone, with field, value and message; severities."""

import resource
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from fenzhi.records import RULES, Known, QualityRules, StaysRead, read_stays, rule_message

from .clean import texts

KNOWN = Known(
    hospitals={"H360400001"},
    diagnoses={"K35.800", "I10.x00", "O80.000", "N81.100", "C50.900", "N40.x00", "P22.000", "C61.x00"},
    operations={"47.0100", "45.2300"},
)
WOMAN, MAN = {"gend": "2"}, {"gend": "1"}

# What spoils a clean row: rule, changes, field, value.
CASES: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("key_missing", {"setl_id": " "}, "setl_id", None),
    (
        "refund_without_original",
        {"medfee_sumamt": "-8000.00", "drug_fee": "-9200.00"},
        "medfee_sumamt",
        "-8000.00",
    ),
    ("unreadable", {"medfee_sumamt": "80OO"}, "medfee_sumamt", "80OO"),
    ("unreadable", {"medfee_sumamt": "8000.005"}, "medfee_sumamt", "8000.005"),
    ("unreadable", {"dscg_time": "2027-02-30"}, "dscg_time", "2027-02-30"),
    ("unreadable", {"act_ipt_days": "7.5"}, "act_ipt_days", "7.5"),
    ("unreadable", {"age": "fifty"}, "age", "fifty"),
    ("unreadable", {"vent_used_dura": "3 days"}, "vent_used_dura", "3 days"),
    ("unreadable", {"oprn_fees": "12x0"}, "oprn_fees", "12x0"),
    ("principal_missing", {"diag_codes": None}, "diag_codes", None),
    ("principal_missing", {"diag_codes": "|I10.x00"}, "diag_codes", None),
    ("discharge_missing", {"dscg_time": None}, "dscg_time", None),
    ("dates_reversed", {"dscg_time": "2027-02-27", "act_ipt_days": None}, "dscg_time", "2027-02-27 00:00:00"),
    ("cost_missing", {"medfee_sumamt": None}, "medfee_sumamt", None),
    (
        "cost_zero",
        dict.fromkeys(("medfee_sumamt", "fund_pay_sumamt", "psn_pay_sumamt", "drug_fee", "oprn_fee"), "0.00"),
        "medfee_sumamt",
        "0.00",
    ),
    ("hospital_missing", {"fixmedins_code": None}, "fixmedins_code", None),
    ("hospital_unknown", {"fixmedins_code": "H999"}, "fixmedins_code", "H999"),
    ("sex_invalid", {"gend": "9"}, "gend", "9"),
    ("sex_invalid", {"gend": "女"}, "gend", "女"),
    ("age_range", {"age": "131"}, "age", "131"),
    ("age_range", {"age": "-1"}, "age", "-1"),
    ("los_negative", {"act_ipt_days": "-2"}, "act_ipt_days", "-2"),
    ("sex_missing", {"gend": None}, "gend", None),
    ("age_missing", {"age": None}, "age", None),
    ("newborn_age_range", {"age": "0", "nwb_age": "366"}, "nwb_age", "366"),
    ("newborn_weight_missing", {"age": None, "nwb_age": "28"}, "nwb_adm_wt", "28"),
    ("diagnosis_unknown", {"diag_codes": "K35.800|X1|I10.x00|X2"}, "diag_codes", "X1|X2"),
    ("operation_unknown", {"oprn_codes": "99.9999"}, "oprn_codes", "99.9999"),
    ("sex_diagnosis", {"diag_codes": "O80.000"} | MAN, "diag_codes", "O80.000"),
    ("sex_diagnosis", {"diag_codes": "N81.100"} | MAN, "diag_codes", "N81.100"),
    ("sex_diagnosis", {"diag_codes": "N40.x00"} | WOMAN, "diag_codes", "N40.x00"),
    ("sex_diagnosis", {"diag_codes": "C61.x00"} | WOMAN, "diag_codes", "C61.x00"),
    ("age_diagnosis", {"diag_codes": "P22.000", "age": "1"}, "diag_codes", "P22.000"),
    ("diagnosis_repeated", {"diag_codes": "K35.800|I10.x00|K35.800"}, "diag_codes", "K35.800"),
    ("main_operation_unclear", {"oprn_codes": "|47.0100"}, "oprn_codes", "47.0100"),
    ("oprn_fees_length", {"oprn_codes": "47.0100|45.2300"}, "oprn_fees", "1"),
    ("payers_mismatch", {"psn_pay_sumamt": "3000.02"}, "medfee_sumamt", "8000.02"),
    ("items_mismatch", {"drug_fee": "6800.02"}, "medfee_sumamt", "8000.02"),
    ("los_dates", {"act_ipt_days": "9"}, "act_ipt_days", "9"),
    ("los_dates", {"act_ipt_days": "5"}, "act_ipt_days", "5"),
    ("discharge_way_unknown", {"dscg_way": "7"}, "dscg_way", "7"),
    ("discharge_way_unknown", {"dscg_way": "home"}, "dscg_way", "home"),
]
# These need more than one row or the three tables; they have tests of their own.
ELSEWHERE = {"duplicate_key", "refund_exceeds_original", "principal_ambiguous", "operation_date"}


def _found(read: StaysRead) -> list[tuple[Any, ...]]:
    both = pl.concat([read.rejected, read.warnings]).sort("row_idx")
    return both.select("row_idx", "rule", "severity", "field", "value").rows()


def test_every_rule_has_a_case_and_two_messages() -> None:
    assert {case[0] for case in CASES} | ELSEWHERE == {rule.code for rule in RULES}
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert len({rule.zh for rule in RULES}) == len({rule.en for rule in RULES}) == len(RULES)
    assert rule_message("cost_zero") == "医疗费总额为零"
    assert rule_message("cost_zero", "en") == "the total cost is zero"


@pytest.mark.parametrize(("rule", "changes", "field", "value"), CASES)
def test_a_rule_fires_alone(rule: str, changes: dict[str, Any], field: str, value: str | None) -> None:
    read = read_stays(texts({}, changes, {}), known=KNOWN)
    severity = next(r.severity for r in RULES if r.code == rule)
    expected = [(1, rule, severity, field, value)]
    if rule == "refund_without_original":
        # Half of a negative row is compared with a negative total: the payers cannot fit either.
        assert expected[0] in _found(read)
    else:
        assert _found(read) == expected
    assert read.stays["setl_id"].to_list() == (["S1", "S3"] if severity == "error" else ["S1", "S2", "S3"])
    assert read.rows_in == 3


def test_what_is_within_tolerance_is_silent() -> None:
    fine = [
        {"psn_pay_sumamt": "3000.01"},
        {"act_ipt_days": "8"},
        {"act_ipt_days": "6"},
        {"age": "130"},
        {"age": "0"},
        {"age": "0", "nwb_age": "29"},
        {"age": "0", "nwb_age": "3", "nwb_adm_wt": "2950"},
        {"diag_codes": "P22.000", "age": "0"},
        {"diag_codes": "O80.000"} | WOMAN,
        {"diag_codes": "C50.900"} | MAN,
        {"dscg_time": "2027-03-01 08:00:00", "act_ipt_days": "1"},
    ]
    assert _found(read_stays(texts(*fine), known=KNOWN)) == []


def test_tolerances_are_settings() -> None:
    frame = texts({"psn_pay_sumamt": "3000.01"}, {"act_ipt_days": "8"})
    strict = QualityRules(tolerance_fen=0, los_tolerance_days=0)
    assert [row[1] for row in _found(read_stays(frame, quality=strict))] == ["payers_mismatch", "los_dates"]
    loose = QualityRules(tolerance_fen=5000, los_tolerance_days=3)
    frame = texts({"psn_pay_sumamt": "3050.00"}, {"act_ipt_days": "10"})
    assert _found(read_stays(frame, quality=loose)) == []


def test_other_funds_may_stand_inside_or_beside_all_funds() -> None:
    beside = texts({"fund_pay_sumamt": "4000.00"}).with_columns(othfund_pay=pl.lit("1000.00"))
    inside = texts({}).with_columns(othfund_pay=pl.lit("1000.00"))
    neither = texts({"fund_pay_sumamt": "4500.00"}).with_columns(othfund_pay=pl.lit("1000.00"))
    assert _found(read_stays(beside)) == _found(read_stays(inside)) == []
    assert [row[1] for row in _found(read_stays(neither))] == ["payers_mismatch"]


def test_with_all_other_items_the_items_must_reach_the_total() -> None:
    items = texts({}).with_columns(oth_fee=pl.lit("4799.90"))
    less = texts({}).with_columns(oth_fee=pl.lit("4799.00"))
    assert _found(read_stays(items)) == []
    assert [row[1:] for row in _found(read_stays(less))] == [
        ("items_mismatch", "warning", "medfee_sumamt", "7999.10")
    ]


def test_severity_is_a_setting() -> None:
    frame = texts({"diag_codes": "K35.800|K35.800"}, {"medfee_sumamt": "0"}, {"gend": "9"}, {})
    quality = QualityRules(
        severity={
            "diagnosis_repeated": "error",
            "cost_zero": "off",
            "sex_invalid": "warning",
            "payers_mismatch": "off",
        }
    )
    frame = frame.with_columns(drug_fee=pl.lit("0"), oprn_fee=pl.lit("0"))
    read = read_stays(frame, quality=quality)
    assert _found(read) == [
        (0, "diagnosis_repeated", "error", "diag_codes", "K35.800"),
        (2, "sex_invalid", "warning", "gend", "9"),
    ]
    assert read.stays["setl_id"].to_list() == ["S2", "S3", "S4"]
    # A warning made an error holds in narrow readings too.
    assert read_stays(frame, quality=quality, needs="grouping").rejected["rule"].to_list() == [
        "diagnosis_repeated"
    ]


def test_settings_are_checked() -> None:
    with pytest.raises(ValidationError, match="there is no rule 'cost_zer'; nearest is 'cost_zero'"):
        QualityRules(severity={"cost_zer": "off"})
    with pytest.raises(ValidationError):
        QualityRules.model_validate({"tolerance": 3})


def test_a_row_with_several_faults_lists_all_and_counts_once() -> None:
    frame = texts({"gend": "3", "age": "200", "medfee_sumamt": "abc", "dscg_time": "?", "dscg_way": "8"}, {})
    read = read_stays(frame, quality=QualityRules(language="en"))
    assert read.rejected.select("rule", "field", "message").rows() == [
        (
            "unreadable",
            "dscg_time",
            "a number or date that cannot be read (amounts have at most two decimals)",
        ),
        (
            "unreadable",
            "medfee_sumamt",
            "a number or date that cannot be read (amounts have at most two decimals)",
        ),
        ("sex_invalid", "gend", "sex must be 1 (male) or 2 (female)"),
        ("age_range", "age", "age must lie between 0 and 130 years"),
    ]
    assert read.warnings["rule"].to_list() == ["discharge_way_unknown"]
    assert (read.rejected_rows, read.stays.height, read.rows_in) == (1, 1, 2)
    assert read.summary.rows() == [
        ("age_range", "error", "H360400001", 1),
        ("sex_invalid", "error", "H360400001", 1),
        ("unreadable", "error", "H360400001", 1),
        ("discharge_way_unknown", "warning", "H360400001", 1),
    ]


def test_later_rows_of_a_key_are_rejected() -> None:
    frame = texts(
        {"setl_id": "A"},
        {"setl_id": "B"},
        {"setl_id": "A"},
        {"setl_id": "A"},
        {"setl_id": None},
        {"setl_id": None},
    )
    read = read_stays(frame)
    assert _found(read) == [
        (2, "duplicate_key", "error", "setl_id", "A"),
        (3, "duplicate_key", "error", "setl_id", "A"),
        (4, "key_missing", "error", "setl_id", None),
        (5, "key_missing", "error", "setl_id", None),
    ]
    assert read.stays["row_idx"].to_list() == [0, 1]


def test_absent_columns_give_no_warnings() -> None:
    frame = texts(
        {}, drop=("gend", "age", "nwb_bir_wt", "nwb_adm_wt", "act_ipt_days", "psn_pay_sumamt", "adm_time")
    )
    read = read_stays(frame.with_columns(nwb_age=pl.lit("3")))
    assert _found(read) == []
    assert read.stays.select("gend", "age", "nwb_age", "act_ipt_days").row(0) == (None, 0, 3, None)


def test_unreadable_switched_off_leaves_the_value_unknown() -> None:
    read = read_stays(texts({"medfee_sumamt": "x"}), quality=QualityRules(severity={"unreadable": "off"}))
    assert [row[1] for row in _found(read)] == ["cost_missing"]


def test_no_person_is_named() -> None:
    frame = texts({"gend": "x", "age": "y", "medfee_sumamt": "z", "diag_codes": None}).with_columns(
        psn_name=pl.lit("王小明")
    )
    read = read_stays(frame)
    assert not any("P1" in str(v) or "王小明" in str(v) for row in read.rejected.rows() for v in row)


def test_long_lists_of_known_codes_are_not_repeated_for_every_row() -> None:
    frame = pl.concat([texts({})] * 20_000).with_columns(setl_id=pl.int_range(20_000).cast(pl.String))
    many = [f"X{i}" for i in range(3_000)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = read_stays(frame, known=Known(["H360400001", *many], ["K35.800", *many], ["47.0100", *many]))
    assert set(read.warnings["rule"]) == {"diagnosis_unknown"}
    # One list of 3,000 codes for each row would take 60 million texts, about a gigabyte (figures in kB).
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000

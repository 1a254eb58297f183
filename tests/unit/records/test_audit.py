"""Checks of a record: each row of the shipped table fires on a record that deserves it, and on no clean one."""

from __future__ import annotations

import polars as pl
import pytest

from fenzhi.errors import InputError
from fenzhi.records.audit import audit, read_checks

SCHEMA = {
    "setl_id": pl.String,
    "diag_codes": pl.List(pl.String),
    "oprn_codes": pl.List(pl.String),
    "oprn_fees_fen": pl.List(pl.Int64),
    "age": pl.Int16,
    "nwb_age": pl.Int32,
    "nwb_bir_wt": pl.Int32,
    "dscg_way": pl.Int8,
    "vent_hours": pl.Float64,
    "icu_hours": pl.Float64,
    "oprn_fee_fen": pl.Int64,
}


def record(diagnoses="K35.800|E11.900", operations="47.0100", **more) -> pl.DataFrame:
    row = {
        "setl_id": "S",
        "diag_codes": diagnoses.split("|"),
        "oprn_codes": [one for one in operations.split("|") if one],
        "age": 50,
        "dscg_way": 1,
    } | more
    return pl.DataFrame([row], schema=SCHEMA)


def found(stays: pl.DataFrame, kinds=None) -> set[str]:
    return set(audit(stays, read_checks(), kinds)["check"])


FIRING = {
    "symptom_principal": record("R50.900"),
    "cause_principal": record("W01.000|S72.000"),
    "agent_principal": record("B95.600"),
    "outcome_principal": record("Z37.000"),
    "extent_principal": record("T31.200|T24.200"),
    "history_principal": record("Z85.300"),
    "therapy_without_tumour": record("Z51.100|I10.x00"),
    "delivery_without_outcome": record("O80.000", "73.5900"),
    "ventilated_no_failure": record("J18.900", "96.7101", vent_hours=30.5),
    "ventilated_no_operation": record("J96.000", "", vent_hours=30.5),
    "ventilation_no_hours": record("J96.000", "96.7201"),
    "newborn_no_weight": record("P22.000", nwb_age=28, age=0),
    "newborn_no_days": record("P22.000", age=0),
    "transfused_no_reason": record("K80.100", "99.0400"),
    "dialysed_no_failure": record("I10.x00", "39.9500"),
    "chemotherapy_no_tumour": record("I10.x00", "99.2500"),
    "intensive_one_diagnosis": record("J18.900", icu_hours=5.0),
    "died_one_diagnosis": record("J18.900", dscg_way=5),
    "operation_fee_no_code": record(operations="", oprn_fee_fen=100),
}
SILENT = {
    "symptom_principal": record("K35.800|R50.900"),
    "extent_principal": record("T31.200"),
    "therapy_without_tumour": record("Z51.100|C34.900"),
    "delivery_without_outcome": record("O80.000|Z37.000", "73.5900"),
    "ventilated_no_failure": record("J18.900|J96.000", "96.7101", vent_hours=30.5),
    "ventilated_no_operation": record("J96.000", "96.7101", vent_hours=0.0),
    "ventilation_no_hours": record("J96.000", "96.7201", vent_hours=3.0),
    "newborn_no_weight": record("P22.000", nwb_age=29, age=0),
    "newborn_no_days": record("P22.000", nwb_age=3, nwb_bir_wt=3000, age=0),
    "transfused_no_reason": record("K80.100|D62.x00", "99.0400"),
    "dialysed_no_failure": record("N18.900", "39.9500"),
    "chemotherapy_no_tumour": record("C34.900", "99.2500"),
    "intensive_one_diagnosis": record("J18.900|I10.x00", icu_hours=5.0),
    "died_one_diagnosis": record("J18.900", dscg_way=9),
    "operation_fee_no_code": record(oprn_fee_fen=100),
}


def test_every_check_of_the_table_has_its_example():
    assert list(FIRING) == read_checks()["id"].to_list()


@pytest.mark.parametrize("check", FIRING)
def test_each_check_fires(check):
    assert check in found(FIRING[check])


@pytest.mark.parametrize("check", SILENT)
def test_each_check_can_be_silent(check):
    assert check not in found(SILENT[check])


def test_a_clean_record_has_no_finding():
    assert found(record(), {"47.0100": "surgery"}) == set()


def test_a_finding_says_field_value_and_whose_rule_it_is():
    [row] = audit(FIRING["ventilated_no_operation"], read_checks()).rows(named=True)
    assert row == {
        "setl_id": "S",
        "kind": "hint",
        "check": "ventilated_no_operation",
        "field": "vent_hours",
        "value": "30.5",
        "zh": "有呼吸机使用时长而没有机械通气操作编码:请核对病历",
        "en": "ventilator hours are given without an operation code of ventilation: check the record",
        "source": "ours",
    }


def test_codes_given_twice():
    table = audit(record("K35.800|E11.900|E11.900", "47.0100|54.5100|47.0100"), read_checks())
    assert table.select("check", "field", "value").rows() == [
        ("diagnosis_twice", "diag_codes", "E11.900"),
        ("operation_twice", "oprn_codes", "47.0100"),
    ]


KINDS = {"45.2300": "diagnostic", "47.0100": "surgery", "99.1500": "therapeutic"}


@pytest.mark.parametrize(
    ("operations", "value"),
    [
        ("45.2300|47.0100", "47.0100"),
        ("45.2300|99.1500|47.0100", "99.1500|47.0100"),
        ("47.0100|45.2300", None),
        ("45.2300|88.0100", None),
        ("45.2300", None),
    ],
)
def test_what_treats_comes_before_what_finds_out(operations, value):
    table = audit(record(operations=operations), read_checks(), KINDS).filter(
        pl.col("check") == "diagnostic_first"
    )
    assert table["value"].to_list() == ([] if value is None else [value])


@pytest.mark.parametrize(
    ("fees", "fires"), [([100_00, 200_00], True), ([200_00, 200_00], False), (None, False)]
)
def test_the_main_operation_is_as_a_rule_the_dearest(fees, fires):
    table = audit(record(operations="47.0100|45.2300", oprn_fees_fen=fees), read_checks())
    assert table["check"].to_list() == (["dearer_operation"] if fires else [])
    if fires:
        assert table["value"].to_list() == ["100|200"]


def test_many_stays_at_once_in_any_order():
    rows = pl.concat([one.with_columns(setl_id=pl.lit(name)) for name, one in FIRING.items()])
    table = audit(rows, read_checks())
    again = audit(rows.reverse(), read_checks())
    assert table.sort(table.columns).equals(again.sort(table.columns))
    assert {name for name in FIRING if (name, name) in table.select("setl_id", "check").rows()} == set(FIRING)


def test_columns_that_the_source_lacks_have_no_value():
    bare = FIRING["ventilation_no_hours"].select("setl_id", "diag_codes", "oprn_codes")
    assert found(bare) == {"ventilation_no_hours"}


HEAD = f"{','.join(read_checks().columns)}\n"


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ("a,guess,R,,,,,,,,,,,x,x,", "kind"),
        ("a,hint,,,,,,,,,,,,x,x,", "id"),
        ("a,hint,,,,,,,,icu_hours,many,,,x,x,", "above"),
        ("a,hint,R,,,,,,,,1,,,x,x,", "above"),
        ("a,hint,R,,,,,,,,,,,,x,", "zh"),
    ],
)
def test_a_faulty_table_is_refused_by_row_and_field(tmp_path, cells, field):
    file = tmp_path / "checks.csv"
    file.write_text(HEAD + "b,hint,R,,,,,,,,,,,x,x,\n" + cells + "\n", encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_checks(file)
    assert (raised.value.code, raised.value.row, raised.value.field) == ("CASE_CHECKS", 2, field)

"""Texts and types: exact money, dates in the usual forms, ages with a unit, lists."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhi.errors import InputError
from fenzhi.records import ColumnMap, read_stays
from fenzhi.records.convert import parse_dates, to_fen, to_hours
from fenzhi.records.lists import clean_codes

from .clean import texts, typed


def _fen(values: list[Any], dtype: pl.DataType, decimals: int = 2) -> list[int | None]:
    frame = pl.DataFrame({"x": values}, schema={"x": dtype})
    return frame.select(to_fen(pl.col("x"), dtype, decimals)).to_series().to_list()


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("12.34", 1234),
        ("0.1", 10),
        ("-3", -300),
        ("+4.1", 410),
        ("12.3400", 1234),
        (".5", 50),
        ("99999999999999.99", 9_999_999_999_999_999),
        ("12.345", None),
        ("12,34", None),
        ("1,234.50", None),
        ("abc", None),
        ("nan", None),
    ],
)
def test_amounts_in_text_are_exact(text: str, fen: int | None) -> None:
    assert _fen([text], pl.String()) == [fen]


def test_amounts_in_other_types() -> None:
    assert _fen([12.34, 0.1 + 0.2, 12.345, float("nan"), float("inf"), -0.01], pl.Float64()) == [
        1234,
        30,
        None,
        None,
        None,
        -1,
    ]
    assert _fen([12, -3], pl.Int64()) == [1200, -300]
    assert _fen([Decimal("12.34")], pl.Decimal(16, 2)) == [1234]
    assert _fen([Decimal("12.3")], pl.Decimal(16, 1)) == [1230]
    assert _fen([Decimal("12.3400"), Decimal("12.3450")], pl.Decimal(16, 4)) == [1234, None]
    assert _fen(["1234", "12.5"], pl.String(), 0) == [1234, None]
    assert _fen([1234.0, 12.5], pl.Float64(), 0) == [1234, None]


@settings(deadline=None)
@given(st.integers(-(10**15), 10**15))
def test_text_and_decimal_money_never_lose_a_fen(fen: int) -> None:
    yuan = Decimal(fen) / 100
    assert _fen([f"{yuan:.2f}"], pl.String()) == [fen]
    assert _fen([yuan], pl.Decimal(20, 2)) == [fen]


@settings(deadline=None)
@given(st.integers(-(10**11), 10**11))
def test_float_money_is_right_up_to_a_thousand_million_yuan(fen: int) -> None:
    assert _fen([fen / 100], pl.Float64()) == [fen]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2027-03-01 08:05:09", datetime(2027, 3, 1, 8, 5, 9)),
        ("2027-03-01", datetime(2027, 3, 1)),
        ("2027-03-01T08:05:09", datetime(2027, 3, 1, 8, 5, 9)),
        ("2027-03-01 08:05", datetime(2027, 3, 1, 8, 5)),
        ("2027-03-01 08:05:09.250", datetime(2027, 3, 1, 8, 5, 9, 250000)),
        ("2027/3/1", datetime(2027, 3, 1)),
        ("2027/03/01 08:05:09", datetime(2027, 3, 1, 8, 5, 9)),
        ("20270301", datetime(2027, 3, 1)),
        ("20270301080509", datetime(2027, 3, 1, 8, 5, 9)),
        ("2027-13-01", None),
        ("01.03.2027", None),
        ("45678", None),
    ],
)
def test_dates_in_the_usual_forms(text: str, time: datetime | None) -> None:
    # Beside another form, because the forms are tried in turn on what is left.
    parsed = parse_dates(pl.Series([text, None, "2027-05-05 00:00:00"]))
    assert parsed.to_list() == [time, None, datetime(2027, 5, 5)]


def test_given_date_formats() -> None:
    assert parse_dates(pl.Series(["201908", "201913"]), "%Y%m").to_list() == [datetime(2019, 8, 1), None]
    assert parse_dates(pl.Series(["01.03.2027"]), "%d.%m.%Y").to_list() == [datetime(2027, 3, 1)]


def test_durations() -> None:
    frame = pl.DataFrame({"x": ["1/13/24", "0/0/30", "1/13", "x", None, "37.5", "-1"]})
    hours = [37.4, 0.5, None, None, None, 37.5, None]
    assert frame.select(to_hours(pl.col("x"))).to_series().to_list() == hours


@pytest.mark.parametrize("given", [37.5, "37.5", "1/13/30"])
def test_hours_of_intensive_care_by_their_plain_name(given: object) -> None:
    frame = texts({}).with_columns(icu_hours=pl.Series([given]))
    assert read_stays(frame, needs="grouping").stays["icu_hours"].to_list() == [37.5]


def test_a_stay_in_text_and_in_types_is_the_same() -> None:
    changes: list[dict[str, Any]] = [{}, {"age": None, "nwb_age": "3", "nwb_adm_wt": "2950"}]
    text = read_stays(texts(*changes, drop=("oprn_fees",))).stays
    good = read_stays(typed(*changes)).stays
    assert text.equals(good)
    assert good.row(0, named=True) | {"source_file": ""} == {
        "row_idx": 0,
        "setl_id": "S1",
        "source_file": "",
        "source_row": 1,
        "psn_no": "P1",
        "fixmedins_code": "H360400001",
        "insutype": "390",
        "insu_admdvs": "360402",
        "gend": 2,
        "age": 54,
        "nwb_age": None,
        "nwb_bir_wt": None,
        "nwb_adm_wt": None,
        "adm_time": datetime(2027, 3, 1, 8),
        "dscg_time": datetime(2027, 3, 8, 10, 30),
        "act_ipt_days": 7,
        "dscg_way": 1,
        "med_type": "21",
        "diag_codes": ["K35.800", "I10.x00"],
        "oprn_codes": ["47.0100"],
        "tcm_diag_codes": [],
        "vent_hours": 0.0,
        "icu_hours": 37.5,
        "medfee_sumamt_fen": 800000,
        "hifp_pay_fen": 500000,
        "fund_pay_sumamt_fen": 500000,
        "psn_pay_sumamt_fen": 300000,
        "excl_pay_sumamt_fen": None,
        "drug_fee_fen": 200010,
        "oprn_fee_fen": 120000,
    }


def test_numbers_with_decimals() -> None:
    frame = texts(
        {"age": "54.9", "act_ipt_days": "7.0", "nwb_adm_wt": "2950.50"}, {"age": "54.9 ", "gend": "2.0"}
    )
    read = read_stays(frame)
    assert read.rejected.height == 0
    assert read.stays.select("age", "act_ipt_days", "nwb_adm_wt", "gend").rows() == [
        (54, 7, 2950, 2),
        (54, 7, None, 2),
    ]


@pytest.mark.parametrize(
    ("given", "admitted", "left", "days"),
    [
        ("12", "2027-03-01", "2027-03-03", 12),
        (None, "2027-03-01 23:59:00", "2027-03-03 00:01:00", 2),
        (None, "2027-03-01", "2027-03-01", 1),
        ("0", "2027-03-01", "2027-03-01", 1),
        (None, None, "2027-03-01", None),
    ],
)
def test_length_of_stay(given: str | None, admitted: str | None, left: str, days: int | None) -> None:
    read = read_stays(texts({"act_ipt_days": given, "adm_time": admitted, "dscg_time": left}))
    assert read.stays["act_ipt_days"].to_list() == [days]


def test_infants_have_age_zero() -> None:
    assert read_stays(texts({"age": None, "nwb_age": "200"})).stays.select("age", "nwb_age").row(0) == (
        0,
        200,
    )


def test_ages_with_a_unit() -> None:
    cmap = ColumnMap.model_validate(
        {
            "age": {
                "value": "N",
                "unit": "U",
                "units": {"D": "days", "M": "months", "Y": "years", "C": "years+100"},
            }
        }
    )
    pairs = [
        ("3", "D"),
        ("400", "D"),
        ("1", "M"),
        ("11", "M"),
        ("14", "M"),
        ("0", "Y"),
        ("61", "Y"),
        ("7", "C"),
    ]
    frame = texts(*[{} for _ in pairs], {}, {}, {}, drop=("age", "nwb_age")).with_columns(
        N=pl.Series([n for n, _ in pairs] + ["x", "5", None]),
        U=pl.Series([u for _, u in pairs] + ["Y", "?", None]),
    )
    read = read_stays(frame, columns=cmap, needs="grouping")
    # 1 month = 365 // 12 = 30 days, 11 months = 4015 // 12 = 334 days; 400 days and 14 months are one year.
    assert read.stays.select("age", "nwb_age").rows() == [
        (0, 3),
        (1, None),
        (0, 30),
        (0, 334),
        (1, None),
        (0, None),
        (61, None),
        (107, None),
        (None, None),
    ]
    assert read.rejected.select("rule", "field", "value").rows() == [
        ("unreadable", "age", "x (Y)"),
        ("unreadable", "age", "5 (?)"),
    ]


@pytest.mark.parametrize(
    ("column", "codes", "first"),
    [
        (pl.Series([["A", "B"], [], None]), [["A", "B"], [], []], [True, False, False]),
        (
            pl.Series(["A|B", "A, B ,C", "A，B", "", None]),
            [["A", "B"], ["A", "B", "C"], ["A", "B"], [], []],
            None,
        ),
        (
            pl.Series([["", "B"], [None, "B"], [" A ", "B\t", " "]]),
            [["B"], ["B"], ["A", "B"]],
            [False, False, True],
        ),
        (pl.Series([["A"]], dtype=pl.List(pl.Categorical)), [["A"]], [True]),
        (pl.Series([["A", "B"]], dtype=pl.Array(pl.String, 2)), [["A", "B"]], [True]),
    ],
)
def test_code_lists(column: pl.Series, codes: list[list[str]], first: list[bool] | None) -> None:
    out = clean_codes({"d": column}, {}, {})
    assert out["d"].to_list() == codes
    assert out["d"].dtype == pl.List(pl.String)
    assert out["_first|d"].to_list() == (first or [bool(c) for c in codes])


def test_codes_without_dot_and_null_tokens() -> None:
    column = pl.Series([["F200", "I64", "0000", "A01.1"], ["0000", "I10"]])
    out = clean_codes({"d": column}, {"d": ["0000"]}, {"d": 3})
    assert out["d"].to_list() == [["F20.0", "I64", "A01.1"], ["I10"]]
    assert out["_first|d"].to_list() == [True, False]


def test_costs_of_operations_fit_the_operations_or_are_left_out() -> None:
    frame = texts(
        {"oprn_codes": "47.0100|45.2300", "oprn_fees": "1200.5|300"},
        {"oprn_codes": "47.0100|45.2300", "oprn_fees": "1200.5"},
        {"oprn_codes": "47.0100|45.2300", "oprn_fees": "1200.5|x"},
    )
    read = read_stays(frame)
    assert read.stays["oprn_fees_fen"].to_list() == [[120050, 30000], None]
    assert read.rejected.select("rule", "value").rows() == [("unreadable", "1200.5|x")]
    lists = typed({}, {}).with_columns(oprn_fees=pl.Series([[12.5], [12.345]]))
    read = read_stays(lists)
    assert read.stays["oprn_fees_fen"].to_list() == [[1250]]
    assert read.rejected.select("rule", "value").rows() == [("unreadable", "12.345")]


@pytest.mark.parametrize(
    ("column", "series", "message"),
    [
        (
            "diag_codes",
            pl.Series([358]),
            "the column diag_codes has the type Int64; diag_codes needs a list of text, or text joined by |",
        ),
        (
            "oprn_codes",
            pl.Series([[47.01]]),
            "the column oprn_codes has the type List(Float64); oprn_codes needs a list of text, or text joined by |",
        ),
        ("setl_id", pl.Series([1.0]), "the column setl_id has the type Float64; setl_id needs text"),
        (
            "medfee_sumamt",
            pl.Series([1.5], dtype=pl.Float32),
            "the column medfee_sumamt has the type Float32; medfee_sumamt needs a number"
            " (amounts: decimal or 64-bit) or text",
        ),
        (
            "dscg_time",
            pl.Series([20270301]),
            "the column dscg_time has the type Int64; dscg_time needs a date, a time or text",
        ),
        (
            "vent_used_dura",
            pl.Series([date(2027, 1, 1)]),
            "the column vent_used_dura has the type Date; vent_used_dura needs hours, or text days/hours/minutes",
        ),
    ],
)
def test_wrong_types_are_named(column: str, series: pl.Series, message: str) -> None:
    frame = typed({}).with_columns(series.alias(column))
    with pytest.raises(InputError) as caught:
        read_stays(frame)
    assert (caught.value.code, caught.value.field, caught.value.message) == (
        "RECORDS_COLUMN_TYPE",
        column,
        message,
    )
    assert caught.value.remedy == "write the column in that type; codes are always text"


def test_whole_numbers_as_text_are_noticed() -> None:
    read = read_stays(typed({}).with_columns(setl_id=pl.Series([7])))
    assert read.stays["setl_id"].to_list() == ["7"]
    assert read.notices == ("frame: setl_id holds numbers; read as text, leading zeros cannot be restored",)


def test_local_time_is_never_shifted() -> None:
    frame = typed({}).with_columns(
        pl.col("dscg_time").dt.replace_time_zone("Asia/Shanghai"), pl.lit(date(2027, 3, 1)).alias("adm_time")
    )
    read = read_stays(frame)
    assert read.stays.select("adm_time", "dscg_time").row(0) == (
        datetime(2027, 3, 1),
        datetime(2027, 3, 8, 10, 30),
    )
    assert read.notices == (
        "frame: dscg_time has the time zone Asia/Shanghai; its clock times are taken as local",
    )


def written(**codes: object) -> ColumnMap:
    return ColumnMap.model_validate({"codes": {"as_written": True, **codes}})


def test_codes_as_written_keep_blanks_and_places() -> None:
    frame = texts({"diag_codes": "K35.800 |k36", "oprn_codes": "|47.0100", "age": "40"})
    stays = read_stays(frame, columns=written(), needs="grouping").stays
    assert stays["diag_codes"].to_list() == [["K35.800 ", "k36"]]
    assert stays["oprn_codes"].to_list() == [["", "47.0100"]]
    tidied = read_stays(frame, needs="grouping").stays
    assert tidied["oprn_codes"].to_list() == [["47.0100"]]


def test_as_written_a_blank_principal_is_still_missing() -> None:
    read = read_stays(texts({"diag_codes": " |K36"}), columns=written(), needs="grouping")
    assert read.rejected["rule"].to_list() == ["principal_missing"]


def test_as_written_a_given_length_of_stay_of_zero_stays() -> None:
    read = read_stays(texts({"act_ipt_days": "0"}), columns=written(), needs="grouping")
    assert read.stays["act_ipt_days"].to_list() == [0]


def test_an_empty_age_may_be_said_to_be_missing() -> None:
    infant = texts({"age": "", "nwb_age": "9"})
    missing = ColumnMap.model_validate({"empty_age_is_infant": False})
    assert read_stays(infant, needs="grouping").stays["age"].to_list() == [0]
    assert read_stays(infant, columns=missing, needs="grouping").stays["age"].to_list() == [None]


def test_a_mapping_that_rewrites_codes_is_not_as_written() -> None:
    frame = texts({"diag_codes": " K35800", "oprn_codes": "|470100"})
    stays = read_stays(frame, columns=written(undotted_diagnoses=True), needs="grouping").stays
    assert stays["diag_codes"].to_list() == [["K35.800"]]

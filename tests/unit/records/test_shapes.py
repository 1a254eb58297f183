"""Flat, wide and three tables give the same stays."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fenzhi.errors import InputError
from fenzhi.records import ColumnMap, StaysRead, read_stays

from .clean import texts

SETL = pl.DataFrame(
    {
        "setl_id": ["A", "B", "C"],
        "fixmedins_code": ["H1", "H1", "H2"],
        "gend": ["1", "2", "2"],
        "age": ["40", "50", "60"],
        "adm_time": ["2027-03-01", "2027-03-02", "2027-03-03"],
        "dscg_time": ["2027-03-05", "2027-03-09", "2027-03-04"],
        "wm_dise_code": ["R10.400"] * 3,  # the outpatient clinic's diagnosis: not the principal one
    }
)
DISE = pl.DataFrame(
    [
        ("A", "2", "I10.x00", "0"),
        ("A", "1", "K35.800", "1"),
        ("A", "3", "BNP000", "1"),
        ("A", "4", "ZYVXA0", "0"),
        ("B", "1", "N20.100", "1"),
        ("B", "2", None, "0"),
        ("C", "2", "I10.x00", "0"),
        ("X", "1", "I10.x00", "1"),
    ],
    schema=["setl_id", "diag_type", "diag_code", "maindiag_flag"],
    orient="row",
)
OPRN = pl.DataFrame(
    [
        ("A", "54.1100", "0", "2027-03-02"),
        ("A", "47.0100", "1", "2027-03-01"),
        ("B", "56.0x00", "0", "2027-03-10"),
        ("B", "57.3200", "0", "2027-03-03"),
    ],
    schema=["setl_id", "oprn_oprt_code", "main_oprn_flag", "oprn_oprt_date"],
    orient="row",
)
ITEM = pl.DataFrame({"setl_id": ["A", "A", "B", "C"], "amt": ["800.00", "200.50", "99.99", "10"]})
PAY = pl.DataFrame({"setl_id": ["A", "A", "B"], "fund_payamt": ["500.00", "100.25", "60"]})
ICU = pl.DataFrame(
    {
        "setl_id": ["A", "A", "B"],
        "scs_cutd_sum_dura": ["1/2/30", "0/1/0", None],
        "scs_cutd_inpool_time": [None, None, "2027-03-02 10:00:00"],
        "scs_cutd_exit_time": [None, None, "2027-03-02 12:15:00"],
    }
)


def _folder(path: Path, form: str = "csv", **tables: pl.DataFrame) -> Path:
    path.mkdir(exist_ok=True)
    for name, frame in tables.items():
        if form == "csv":
            frame.write_csv(path / f"{name}.csv")
        else:
            frame.write_parquet(path / f"{name}.parquet")
    return path


def _all(path: Path, form: str = "csv", **changed: pl.DataFrame) -> Path:
    tables = {
        "setlinfo": SETL,
        "diseinfo": DISE,
        "oprninfo": OPRN,
        "iteminfo": ITEM,
        "payinfo": PAY,
        "icuinfo": ICU,
    }
    return _folder(path, form, **(tables | changed))


def _rules(read: StaysRead) -> list[tuple[Any, ...]]:
    both = pl.concat([read.rejected, read.warnings]).sort("row_idx", maintain_order=True)
    return both.select("setl_id", "rule", "field", "value").rows()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_three_tables(tmp_path: Path, form: str) -> None:
    read = read_stays(_all(tmp_path / "t", form))
    # C has no principal diagnosis; B has no main operation and one after discharge.
    assert _rules(read) == [
        ("B", "main_operation_unclear", "oprn_codes", "56.0x00"),
        ("B", "operation_date", "oprn_oprt_date", "2027-03-10"),
        ("C", "principal_missing", "diag_codes", None),
    ]
    assert read.stays.select(
        "setl_id",
        "diag_codes",
        "tcm_diag_codes",
        "oprn_codes",
        "medfee_sumamt_fen",
        "fund_pay_sumamt_fen",
        "icu_hours",
        "act_ipt_days",
        "source_row",
    ).rows() == [
        (
            "A",
            ["K35.800", "I10.x00"],
            ["BNP000", "ZYVXA0"],
            ["47.0100", "54.1100"],
            100050,
            60025,
            27.5,
            4,
            1,
        ),
        ("B", ["N20.100"], [], ["56.0x00", "57.3200"], 9999, 6000, 2.25, 7, 2),
    ]
    assert read.stays["source_file"].cast(pl.String).unique().to_list() == [f"setlinfo.{form}"]
    assert read.notices == (
        f"{tmp_path / 't' / f'setlinfo.{form}'}: setl_id of the other tables without a row here: 1",
    )


def test_without_flags_the_type_of_diagnosis_tells(tmp_path: Path) -> None:
    read = read_stays(
        _all(
            tmp_path / "t",
            diseinfo=DISE.drop("maindiag_flag"),
            oprninfo=OPRN.drop("main_oprn_flag", "oprn_oprt_date"),
        )
    )
    assert read.stays["diag_codes"].to_list() == [["K35.800", "I10.x00"], ["N20.100"]]
    assert read.stays["oprn_codes"].to_list()[0] == ["54.1100", "47.0100"]
    with pytest.raises(InputError, match="the column maindiag_flag is missing"):
        read_stays(_all(tmp_path / "u", diseinfo=DISE.drop("maindiag_flag", "diag_type")))


def test_two_principals_are_rejected_but_the_same_twice_is_one(tmp_path: Path) -> None:
    again = pl.concat([DISE, DISE.filter(pl.col("setl_id") == "A")])
    assert read_stays(_all(tmp_path / "t", diseinfo=again)).stays["diag_codes"].to_list()[0] == [
        "K35.800",
        "I10.x00",
    ]
    two = DISE.with_columns(
        pl.when(pl.col("setl_id") == "A").then(pl.lit("1")).otherwise("maindiag_flag").alias("maindiag_flag")
    )
    read = read_stays(_all(tmp_path / "u", diseinfo=two))
    assert ("A", "principal_ambiguous", "diag_codes", "I10.x00|K35.800") in _rules(read)


def test_items_beside_a_total_are_compared(tmp_path: Path) -> None:
    setl = SETL.with_columns(medfee_sumamt=pl.Series(["1000.50", "100.99", "10"]))
    read = read_stays(_all(tmp_path / "t", setlinfo=setl))
    assert ("B", "items_mismatch", "medfee_sumamt", "99.99") in _rules(read)
    assert read.stays["medfee_sumamt_fen"].to_list() == [100050, 10099]
    # setlinfo's own amounts win.
    fund = setl.with_columns(fund_pay_sumamt=pl.lit("1"))
    assert read_stays(_all(tmp_path / "u", setlinfo=fund)).stays["fund_pay_sumamt_fen"].to_list() == [
        100,
        100,
    ]


def test_unreadable_parts_reject_the_stay(tmp_path: Path) -> None:
    read = read_stays(
        _all(
            tmp_path / "t",
            iteminfo=ITEM.with_columns(amt=pl.Series(["800.00", "x", "99.99", "10"])),
            icuinfo=ICU.with_columns(scs_cutd_sum_dura=pl.Series(["1/2/30", "0/1/0", "long"])),
            oprninfo=OPRN.with_columns(
                oprn_oprt_date=pl.Series(["2027-03-02", "soon", "2027-03-04", "2027-03-03"])
            ),
        )
    )
    assert [row for row in _rules(read) if row[1] in ("unreadable", "operation_date")] == [
        ("A", "unreadable", "amt", "x"),
        ("A", "operation_date", "oprn_oprt_date", "soon"),
        ("B", "unreadable", "scs_cutd_sum_dura", "long"),
    ]


def test_narrow_readings_of_three_tables(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "t", setlinfo=SETL, diseinfo=DISE, oprninfo=OPRN)
    read = read_stays(folder, needs="grouping")
    assert read.stays["setl_id"].to_list() == ["A", "B"]
    assert read.warnings.height == 0
    with pytest.raises(InputError, match="the column medfee_sumamt is missing") as caught:
        read_stays(folder, needs="weights")
    assert caught.value.file == str(folder / "setlinfo.csv")


def test_hospital_side_names_and_mapped_child_tables(tmp_path: Path) -> None:
    folder = _folder(
        tmp_path / "t",
        t_setlinfo=SETL.rename({"setl_id": "SID"}),
        t_setlinfo_diseinfo=DISE.rename({"setl_id": "SID", "diag_code": "CODE"}).with_columns(
            maindiag_flag=pl.when(pl.col("maindiag_flag") == "1").then(pl.lit("Y")).otherwise(pl.lit("N"))
        ),
        t_setlinfo_iteminfo=ITEM.rename({"setl_id": "SID"}),
    )
    cmap = ColumnMap.model_validate(
        {"columns": {"setl_id": "SID", "diag_code": "CODE"}, "values": {"maindiag_flag": {"Y": "1"}}}
    )
    read = read_stays(folder, columns=cmap)
    assert read.stays.select("setl_id", pl.col("diag_codes").list.first()).rows() == [
        ("A", "K35.800"),
        ("B", "N20.100"),
    ]


@pytest.mark.parametrize(
    ("tables", "code", "message"),
    [
        ({"setlinfo": SETL}, "RECORDS_TABLE_MISSING", "the table diseinfo is missing"),
        ({"diseinfo": DISE}, "RECORDS_TABLE_MISSING", "the table setlinfo is missing"),
        (
            {"setlinfo": SETL, "diseinfo": DISE, "t_diseinfo": DISE},
            "RECORDS_TABLE_TWICE",
            "the table diseinfo is there twice",
        ),
        (
            {"setlinfo": SETL, "diseinfo": DISE, "stays": texts({})},
            "RECORDS_MIXED_SHAPES",
            "this file and the tables setlinfo, diseinfo, oprninfo lie in one folder",
        ),
        (
            {"setlinfo": SETL, "diseinfo": DISE.rename({"diag_code": "diagcode"})},
            "RECORDS_COLUMN_MISSING",
            "the column diag_code is missing; nearest is 'diagcode'",
        ),
    ],
)
def test_incomplete_tables_are_named(
    tmp_path: Path, tables: dict[str, pl.DataFrame], code: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_stays(_folder(tmp_path / "t", **tables), needs="grouping")
    assert (caught.value.code, caught.value.message) == (code, message)
    assert caught.value.remedy


def test_codes_as_numbers_in_child_tables(tmp_path: Path) -> None:
    numbers = OPRN.with_columns(oprn_oprt_code=pl.lit(47.01))
    with pytest.raises(InputError) as caught:
        read_stays(_all(tmp_path / "t", "parquet", oprninfo=numbers))
    assert (caught.value.code, caught.value.field) == ("RECORDS_COLUMN_TYPE", "oprn_oprt_code")


def test_wide() -> None:
    frame = texts({}, {}, {}, drop=("diag_codes", "oprn_codes", "oprn_fees")).with_columns(
        wm_dise_code=pl.Series(["K35.800", None, "N20.100"]),
        wm_dise_code_10=pl.Series(["Z99.900", None, None]),
        wm_dise_code_2=pl.Series(["I10.x00", "I10.x00", " "]),
        oprn_oprt_code=pl.Series(["47.0100", None, None]),
        oprn_oprt_code_1=pl.Series([None, None, "56.0x00"]),
    )
    read = read_stays(frame)
    assert read.stays.select("setl_id", "diag_codes", "oprn_codes").rows() == [
        ("S1", ["K35.800", "I10.x00", "Z99.900"], ["47.0100"]),
        ("S3", ["N20.100"], ["56.0x00"]),
    ]
    assert _rules(read) == [
        ("S2", "principal_missing", "diag_codes", None),
        ("S3", "main_operation_unclear", "oprn_codes", "56.0x00"),
    ]


def test_beside_diag_codes_the_clinics_diagnosis_is_not_read() -> None:
    read = read_stays(texts({}).with_columns(wm_dise_code=pl.lit("R10.400")))
    assert read.stays["diag_codes"].to_list() == [["K35.800", "I10.x00"]]


def test_other_names_and_capitals() -> None:
    frame = texts({}).rename({"insu_admdvs": "INSUPLC", "act_ipt_days": "ipt_days", "setl_id": " SETL_ID "})
    frame = frame.with_columns(hifp_payamt=pl.lit("1"), hi_type=pl.lit("310"))
    read = read_stays(frame)
    # An exact name goes before another name of the same thing.
    assert read.stays.select("setl_id", "insu_admdvs", "act_ipt_days", "hifp_pay_fen", "insutype").rows() == [
        ("S1", "360402", 7, 500000, "390")
    ]
    assert read.notices == ("frame: columns not used: hifp_payamt, hi_type",)


def test_amounts_in_fen_keep_their_unit() -> None:
    frame = texts({}, drop=("medfee_sumamt",)).with_columns(medfee_sumamt_fen=pl.lit(800_000))
    assert read_stays(frame).stays["medfee_sumamt_fen"].to_list() == [800_000]

"""Official results 3605 / 3606: encodings, types, void and repeated rows, foreign names, errors."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from fenzhi.errors import InputError
from fenzhi.records.official import OfficialMap, load_official_columns, read_official

DRG = """\
setl_id,psn_no,DRG_CODG,drg_name,mdc_codg,grp_ver,grp_time,vali_flag
S1,P1,BR21,脑缺血,MDCB,1.1,2027-01-02 10:00:00,1
S1,P1,BR23,脑缺血,MDCB,1.1,2027-01-03 09:00:00,1
S1,P1,BR25,脑缺血,MDCB,1.1,2027-01-04 09:00:00,0
S2,P2,,,,1.0,2027-01-02,1
,P3,BR21,脑缺血,MDCB,1.1,2027-01-02,1
"""
DIP = """\
setl_id,psn_name,dip_dise_grp_code,grp_stas,grp_dise_sco,nuld_flag
S1,张三,K35.8:0,1,561.2,0
S2,李四,K35.8:0,1,561.2,1
S3,王五,,0,,
"""


def _write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def _excel(path: Path, text: str) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for at, line in enumerate(text.splitlines()):
            sheet.write_row(at, 0, line.split(","))
    return path


def _parquet(path: Path, text: str) -> Path:
    frame = pl.read_csv(text.encode(), infer_schema=False)
    # As a database exports them: flags are whole numbers, times are times, scores are decimals.
    typed = [
        pl.col(name).cast(pl.Int8) for name in ("vali_flag", "nuld_flag", "grp_stas") if name in frame.columns
    ]
    if "grp_dise_sco" in frame.columns:
        typed.append(pl.col("grp_dise_sco").cast(pl.Decimal(16, 2)))
    if "grp_time" in frame.columns:
        days = pl.col("grp_time").str.slice(0, 10).str.to_date()
        typed.append(days.dt.combine(pl.col("grp_time").str.slice(11).replace("", "00:00:00").str.to_time()))
    frame.with_columns(typed).write_parquet(path)
    return path


def _all(folder: Path, text: str) -> list[Path]:
    return [
        _write(folder / "utf8.csv", text),
        _write(folder / "gb.csv", text, "gb18030"),
        _excel(folder / "sheet.xlsx", text),
        _parquet(folder / "table.parquet", text),
    ]


def test_drg_results_of_every_format(tmp_path):
    for path in _all(tmp_path, DRG):
        read = read_official(path, "drg")
        # 5 rows: one void, one without key, one older than another of its settlement.
        assert (read.rows_in, read.void_rows, read.keyless_rows, read.superseded_rows) == (5, 1, 1, 1), path
        rows = read.results.select("setl_id", "drg_codg", "mdc_codg", "grp_time", "place_drg_codg").rows()
        assert rows == [
            ("S1", "BR23", "MDCB", datetime(2027, 1, 3, 9), None),
            ("S2", None, None, datetime(2027, 1, 2), None),
        ], path
        assert read.versions == ("1.0", "1.1")
        assert not {"psn_no", "psn_name"} & set(read.results.columns)


def test_dip_results_of_every_format(tmp_path):
    for path in _all(tmp_path, DIP):
        read = read_official(path, "dip")
        assert (read.rows_in, read.void_rows, read.results.height) == (3, 1, 2), path
        assert read.results.select("setl_id", "dip_dise_grp_code", "grp_stas", "grp_dise_sco_e4").rows() == [
            ("S1", "K35.8:0", "1", 5_612_000),
            ("S3", None, "0", None),
        ], path


def test_a_folder_of_files_and_equal_times_the_later_row_counts(tmp_path):
    _write(tmp_path / "1.csv", "setl_id,dip_dise_grp_code\nS1,A\nS2,A\n")
    _write(tmp_path / "2.csv", "setl_id,dip_dise_grp_code\nS1,B\n")
    read = read_official(tmp_path, "dip")
    rows = read.results.select("setl_id", "dip_dise_grp_code", "source_file", "source_row").rows()
    assert rows == [("S1", "B", "2.csv", 1), ("S2", "A", "1.csv", 2)]
    assert read.superseded_rows == 1


def test_a_row_with_a_time_counts_before_one_without(tmp_path):
    text = "setl_id,drg_codg,grp_time\nS1,NEW,2027-01-02\nS1,OLD,\n"
    assert read_official(_write(tmp_path / "o.csv", text), "drg").results["drg_codg"].to_list() == ["NEW"]


def test_what_cannot_be_read_is_said_and_counts_as_not_given(tmp_path):
    text = "setl_id,dip_dise_grp_code,grp_dise_sco\nS1,A,12.34567\nS2,A,many\nS3,A,12.3456\n"
    read = read_official(_write(tmp_path / "o.csv", text), "dip")
    assert read.results["grp_dise_sco_e4"].to_list() == [None, None, 123_456]
    assert read.notices == (
        f"{tmp_path / 'o.csv'}: grp_dise_sco could not be read in 2 rows and counts as not given",
    )


def test_foreign_names_by_a_mapping_file(tmp_path):
    source = _write(tmp_path / "o.csv", "流水号,分组,作废\nS1,A,否\nS2,B,是\n")
    text = '[columns]\nsetl_id = "流水号"\ndip_dise_grp_code = "分组"\nnuld_flag = "作废"\n'
    text += '[values.nuld_flag]\n"是" = "1"\n"否" = "0"\n[constants]\ngrp_ver = "3.0"\n'
    columns = load_official_columns(_write(tmp_path / "map.toml", text))
    read = read_official(source, "dip", columns)
    assert read.results["dip_dise_grp_code"].to_list() == ["A"]
    assert (read.void_rows, read.versions) == (1, ("3.0",))


@pytest.mark.parametrize(
    ("text", "scheme", "code", "field"),
    [
        ("setl_id,dip_dise_grp_code\nS1,A\n", "drg", "RECORDS_OFFICIAL_SCHEME", None),
        ("setl_id,drg_codg\nS1,A\n", "dip", "RECORDS_OFFICIAL_SCHEME", None),
        ("drg_codg\nA\n", "drg", "RECORDS_COLUMN_MISSING", "setl_id"),
        ("setl_id,drg_code\nS1,A\n", "drg", "RECORDS_COLUMN_MISSING", "drg_codg"),
        ("setl_id,drg_codg,vali_flag\nS1,A,1\nS2,A,是\n", "drg", "RECORDS_OFFICIAL_FLAG", "vali_flag"),
        ("setl_id,drg_codg,setl_id\nS1,A,S1\n", "drg", "RECORDS_COLUMN_TWICE", "setl_id"),
    ],
)
def test_errors_say_what_and_where(tmp_path, text, scheme, code, field):
    with pytest.raises(InputError) as caught:
        read_official(_write(tmp_path / "o.csv", text), scheme)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert caught.value.file == str(tmp_path / "o.csv")
    assert caught.value.remedy
    if code == "RECORDS_OFFICIAL_FLAG":
        assert (caught.value.row, caught.value.value) == (2, "是")


def test_codes_that_excel_holds_as_numbers_are_an_error(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "o.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["setl_id", "dip_dise_grp_code"])
        sheet.write_row(1, 0, ["S1", 12])
    with pytest.raises(InputError) as caught:
        read_official(tmp_path / "o.xlsx", "dip")
    assert caught.value.code == "RECORDS_EXCEL_NUMBER"


def test_codes_as_numbers_in_parquet_must_be_whole(tmp_path):
    pl.DataFrame({"setl_id": ["S1"], "drg_codg": [1.5]}).write_parquet(tmp_path / "o.parquet")
    with pytest.raises(InputError) as caught:
        read_official(tmp_path / "o.parquet", "drg")
    assert caught.value.code == "RECORDS_COLUMN_TYPE"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[columns", "MAPPING_SYNTAX"),
        ("[column]\nsetl_id = 'x'\n", "MAPPING_UNKNOWN_KEY"),
        ("[columns]\nsetl_id = 3\n", "MAPPING_VALUE"),
        ("[columns]\ndrg_code = 'x'\n", "MAPPING_VALUE"),
        (None, "MAPPING_MISSING"),
    ],
)
def test_errors_of_mapping_files(tmp_path, text, code):
    path = tmp_path / "map.toml"
    if text is not None:
        _write(path, text)
    with pytest.raises(InputError) as caught:
        load_official_columns(path)
    assert (caught.value.code, caught.value.file) == (code, str(path))


def test_a_mapping_names_a_column_that_is_not_there(tmp_path):
    source = _write(tmp_path / "o.csv", "流水号,分组\nS1,A\n")
    with pytest.raises(InputError, match="nearest is '流水号'") as caught:
        read_official(source, "dip", OfficialMap(columns={"setl_id": "流水"}))
    assert caught.value.code == "MAPPING_SOURCE_MISSING"

"""``fenzhi group``: one result row per input row, in input order, whatever the file."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from cli.calls import done, fenzhi
from cli.small import CATALOG, GROUPS, HEADER, OPERATIONS, STAYS, text_of

COLUMNS = ["setl_id", "outcome", "scheme", "layer", "group_id", "status", "reason", "mdc", "adrg", "drg"]
OK, NONE, BAD = "分组成功", "无法入组", "信息校验不通过"
GROUPING_ONLY = """\
setl_id,gend,age,diag_codes,oprn_codes
a1,1,50,K35.800|E11.900,47.0100
a2,2,50,K35.800,
,1,50,K35.800,
a4,1,50,,47.0100
a5,1,50,I10.x00,
a2,2,50,K35.800,
a7,7,50,K35.800,
a8,1,50,K35.900,
"""
EXPECTED = [
    ("a1", "grouped", "dip", "basic", "K35.8:47.0100", OK, None, None, None, None),
    ("a2", "grouped", "dip", "basic", "K35.8:0", OK, None, None, None, None),
    (None, "rejected", "dip", None, None, BAD, "key_missing", None, None, None),
    ("a4", "rejected", "dip", None, None, BAD, "principal_missing", None, None, None),
    ("a5", "ungrouped", "dip", None, None, NONE, "no_group", None, None, None),
    ("a2", "rejected", "dip", None, None, BAD, "duplicate_key", None, None, None),
    ("a7", "rejected", "dip", None, None, BAD, "sex_invalid", None, None, None),
    ("a8", "comprehensive", "dip", "comprehensive", "K35-medical", OK, None, None, None, None),
]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("catalog")
    for name, text in (
        ("catalog.toml", CATALOG),
        ("groups.csv", GROUPS),
        ("operations.csv", OPERATIONS),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def rows_of(text: str) -> tuple[list[str], list[list[str | None]]]:
    header, *lines = (line.split(",") for line in text.splitlines())
    return header, [[cell or None for cell in line] for line in lines]


def write_utf8(path: Path) -> Path:
    path.with_suffix(".csv").write_text(GROUPING_ONLY, encoding="utf-8")
    return path.with_suffix(".csv")


def write_gb18030(path: Path) -> Path:
    # A column of names makes the file what it is: not UTF-8.
    first, *rest = GROUPING_ONLY.splitlines()
    text = "\n".join([f"{first},fixmedins_name", *(f"{line},示范医院" for line in rest)]) + "\n"
    path.with_suffix(".csv").write_bytes(text.encode("gb18030"))
    return path.with_suffix(".csv")


def write_parquet(path: Path) -> Path:
    header, rows = rows_of(GROUPING_ONLY)
    frame = pl.DataFrame(rows, schema=header, orient="row").with_columns(
        pl.col("gend", "age").cast(pl.Int8),
        pl.col("diag_codes", "oprn_codes").str.split("|"),
    )
    assert frame.schema["diag_codes"] == pl.List(pl.String)
    frame.write_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def write_excel(path: Path) -> Path:
    with xlsxwriter.Workbook(path.with_suffix(".xlsx")) as book:
        sheet = book.add_worksheet()
        for at, line in enumerate(GROUPING_ONLY.splitlines()):
            sheet.write_row(at, 0, line.split(","))
    return path.with_suffix(".xlsx")


SHAPES = [write_utf8, write_gb18030, write_parquet, write_excel]


@pytest.mark.parametrize("write", SHAPES)
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_every_row_has_its_result_in_its_place(tmp_path, catalog, write, ending):
    target = tmp_path / f"result.{ending}"
    done("group", write(tmp_path / "stays"), "--catalog", catalog, "-o", target)
    if ending == "csv":
        # The mark lets Excel read Chinese; codes are text.
        assert target.read_bytes().startswith(b"\xef\xbb\xbf")
        result = pl.read_csv(target, infer_schema=False)
    else:
        result = pl.read_parquet(target)
    assert result.columns == COLUMNS
    assert result.rows() == EXPECTED


SUMMARY = [
    "outcome reason meaning rows",
    "grouped 2",
    "comprehensive 1",
    "ungrouped no_group no group in the catalogue 1",
    "rejected duplicate_key the settlement id occurred before; only its first row is kept 1",
    "rejected key_missing the settlement id is missing 1",
    "rejected principal_missing there is no principal diagnosis 1",
    "rejected sex_invalid sex must be 1 (male) or 2 (female) 1",
]


def test_the_summary(tmp_path, catalog, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = write_utf8(Path("stays"))
    said = fenzhi("group", source, "--catalog", catalog, "-o", "r.parquet", "--lang", "en")
    lines = [" ".join(line.split()) for line in said.out.splitlines() if line.strip(" ─")]
    assert (said.code, lines, said.err) == (0, ["r.parquet", *SUMMARY], "")
    chinese = done("group", source, "--catalog", catalog, "-o", "zh.parquet")
    lines = [" ".join(line.split()) for line in chinese.splitlines()]
    assert "去向 原因 说明 行数" in lines
    assert "未入组 no_group 目录中无相应病种 1" in lines


def test_strict_ends_with_1_when_rows_were_rejected_and_still_writes(tmp_path, catalog):
    target = tmp_path / "r.parquet"
    args = ("--catalog", catalog, "--strict")
    assert fenzhi("group", write_utf8(tmp_path / "stays"), *args, "-o", target).code == 1
    assert pl.read_parquet(target).rows() == EXPECTED
    clean = tmp_path / "clean.csv"
    clean.write_text("\n".join(GROUPING_ONLY.splitlines()[:3]) + "\n", encoding="utf-8")
    assert fenzhi("group", clean, *args, "-o", tmp_path / "clean.parquet").code == 0


def test_a_file_of_stays_keeps_refunds_and_duplicates_in_place(tmp_path, catalog):
    source = tmp_path / "stays.csv"
    source.write_text(text_of(STAYS), encoding="utf-8")
    done("group", source, "--catalog", catalog, "-o", tmp_path / "r.parquet")
    result = pl.read_parquet(tmp_path / "r.parquet")
    assert result["setl_id"].to_list() == [line.split(",")[0] for line in STAYS]
    # Grouping looks at no pool, year or cost: only what cannot be grouped is left out.
    assert result["outcome"].to_list() == [
        *("grouped", "grouped", "comprehensive", "ungrouped", "grouped", "ungrouped", "grouped", "grouped"),
        *("rejected", "excluded", "excluded", "grouped"),
    ]
    assert result["reason"].to_list()[8:11] == ["duplicate_key", "refunded", "refunded"]


def test_foreign_columns_by_a_mapping_file(tmp_path, catalog):
    names = {"setl_id": "ID", "diag_codes": "ZD", "oprn_codes": "SS"}
    text = GROUPING_ONLY
    for standard, foreign in names.items():
        text = text.replace(standard, foreign, 1)
    (tmp_path / "stays.csv").write_text(text, encoding="utf-8")
    lines = [f'{standard} = "{foreign}"' for standard, foreign in names.items()]
    (tmp_path / "map.toml").write_text("\n".join(["[columns]", *lines]), encoding="utf-8")
    args = ("group", tmp_path / "stays.csv", "--catalog", catalog)
    done(*args, "-o", tmp_path / "r.parquet", "--columns", tmp_path / "map.toml")
    assert pl.read_parquet(tmp_path / "r.parquet").rows() == EXPECTED
    assert fenzhi(*args, "-o", tmp_path / "other.parquet").code == 2


def test_the_shipped_catalogue_by_its_name(tmp_path):
    done("group", write_utf8(tmp_path / "stays"), "--catalog", "demonstration-3.0", "-o", tmp_path / "r.csv")
    assert pl.read_csv(tmp_path / "r.csv", infer_schema=False).columns == COLUMNS


@pytest.mark.parametrize(
    ("target", "code"), [("r.xlsx", "OUTPUT_FORMAT"), ("r", "OUTPUT_FORMAT"), ("stays.csv", "OUTPUT_EXISTS")]
)
def test_a_target_that_cannot_be_written_is_said_before_the_work(tmp_path, target, code):
    source = write_utf8(tmp_path / "stays")
    # The catalogue does not even exist: the target is looked at first.
    said = fenzhi("group", source, "--catalog", "nowhere", "-o", tmp_path / target)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"[{code}] ")
    assert str(tmp_path / target) in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["stays.csv"]
    assert source.read_text(encoding="utf-8") == GROUPING_ONLY


def test_the_header_of_the_small_region_is_what_the_reader_expects():
    assert len(HEADER.split(",")) == len(STAYS[0].split(","))


def test_the_columns_of_another_grouper(tmp_path: Path) -> None:
    """Their input file is grouped with the mapping that docs/examples has for it."""
    (tmp_path / "input.csv").write_text(
        "Index,gender,age,ageDay,weight,dept,inHospitalTime,leavingType,ICD10_DRGS,ICD9_DRGS,drg\n"
        "22057878,2,88,32460,,040107,10,1,K35.800|I10.x00,47.0100,\n"
        "2,1,0,5,2400,0402,3,1,P07.100,,\n",
        encoding="utf-8",
    )
    columns = Path(__file__).parents[2] / "docs" / "examples" / "opendrg-columns.toml"
    options = ("--columns", columns, "--catalog", "demonstration-drg", "-o", tmp_path / "groups.parquet")
    done("group", tmp_path / "input.csv", *options)
    groups = pl.read_parquet(tmp_path / "groups.parquet")
    assert groups.select("setl_id", "mdc", "drg").rows() == [
        ("22057878", "MDCG", "GC05"),
        ("2", "MDCP", "PS05"),
    ]


def test_what_the_rules_ask_for_and_the_file_lacks_is_said(tmp_path: Path) -> None:
    (tmp_path / "stays.csv").write_text("setl_id,gend,age,diag_codes,extra\n1,1,40,K35.800,x\n", "utf-8")
    options = ("--catalog", "demonstration-drg", "-o", tmp_path / "groups.csv", "--lang", "en")
    said = fenzhi("group", tmp_path / "stays.csv", *options)
    assert said.code == 0
    assert (
        "note: the catalogue has rules on act_ipt_days, which the records lack: they never hold" in said.err
    )
    assert "extra" in said.err

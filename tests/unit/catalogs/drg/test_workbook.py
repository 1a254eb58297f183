"""Workbooks: what is written is read back without a difference; what people write is read; errors name the cell."""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from fenzhi.catalogs.drg import DrgCatalog, DrgMeta, import_tables, make_drg_catalog, require_sound
from fenzhi.catalogs.drg.export import write_workbook
from fenzhi.catalogs.drg.layout import LAYOUTS, REMARKS
from fenzhi.catalogs.drg.workbook import read_workbook
from fenzhi.catalogs.sheets import letters, read_sheets
from fenzhi.catalogs.titles import same_title
from fenzhi.errors import CatalogError, FenzhiError, OutputError
from unit.catalogs.drg.small import frames

ROOT = Path(__file__).parents[4]
META = DrgMeta(id="small", title="小目录", version="1", kind="imported", ambiguous=False)

# The tables of small.py as a person might keep them: rows of a sheet, None an empty cell.
SHEETS: dict[str, list[list[object]]] = {
    "封面": [["某市分组方案"]],
    "MDC 目录": [
        ["某市 DRG 分组方案"],
        [None, "MDC\n代码", "MDC名称", "入组规则", "QY规则", "备注"],
        [None, "ＭＤＣＮ", "女性", "主要诊断；女", "关闭", "x"],
        [None, "MDCG", "消化", "主要诊断", "任一手术有效", None],
    ],
    "ADRG": [
        ["ADRG", "备选", "名称", "MDC", "条件", "返回编码", "MDC名称"],
        ["NA1", None, "子宫手术", "MDCN", "主要手术∈NA1.ops", "NA1", "女性"],
        ["NZ1", None, "女性其他", "MDCN", "主要诊断 属于 NZ1.dx", None, "女性"],
        ["GB1", 1, "阑尾手术", "MDCG", "有手术\n主要手术操作∈GB1.ops", "GB1", "消化"],
        ["GB1", 2, "阑尾手术", "MDCG", "手术组合∈GB1.tagged：1&2", "GB1", "消化"],
        ["GK1", None, "内镜\n操作", "MDCG", "ANY_PROC_IN GK1.ops", None, "消化"],
        ["GR1", None, "阑尾炎", "MDCG", "主要诊断∈GR1.dx；", "GR1", "消化"],
    ],
    "drg": [
        ["DRG", "DRG名称", "ADRG", "分支", "规则", "权重"],
        ["NA19", "子宫手术", "NA1", None, "无条件", 0.99],
        ["NZ19", "女性其他", "NZ1", None, "always", None],
        ["GB11", "阑尾手术伴MCC", "GB1", 1, "MCC", "1.5"],
        ["GB15", "阑尾手术", "GB1", 1, "无条件", 1],
        ["GB11", "阑尾手术伴MCC", "GB1", 2, "伴MCC", "1.5"],
        ["GB15", "阑尾手术", "GB1", 2, "其余", 1],
        ["GK19", "内镜操作", "GK1", None, "无条件", None],
        ["GR11", "阑尾炎伴MCC", "GR1", None, "伴MCC", None],
        ["GR13", "阑尾炎伴CC", "GR1", None, "CC", None],
        ["GR17", "阑尾炎儿童", "GR1", None, "年龄＜17；住院天数≥2", None],
        ["GR15", "阑尾炎", "GR1", None, "无条件", None],
    ],
    "编码集": [
        ["编码集", "编码", "标签"],
        *(["MDCN", code, None] for code in ("N80.000", " K66.000 ")),
        *(["MDCG", code, None] for code in ("K35.800", "K35.900", "K66.000")),
        *(
            ["VALID_PROCEDURE", code, None]
            for code in ("47.0100", "47.0900", "68.4100", "54.1100", "54.2100", "45.1300")
        ),
        ["NA1.ops", "68.4100", None],
        ["NZ1.dx", "N80.000", None],
        ["NZ1.dx", "K66.000", None],
        ["GB1.ops", "47.0100", None],
        ["GB1.ops", "47.0900", None],
        ["GB1.tagged", "54.1100", 1],
        ["GB1.tagged", "54.2100", "2"],
        ["GK1.ops", "45.1300", None],
        ["GR1.dx", "K35.800", None],
        ["GR1.dx", "K35.900", None],
        ["GR1.dx", "K66.000", None],
    ],
    "CC": [["编码", "级别", "排除表"], ["E10.100", "mcc", 1], ["I10.x00", "CC", 2]],
    "排除表": [["主要诊断编码", "排除表号"], ["K35.800", 2], ["N80.000", "1"]],
}


def write(
    path: Path, sheets: dict[str, list[list[object]]], merged: dict[str, list[str]] | None = None
) -> Path:
    """Write sheets cell by cell: text as text, numbers as numbers, ``=...`` as a formula."""
    book = xlsxwriter.Workbook(str(path))
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for area in (merged or {}).get(name, []):
            sheet.merge_range(area, "")
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, str) and value.startswith("=") and len(value) > 1:
                    sheet.write_formula(at, column, value)
                elif isinstance(value, str):
                    sheet.write_string(at, column, value)
                elif value is not None:
                    sheet.write_number(at, column, value)
    book.close()
    return path


def changed(sheet: str, row: int, column: int, value: object) -> dict[str, list[list[object]]]:
    """Return the sheets with one cell changed; row and column count from 0."""
    copy = {name: [list(cells) for cells in rows] for name, rows in SHEETS.items()}
    copy[sheet][row][column] = value
    return copy


def refused(path: Path, sheets: dict[str, list[list[object]]]) -> FenzhiError:
    with pytest.raises(CatalogError) as found:
        read_workbook(write(path / "x.xlsx", sheets))
    return found.value


def small(**tables: str) -> DrgCatalog:
    return make_drg_catalog(META, frames(**tables))


def again(catalog: DrgCatalog, path: Path) -> DrgCatalog:
    """Write a catalogue and read it back."""
    write_workbook(catalog, path)
    book = read_workbook(path)
    assert book.left_out == ()
    meta = DrgMeta.model_validate({key: value for key, value in book.meta.items() if value})
    return make_drg_catalog(meta, book.tables, book.files)


# --- what is written is read back


def test_a_catalogue_read_back_is_the_same(tmp_path):
    catalog = small(weights="drg,weight\nGB11,1.5000\nNA19,0.7\n0000,0.4\n")
    read = again(catalog, tmp_path / "small.xlsx")
    assert {name for name in catalog.tables if not catalog.tables[name].equals(read.tables[name])} == set()
    assert read.digest == catalog.digest
    assert read.meta == catalog.meta


def test_orders_and_positions_that_do_not_count_from_1_stay(tmp_path):
    catalog = small(
        code_list="list_id,pos,code,tag\nNA1.ops,7,68.4100,\nNA1.ops,3,68.4200,\nGB1.ops,1,47.0100,\n",
        mdc="mdc,name,eval_order,entry_rule,qy_rule,qy_after_n_adrg\nMDCN,女性,30,,off,\nMDCG,消化,20,main_dx,off,3\n",
    )
    assert again(catalog, tmp_path / "x.xlsx").digest == catalog.digest


def test_texts_that_look_like_formulas_are_neutral_and_come_back(tmp_path):
    catalog = small(icd10="code,name,map_to\nK35.800,=1+1,=\nK35.900,-x,K35.800\nN80.000,@x,+1\n")
    assert again(catalog, tmp_path / "x.xlsx").digest == catalog.digest
    cells = [
        text
        for sheet in read_sheets(tmp_path / "x.xlsx")
        for row in sheet.rows.values()
        for text in row.values()
    ]
    assert [text for text in cells if text[:1] in "=+-@"] == []
    assert "'=1+1" in cells


def test_the_same_catalogue_gives_the_same_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(small(), tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert (tmp_path / "a.xlsx").stat().st_mode & 0o777 == 0o600


def test_rules_stand_in_words_beside_the_terms(tmp_path):
    write_workbook(small(), tmp_path / "x.xlsx")
    sheets = {sheet.name: sheet.rows for sheet in read_sheets(tmp_path / "x.xlsx")}
    said = {row[0]: row[max(row)] for row in sheets["DRG"].values()}
    assert (said["DRG编码"], said["GR17"], said["GR11"]) == ("说明", "年龄<17; 住院天数>=2", "MCC")


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "x.xlsx").write_text("mine")
    with pytest.raises(OutputError) as found:
        write_workbook(small(), tmp_path / "x.xlsx")
    assert found.value.code == "OUTPUT_EXISTS"
    assert (tmp_path / "x.xlsx").read_text() == "mine"


@pytest.mark.parametrize("name", ["MDCG", "VALID_PROCEDURE", "a b", "a;b"])
def test_a_list_that_a_workbook_cannot_tell_apart(tmp_path, name):
    catalog = small(code_list=f"list_id,pos,code,tag\n{name},0,68.4100,\n")
    with pytest.raises(CatalogError) as found:
        write_workbook(catalog, tmp_path / "x.xlsx")
    assert (found.value.code, found.value.value) == ("CATALOG_SET", name)
    assert list(tmp_path.iterdir()) == []


def test_a_cell_that_is_too_long_is_no_workbook(tmp_path):
    catalog = small(icd10=f"code,name,map_to\nK35.800,{'x' * 40_000},=\n")
    with pytest.raises(OutputError) as found:
        write_workbook(catalog, tmp_path / "x.xlsx")
    assert (found.value.code, found.value.row, found.value.field) == ("CATALOG_WORKBOOK_LIMIT", 3, "名称")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_chs_drg_11_there_and_back(reference_data, tmp_path):
    catalog = import_tables(reference_data / "chs_drg_11")
    read = again(catalog, tmp_path / "x.xlsx")
    assert read.digest == catalog.digest


# --- what people write


@pytest.fixture
def by_hand(tmp_path) -> DrgCatalog:
    book = read_workbook(write(tmp_path / "x.xlsx", SHEETS))
    assert book.left_out == ("封面",)
    assert book.meta == {}
    return make_drg_catalog(META, book.tables, book.files)


def test_a_workbook_in_chinese_words_is_the_same_catalogue(by_hand):
    require_sound(by_hand)
    wanted = small()
    different = {n for n in wanted.tables if not wanted.tables[n].equals(by_hand.tables[n])}
    assert different == {"mdc", "drg", "valid_procedure", "icd10", "icd9cm3", "weights"}
    # What the person did not write: places of QY, the names of operations, the code books.
    for name, columns in (
        ("mdc", ["qy_after_n_adrg"]),
        ("valid_procedure", ["name"]),
    ):
        assert by_hand.tables[name].drop(columns).equals(wanted.tables[name].drop(columns)), name
    # MCC is written as the person wrote it, and means mcc.
    lower = pl.col("rule").str.to_lowercase()
    assert by_hand.tables["drg"].with_columns(lower).equals(wanted.tables["drg"])
    assert by_hand.tables["adrg"]["name"].to_list()[-2:] == ["内镜操作", "阑尾炎"]


def test_rules_of_the_tables_stay_as_they_are_written(tmp_path):
    for given, read in (
        ("Age < 17 ;LOS>=2", "Age < 17 ;LOS>=2"),
        ("MCC", "MCC"),
        ("MCC/CC", "mcc_or_cc"),
        ("age<17\nmcc", "age<17;mcc"),
        ("age<17；mcc", "age<17;mcc"),
    ):
        path = write(tmp_path / "x.xlsx", changed("drg", 10, 4, given))
        assert read_workbook(path).tables["drg"]["rule"][9] == read


def test_weights_beside_the_drgs(by_hand):
    # 0.99 is 0.98999999999999999 in the file; GB11 stands twice with the same weight.
    assert by_hand.tables["weights"].rows() == [("NA19", "0.99"), ("GB11", "1.5"), ("GB15", "1")]


def test_a_sheet_of_weights(tmp_path):
    sheets = SHEETS | {
        "权重": [["DRG编码", "权重"], ["NA19", 0.7]],
        "drg": [row[:5] for row in SHEETS["drg"]],
    }
    assert read_workbook(write(tmp_path / "a.xlsx", sheets)).tables["weights"].select(
        "drg", "weight"
    ).rows() == [("NA19", "0.7")]
    error = refused(tmp_path, SHEETS | {"权重": [["DRG编码", "权重"], ["NA19", 0.7]]})
    assert (error.code, "sheet 权重" in error.file) == ("CATALOG_COLUMN", True)


def test_errors_of_the_check_name_sheet_and_row(tmp_path):
    book = read_workbook(write(tmp_path / "x.xlsx", changed("ADRG", 4, 4, "主要手术∈nowhere")))
    with pytest.raises(CatalogError) as found:
        require_sound(make_drg_catalog(META, book.tables, book.files))
    assert (found.value.code, found.value.value) == ("CATALOG_LIST", "nowhere")
    assert (found.value.file, found.value.row) == (f"{tmp_path / 'x.xlsx'}, sheet ADRG", 5)


def test_names_beside_codes_make_the_code_books(tmp_path):
    sheets = {name: [list(row) for row in rows] for name, rows in SHEETS.items()}
    sheets["编码集"] = [[*row, None] for row in sheets["编码集"]]
    sheets["编码集"][0][3] = "名称"
    for row in sheets["编码集"]:
        row[3] = {"47.0100": "腹腔镜阑尾切除", "K35.800": "急性阑尾炎", "68.4100": "子宫切除"}.get(
            row[1], row[3]
        )
    sheets["CC"] = [["编码", "级别", "排除表", "名称"], ["I10.x00", "CC", 2, "高血压"]]
    tables = read_workbook(write(tmp_path / "x.xlsx", sheets)).tables
    assert tables["icd10"].select("code", "name", "map_to").rows() == [
        ("I10.x00", "高血压", None),
        ("K35.800", "急性阑尾炎", None),
    ]
    assert tables["icd9cm3"]["code"].to_list() == ["47.0100", "68.4100"]


def test_merged_cells_are_filled_down(tmp_path):
    sheets = {name: [list(row) for row in rows] for name, rows in SHEETS.items()}
    for row in (4, 5):  # the second and third row of chapter MDCG
        sheets["ADRG"][row][3] = None
    path = write(tmp_path / "x.xlsx", sheets, {"ADRG": ["D4:D6"]})
    assert read_workbook(path).tables["adrg"]["mdc"].to_list() == ["MDCN"] * 2 + ["MDCG"] * 4
    # Without the merge an empty cell is an error.
    error = refused(tmp_path, sheets)
    assert (error.code, error.file.endswith("sheet ADRG, cell D5")) == ("CATALOG_BLANK", True)


def test_a_header_of_two_merged_rows(tmp_path):
    rows = SHEETS["CC"]
    sheets = SHEETS | {"CC": [rows[0], [None, "x", None], *rows[1:]]}
    sheets["CC"][1] = [None, "级别", None]
    path = write(tmp_path / "x.xlsx", sheets, {"CC": ["A1:A2", "C1:C2"]})
    assert read_workbook(path).tables["cc"]["code"].to_list() == ["E10.100", "I10.x00"]


def test_the_header_must_stand_in_the_first_ten_rows(tmp_path):
    title = [[f"标题 {n}"] for n in range(10)]
    sheets = SHEETS | {"CC": [*title[:9], *SHEETS["CC"]]}
    assert read_workbook(write(tmp_path / "a.xlsx", sheets)).tables["cc"].height == 2
    error = refused(tmp_path, SHEETS | {"CC": [*title, *SHEETS["CC"]]})
    assert (error.code, error.field) == ("CATALOG_WORKBOOK_HEADER", "编码")


# --- what is refused


@pytest.mark.parametrize(
    ("sheet", "row", "column", "value", "code", "cell"),
    [
        ("编码集", 6, 1, 47.01, "CATALOG_WORKBOOK_NUMBER", "B7"),
        ("ADRG", 1, 0, 7, "CATALOG_WORKBOOK_NUMBER", "A2"),
        ("排除表", 2, 0, 80.0, "CATALOG_WORKBOOK_NUMBER", "A3"),
        ("编码集", 6, 1, None, "CATALOG_BLANK", "B7"),
        ("CC", 1, 1, None, "CATALOG_BLANK", "B2"),
        ("ADRG", 3, 1, 1.5, "CATALOG_VALUE", "B4"),
        ("ADRG", 3, 1, "一", "CATALOG_VALUE", "B4"),
        ("ADRG", 2, 4, "主要诊断大致属于NZ1.dx", "CATALOG_UNKNOWN_KIND", "E3"),
        ("ADRG", 2, 4, "AGE_DAY_MAX", "CATALOG_VALUE", "E3"),
        ("ADRG", 2, 4, "HAS_PROC;NEW_KIND x", "CATALOG_UNKNOWN_KIND", "E3"),
        ("MDC 目录", 3, 3, "主要诊断;孕妇", "CATALOG_UNKNOWN_KIND", "D4"),
        ("drg", 10, 4, "年龄<17;体质差", "CATALOG_UNKNOWN_KIND", "E11"),
        ("drg", 10, 4, "年龄<十七", "CATALOG_VALUE", "E11"),
        ("drg", 10, 4, None, "CATALOG_BLANK", "E11"),
        ("CC", 0, 1, "等级", "CATALOG_WORKBOOK_HEADER", None),
        ("ADRG", 0, 6, "年龄", "CATALOG_COLUMN", "G1"),
        ("ADRG", 0, 6, "MDC编码", "CATALOG_COLUMN", "G1"),
    ],
)
def test_a_bad_cell_is_named(tmp_path, sheet, row, column, value, code, cell):
    error = refused(tmp_path, changed(sheet, row, column, value))
    place = f"{tmp_path / 'x.xlsx'}, sheet {sheet}" + (f", cell {cell}" if cell else "")
    assert (error.code, error.file) == (code, place)
    assert error.remedy


def test_a_formula_is_refused(tmp_path):
    error = refused(tmp_path, changed("CC", 1, 0, "=1+1"))
    assert (error.code, error.field, error.file) == (
        "CATALOG_WORKBOOK_FORMULA",
        "A2",
        f"{tmp_path / 'x.xlsx'}, sheet CC",
    )


@pytest.mark.parametrize("sheet", ["MDC 目录", "ADRG", "drg", "编码集", "CC", "排除表"])
def test_each_of_the_six_sheets_is_needed(tmp_path, sheet):
    error = refused(tmp_path, {name: rows for name, rows in SHEETS.items() if name != sheet})
    assert error.code == "CATALOG_WORKBOOK_SHEET"
    assert "封面" in error.remedy


def test_two_sheets_for_one_table(tmp_path):
    error = refused(tmp_path, SHEETS | {"CC表": SHEETS["CC"]})
    assert (error.code, error.field) == ("CATALOG_WORKBOOK_SHEET", "CC表")


def test_an_order_with_gaps(tmp_path):
    sheets = SHEETS | {"MDC 目录": [[*row, None] for row in SHEETS["MDC 目录"]]}
    sheets["MDC 目录"][1][6], sheets["MDC 目录"][2][6] = "顺序", 1
    error = refused(tmp_path, sheets)
    assert (error.code, error.field, error.file[-2:]) == ("CATALOG_BLANK", "顺序", "G4")


def test_what_is_no_workbook(tmp_path):
    (tmp_path / "text.xlsx").write_text("no workbook")
    with zipfile.ZipFile(tmp_path / "zip.xlsx", "w") as book:
        book.writestr("x", "y")
    for name in ("text.xlsx", "zip.xlsx", "absent.xlsx", "."):
        with pytest.raises(CatalogError) as found:
            read_workbook(tmp_path / name)
        assert found.value.code == "CATALOG_WORKBOOK"


def test_other_writers(tmp_path):
    """Inline strings, rich text with readings, a prefix before every tag, cells and rows without address."""
    path = tmp_path / "x.xlsx"
    main, rel = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://x/relationships"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "xl/workbook.xml",
            f'<x:workbook xmlns:x="{main}" xmlns:r="{rel}"><x:sheets>'
            '<x:sheet name="A" r:id="i"/></x:sheets></x:workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{rel}">'
            f'<Relationship Id="i" Type="{rel}/worksheet" Target="/xl/w/s.xml"/></Relationships>',
        )
        book.writestr(
            "xl/sharedStrings.xml",
            f'<x:sst xmlns:x="{main}"><x:si><x:r><x:t>主要</x:t></x:r><x:r><x:t>诊断</x:t></x:r>'
            "<x:rPh><x:t>zhu</x:t></x:rPh></x:si></x:sst>",
        )
        book.writestr(
            "xl/w/s.xml",
            f'<x:worksheet xmlns:x="{main}"><x:sheetData>'
            '<x:row><x:c t="s"><x:v>0</x:v></x:c>'
            '<x:c t="inlineStr"><x:is><x:t>a_x000A_b</x:t></x:is></x:c></x:row>'
            '<x:row r="4"><x:c r="AB4"><x:v>1</x:v></x:c><x:c t="b"><x:v>1</x:v></x:c></x:row>'
            "</x:sheetData></x:worksheet>",
        )
    (sheet,) = read_sheets(path)
    assert sheet.rows == {1: {0: "主要诊断", 1: "a\nb"}, 4: {27: "1", 28: "1"}}
    assert [letters(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


# --- the page


def test_no_title_means_two_columns():
    for name, layout in LAYOUTS.items():
        titles = [
            same_title(title) for column in layout.columns for title in {*map(same_title, column.titles)}
        ]
        assert len(set(titles)) == len(titles), name
    sheets = [same_title(title) for layout in LAYOUTS.values() for title in layout.titles]
    assert len(set(sheets)) == len(sheets)


def test_the_page_names_every_sheet_and_title():
    page = (ROOT / "docs" / "reference" / "drg-workbook.md").read_text(encoding="utf-8")
    for layout in LAYOUTS.values():
        for title in layout.titles:
            assert title in page, title
        for column in layout.columns:
            if not layout.optional:
                assert f"| **{column.titles[0]}** |" in page or not column.required, column.titles[0]
                assert all(title in page for title in column.titles), column.name
    assert all(title in page for title in REMARKS)


def test_every_column_of_the_tables_has_a_place(tmp_path):
    write_workbook(small(), tmp_path / "x.xlsx")
    tables = read_workbook(tmp_path / "x.xlsx").tables
    assert {name: frame.drop("source_row").schema for name, frame in tables.items()} == {
        name: frame.schema for name, frame in small().tables.items()
    }
    assert isinstance(tables["mdc"]["source_row"].dtype, pl.Int64)

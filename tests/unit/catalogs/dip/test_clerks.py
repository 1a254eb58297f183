"""Workbooks as clerks hand them in: odd titles, foot lines, sheets without a name; nothing is lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from fenzhi.catalogs.dip import LocalLayout, Read, Sources, read_dip

from .book import official
from .test_defects import BASIC, EXCLUDED, HEAD, MERGED, basic, cells, read, said
from .test_known import groups_of

DIAGNOSES = "五、不纳入分组的主要诊断"
GRASSROOTS = "六、基层病种"
TUBERCULOSIS = "三、诊断辅助细分-结核类病种"
ROW: list[object] = ["JC", 1, "K35.8", "阑尾炎", "47.0100", "切除"]


def reasons(found: Read) -> list[tuple[str, int]]:
    """Reason and row of each line of the report that is about a row."""
    return [(one.reason, one.place.number) for one in found.report.entries if one.place.number]


def test_numbers_of_the_scheme_as_text_and_with_zeros(tmp_path: Path) -> None:
    found = basic(
        tmp_path,
        *(["JC", text, f"K3{at}", "x", None, None] for at, text in enumerate(("2.0", "007", "３", 4.0))),
    )
    assert said(found) == []
    assert found.catalog is not None
    assert found.catalog.groups.filter(layer="basic")["group_id"].to_list() == [
        "JC-2",
        "JC-7",
        "JC-3",
        "JC-4",
    ]


@pytest.mark.parametrize(
    "head",
    [
        ["分类", "编号", "主诊断代码", "主诊断名称", "主手术操作代码", "x"],
        ["分类", "No.", "出院主要诊断编码", "x", "主要手术/操作编码", "y"],
        ["分类", "病种编号", "主要诊断编码*", "x", "主要手术(操作)编码", "y"],
        ["分类", "序号", "主要诊断 (ICD-10)", "x", "主要手术及操作代码", "y"],
    ],
)
def test_titles_in_other_words(tmp_path: Path, head: list[object]) -> None:
    found = basic(tmp_path, ROW, head=head)
    assert said(found) == []
    assert cells(found, "JC-1")[:2] == ("K35.8", "47.0100")


def test_code_and_name_in_one_column(tmp_path: Path) -> None:
    head: list[object] = ["分类", "序号", "主要诊断编码及名称", "主要手术操作编码及名称"]
    found = basic(
        tmp_path, ["JC", 1, "E11.9 2型糖尿病", "保守治疗"], ["JC", 2, "I50.900心衰", "37.5100 移植"],
        ["JC", 3, "I51", "99.2503 化疗+99.2800x005 免疫"], head=head,
    )  # fmt: skip
    assert said(found) == [("CATALOG_CELL", BASIC, 4)]
    assert cells(found, "JC-1")[:2] == ("E11.9", None)
    assert cells(found, "JC-2")[:2] == ("I50.900", "37.5100")


def test_two_rows_of_titles_with_the_book_of_codes(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["分类", "序号", "主要诊断", None, "主要手术操作", None],
        ["分类", "序号", "ICD-10编码", "诊断名称", "ICD-9-CM-3编码", "手术名称"],
        ROW,
    ]
    areas = {BASIC: ["A1:A2", "B1:B2", "C1:D1", "E1:F1"]}
    found = read(tmp_path, official(**{BASIC: rows, GRASSROOTS: None}), areas)
    assert said(found) == []
    assert cells(found, "JC-1")[:2] == ("K35.8", "47.0100")


def test_foot_lines_page_titles_and_a_row_that_counts_columns(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["按病种分值付费分组方案"], ["单位:例"], HEAD, [1, 2, 3, 4, 5, 6], ROW,
        ["按病种分值付费分组方案"], HEAD, ["甲", "乙", "丙", 1, 2, 3], ["合计", 1], ["备 注:如上"],
        ["制表人:张三", None, "审核人:李四"], ["※ 新增病种"], ["- 1 -"], ["——以上——"], ["2026年9月"],
    ]  # fmt: skip
    found = read(tmp_path, official(**{BASIC: rows, GRASSROOTS: None}))
    assert said(found) == []
    (count,) = [one for one in found.report.counts() if one.role == "basic"]
    assert (count.headings, count.understood) == (14, 1)


def test_a_name_without_its_code_is_no_heading(tmp_path: Path) -> None:
    # 附睾炎 begins as 附表 does, 表皮松解 as 表 1: their codes are lost, which must be said.
    lost: list[list[object]] = [
        [None, None, None, name] for name in ("附睾炎", "表皮松解", "共济失调", "续发症")
    ]
    found = basic(tmp_path, ROW, *lost)
    assert [row for _, _, row in said(found)] == [3, 4, 5, 6]


def test_sheets_told_by_the_titles_above_their_header(tmp_path: Path) -> None:
    sheets = official()
    names = {BASIC: "Sheet1", DIAGNOSES: "Sheet2", GRASSROOTS: "Sheet3", MERGED: "Sheet4"}
    found = read(tmp_path, {names.get(name, name): rows for name, rows in sheets.items()})
    assert said(found) == []
    assert found.catalog == read(tmp_path, sheets).catalog


def test_both_lists_of_what_is_excluded_on_one_sheet(tmp_path: Path) -> None:
    sheets = official()
    both = [*sheets[DIAGNOSES], *sheets[EXCLUDED]]
    one = read(tmp_path, official(**{DIAGNOSES: None, EXCLUDED: None, "五、不纳入分组的情况": both}))
    assert said(one) == []
    assert one.catalog == read(tmp_path, sheets).catalog
    assert sum(count.understood for count in one.report.counts() if count.place.sheet[0] == "五") == 6


def test_a_sheet_of_codes_is_not_left_with_a_warning(tmp_path: Path) -> None:
    found = read(tmp_path, official(附件=[["主要诊断编码", "主要诊断名称"], ["A16.000", "x"]]))
    assert [one.reason for one in found.report.errors] == ["sheet_content"]


def test_a_table_of_contents_is_no_catalog_toml(tmp_path: Path) -> None:
    found = read(tmp_path, official(目录=[["项目", "内容"], ["一、先期分组", "19组"], ["title", "某市目录"]]))
    assert said(found) == []
    assert found.catalog is not None
    assert found.catalog.meta.title == "某市目录"
    assert ("key_left", 2) in reasons(found)


def test_effects_in_titles_and_ranges_in_words(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["(一)不可作为主要手术操作"], ["主要手术操作编码", "主要手术操作名称", "说明"], ["00.3101", "n", None],
        ["(二)按保守治疗入组"], ["11.6000", "x", None],
        ["(三)限范围可作主要手术操作:A00-A09|K20-K93"], ["45.1300", "z", None],
        ["45.1600", "z", "主要诊断为A00—A09或K20至K93时,可作为主要手术操作"],
    ]  # fmt: skip
    found = read(tmp_path, official(**{EXCLUDED: rows}))
    assert said(found) == []
    assert found.catalog is not None
    some = found.catalog.exclusions.filter(found.catalog.exclusions["kind"] != "diagnosis")
    assert list(some.select("code", "kind", "within").iter_rows()) == [
        ("00.3101", "cannot_be_main", None),
        ("11.6000", "as_conservative", None),
        ("45.1300", "main_within", "A00-A09|K20-K93"),
        ("45.1600", "main_within", "A00-A09|K20-K93"),
    ]


def test_exclusions_that_would_exclude_nothing_are_said(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["主要诊断编码", "主要诊断名称"],
        ["A16.000", "x"],
        ["Z51.1", "y"],
        ["R00-R99", "z"],
    ]
    found = read(tmp_path, official(**{DIAGNOSES: rows}))
    assert said(found) == [("CATALOG_CELL", DIAGNOSES, 4)]
    assert ("short_excluded", 3) in reasons(found)


def test_a_short_operation_code_is_said(tmp_path: Path) -> None:
    found = basic(tmp_path, ["JC", 1, "K35.8", "x", "47.01", None])
    assert said(found) == []
    assert ("short_code", 2) in reasons(found)


def test_resistance_named_by_a_full_code_means_the_subcategory(tmp_path: Path) -> None:
    sheets = official()
    for row in sheets[TUBERCULOSIS][2:]:
        if row[6] == "是":
            row[7] = "附表诊断,或其他诊断U84.300"
    found = read(tmp_path, sheets)
    assert found.catalog is not None
    assert found.catalog.code_sets["TB_RESISTANT"] == ("A15.000x010", "A15.000x012", "U84.3")
    stays = [
        ("1", ["A17.000", code], list[str](), None, None) for code in ("U84.300", "U84.300x001", "U84.9")
    ]
    assert groups_of(found.catalog, stays) == ["FZ-1840", "FZ-1840", "FZ-1841"]


def test_an_operation_that_only_sensitive_rows_have_is_said(tmp_path: Path) -> None:
    sheets = official()
    assert not any(reason == "one_sided" for reason, _ in reasons(read(tmp_path, sheets)))
    del sheets[TUBERCULOSIS][2]  # 34.0400|34.0401 of the resistant
    (line,) = [one for one in read(tmp_path, sheets).report.entries if one.reason == "one_sided"]
    assert (line.place.number, line.part) == (3, "34.0400、34.0401")


def test_a_grassroots_row_by_category_flags_what_lies_in_it(tmp_path: Path) -> None:
    sheets = official()
    sheets[GRASSROOTS] += [[3, "K35", "阑尾炎", None, None]]
    found = read(tmp_path, sheets)
    assert said(found) == []
    assert found.catalog is not None
    assert found.catalog.groups.filter("grassroots")["group_id"].to_list() == [
        "JC-1858",
        "JC-3625",
        "JC-3626",
    ]


def test_of_equal_rows_the_smaller_number_wins(tmp_path: Path) -> None:
    found = read(tmp_path, official())
    assert found.catalog is not None
    # XQ-9 (41.0300) and XQ-14 (96.7201) ask for one operation each; as text XQ-14 would come first.
    stays = [
        ("1", ["I50.900"], ["96.7201", "41.0300"], None, None),
        ("2", ["I50.900"], ["41.0300", "33.6x00"], None, None),
    ]
    assert groups_of(found.catalog, stays) == ["XQ-9", "XQ-1"]


def test_a_hidden_sheet_is_read_and_said(tmp_path: Path) -> None:
    path = tmp_path / "scheme.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name, row in (("基本规则", ROW), ("旧版基本规则", ["JC", 2, "K36", "x", "", ""])):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, HEAD)
            sheet.write_row(1, 0, row)
        sheet.hide()
    found = read_dip(Sources((path,), {}, LocalLayout(), {}))
    assert [one.place.sheet for one in found.report.entries if one.reason == "sheet_hidden"] == [
        "旧版基本规则"
    ]
    assert found.catalog is not None
    assert found.catalog.groups["group_id"].to_list() == ["JC-1", "JC-2"]


def test_codes_made_for_comprehensive_groups(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["ICD-10分类码", "ICD-10分类名称", "组编号", "组名称"],
        ["I25*", "x", 4, "相关手术操作组"],
        ["Ｉ２６", "x", "1.0", "内科治疗组"],
    ]
    found = read(tmp_path, official(综合病种字典表=rows))
    assert said(found) == []
    assert found.catalog is not None
    some = found.catalog.groups.filter(layer="comprehensive").select("group_id", "main_diag", "treatment")
    assert list(some.iter_rows()) == [("I25-4", "I25", "surgery"), ("I26-1", "I26", "medical")]

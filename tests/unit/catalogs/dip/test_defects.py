"""One defect of a workbook at a time: what is tolerated, what is reported, and that no row is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from fenzhi.catalogs.dip import LocalLayout, Read, Sources, read_dip

from .book import OPERATIONS, Sheets, official, write

BASIC = "四、基础规则下的核心病种"
MERGED = "二、并项规则下的核心病种"
PRE = "一、先期分组"
COMPREHENSIVE = "综合病种字典表"
EXCLUDED = "五、不纳入分组的主要手术操作"
HEAD: list[object] = ["分类", "序号", "主要诊断编码", "主要诊断名称", "主要手术操作编码", "主要手术操作名称"]


def read(tmp_path: Path, sheets: Sheets, merged: dict[str, list[str]] | None = None) -> Read:
    path = write(tmp_path / "scheme.xlsx", sheets, merged)
    found = read_dip(Sources((path,), {}, LocalLayout(), {}))
    counted = found.report.counts()
    assert sum(one.rows for one in counted) == sum(
        one.headings + one.understood + one.repeated + one.reported + one.not_read for one in counted
    )
    return found


def basic(tmp_path: Path, *rows: list[object], head: list[object] | None = None) -> Read:
    """Read the scheme with these rows as its basic groups, and without a list of grassroots groups."""
    return read(tmp_path, official(**{BASIC: [head or HEAD, *rows], "六、基层病种": None}))


def cells(found: Read, group_id: str) -> tuple[object, ...]:
    """The main diagnosis, main and related operations of a group."""
    assert found.catalog is not None
    row = found.catalog.groups.filter(group_id=group_id).row(0, named=True)
    return row["main_diag"], row["main_oprn"], row["related_oprn"]


def said(found: Read, severity: str = "error") -> list[tuple[str, str, int]]:
    """Code, sheet and row of the lines of the report."""
    rows = found.report.frame("en").filter(severity=severity)
    return list(rows.select("code", "sheet", "row").iter_rows())


def one_row(tmp_path: Path, diagnosis: object, operation: object) -> tuple[object, ...]:
    found = basic(tmp_path, ["JC", 1, diagnosis, "名称", operation, "手术"])
    assert said(found) == []
    return cells(found, "JC-1")[:2]


def test_nothing_is_wrong_with_the_scheme(tmp_path: Path) -> None:
    found = read(tmp_path, official())
    assert said(found) == []
    assert sum(one.understood for one in found.report.counts()) == 88


# What codes look like


@pytest.mark.parametrize(
    ("diagnosis", "operation", "expected"),
    [
        ("Ｋ３５．８", "４７．０１００", ("K35.8", "47.0100")),
        ("K35.8｜K35.9", "47.0100｜47.0901", ("K35.8|K35.9", "47.0100|47.0901")),
        ("k35.8", "99.2800X005", ("K35.8", "99.2800x005")),
        ("K3\n5.8", "47.01\n00", ("K35.8", "47.0100")),
        ("K35\n.8", "47.\n0100", ("K35.8", "47.0100")),
        ("K35.8\n00", "99.2800\nx005", ("K35.800", "99.2800x005")),
        ("K35.8 |\nK35.9", "47.0100\n|47.0901", ("K35.8|K35.9", "47.0100|47.0901")),
        ("K35.8\nK35.9", "47.0100\n47.0901", ("K35.8|K35.9", "47.0100|47.0901")),
        ("K35.8 K35.9", "33.6x00 37.5100x001", ("K35.8|K35.9", "33.6x00|37.5100x001")),
        ("K35.8、K35.9", "47.0100、47.0901", ("K35.8|K35.9", "47.0100|47.0901")),
        ("K35.8/K35.9", "47.0100/47.0901", ("K35.8|K35.9", "47.0100|47.0901")),
        ("K35.8;K35.9；K36", "47.0100；47.0901", ("K35.8|K35.9|K36", "47.0100|47.0901")),
        ("K35.8，K35.9", "47.0100,47.0901", ("K35.8|K35.9", "47.0100|47.0901")),
        ("K35.8或K35.9", "47.0100或47.0901", ("K35.8|K35.9", "47.0100|47.0901")),
        ("K35.8 or K35.9", "47.0100 OR 47.0901", ("K35.8|K35.9", "47.0100|47.0901")),
        ("K35|", "47.0100＋54.2100", ("K35", "47.0100+54.2100")),
        ("K35", "47.0100且54.2100|47.0901", ("K35", "47.0100+54.2100|47.0901")),
        ("K35", "47.0100 + \n54.2100", ("K35", "47.0100+54.2100")),
        ("K35", "(47.0100|47.0901)+54.2100", ("K35", "47.0100+54.2100|47.0901+54.2100")),
        ("C00—C75", "47.0100", ("C00-C75", "47.0100")),
        ("C00-\nC75", "47.0100", ("C00-C75", "47.0100")),
        ("C00～75", "47.0100", ("C00-C75", "47.0100")),
        ("A15.0-A15.3", "47.0100", ("A15.0|A15.1|A15.2|A15.3", "47.0100")),
        ("I10.X", "保守治疗", ("I10.x", None)),
        ("A54.301+H13.1*", " ", ("A54.301+H13.1*", None)),
        ("\ufeffK35.8\u200b", "—", ("K35.8", None)),
    ],
)
def test_codes_as_people_write_them(
    tmp_path: Path, diagnosis: str, operation: str, expected: tuple[str, str | None]
) -> None:
    assert one_row(tmp_path, diagnosis, operation) == expected


@pytest.mark.parametrize(
    ("diagnosis", "operation", "code"),
    [
        ("K35.8", "47.010047.0901", "CATALOG_CELL"),  # glued
        ("K35.8K35.9", None, "CATALOG_CELL"),
        ("K35.8", "786900x002", "CATALOG_CELL"),  # without its point
        ("K358", None, "CATALOG_CELL"),
        ("K35.8", "47.0100/47.0901+54.2100", "CATALOG_CELL"),  # what belongs together?
        ("K35.8", "47.0100+", "CATALOG_CELL"),
        ("K35.8", "(47.0100|47.0901", "CATALOG_CELL"),
        ("阑尾炎", None, "CATALOG_CELL"),
        ("K35.8", "阑尾切除", "CATALOG_CELL"),
        ("C75-C00", None, "CATALOG_CELL"),
        (35.8, None, "CATALOG_WORKBOOK_NUMBER"),
        (None, "47.0100", "CATALOG_BLANK"),
        (None, None, "CATALOG_BLANK"),
    ],
)
def test_cells_that_are_not_understood(
    tmp_path: Path, diagnosis: object, operation: object, code: str
) -> None:
    found = basic(
        tmp_path, ["JC", 1, "A01.0", "伤寒", None, None], ["JC", 2, diagnosis, "x", operation, None]
    )
    assert said(found) == [(code, BASIC, 3)]
    assert found.catalog is not None
    assert found.catalog.groups.filter(layer="basic")["group_id"].to_list() == ["JC-1"]
    assert next(one for one in found.report.counts() if one.role == "basic").reported == 1


def test_the_report_names_the_cell_and_says_what_to_do(tmp_path: Path) -> None:
    found = basic(
        tmp_path, ["JC", 1, "A01.0", "伤寒", None, None], ["JC", 2, "K35.8", "x", "786900x002", None]
    )
    (row,) = found.report.frame("zh").filter(severity="error").iter_rows(named=True)
    assert (row["file"], row["sheet"], row["row"], row["cell"]) == ("scheme.xlsx", BASIC, 3, "E3")
    assert (row["column"], row["value"]) == ("主要手术操作编码", "786900x002")
    assert (row["why"], row["to_do"]) == ("编码缺少小数点:786900x002", "应为 78.6900x002?")
    (row,) = found.report.frame("en").filter(severity="error").iter_rows(named=True)
    assert (row["why"], row["to_do"]) == ("the code lacks its point: 786900x002", "is it 78.6900x002?")


def test_numbers_kept_as_numbers(tmp_path: Path) -> None:
    """47.0100 kept as the number 47.01, 03.3101 as 3.3101: zeros come back, and the report says so."""
    found = basic(tmp_path, ["JC", 1.0, "K35.8", "x", 47.01, None], ["JC", 2, "G00.9", "y", 3.3101, None])
    assert (cells(found, "JC-1")[1], cells(found, "JC-2")[1]) == ("47.0100", "03.3101")
    assert said(found) == []
    assert ("CATALOG_WORKBOOK_NUMBER", BASIC, 2) in said(found, "warning")


# Where things stand


@pytest.mark.parametrize("above", [0, 1, 5, 18])
def test_the_header_may_stand_anywhere_above(tmp_path: Path, above: int) -> None:
    rows = [[f"第{n}行说明"] for n in range(above)]
    found = read(
        tmp_path, official(**{BASIC: [*rows, HEAD, ["JC", 1, "A01.0", "伤寒"]], "六、基层病种": None})
    )
    assert said(found) == []
    assert cells(found, "JC-1")[0] == "A01.0"
    assert next(one for one in found.report.counts() if one.role == "basic").headings == above + 1


def test_a_header_too_far_down_is_said(tmp_path: Path) -> None:
    rows: list[list[object]] = [[f"说明{n}"] for n in range(20)]
    found = read(
        tmp_path, official(**{BASIC: [*rows, HEAD, ["JC", 1, "A01.0", "伤寒"]], "六、基层病种": None})
    )
    (line,) = found.report.errors
    assert (line.reason, line.place.sheet) == ("header", BASIC)
    assert next(one for one in found.report.counts() if one.place.sheet == BASIC).not_read == 22


def test_titles_with_blanks_breaks_brackets_and_width(tmp_path: Path) -> None:
    head: list[object] = [
        "分 类",
        "序\n号",
        "主要诊断\n编码",
        "主要诊断名称",
        "主要手术操作编码（医保版）",
        "手术操作名称",
    ]
    found = basic(tmp_path, ["JC", 1, "K35.8", "x", "47.0100", "y"], head=head)
    assert said(found) == []
    assert cells(found, "JC-1")[:2] == ("K35.8", "47.0100")


def test_columns_in_any_order(tmp_path: Path) -> None:
    head: list[object] = ["主要手术操作编码", "主要诊断编码", "序号", "分类"]
    found = basic(tmp_path, ["47.0100", "K35.8", 1, "JC"], head=head)
    assert cells(found, "JC-1")[:2] == ("K35.8", "47.0100")


def test_a_header_of_two_rows(tmp_path: Path) -> None:
    sheets = official(
        **{
            BASIC: [
                ["分类", "序号", "主要诊断", None, "主要手术操作", None],
                ["分类", "序号", "编码", "名称", "编码", "名称"],
                ["JC", 1, "K35.8", "阑尾炎", "47.0100", "阑尾切除"],
            ],
            "六、基层病种": None,
        }
    )
    found = read(tmp_path, sheets, {BASIC: ["A1:A2", "B1:B2", "C1:D1", "E1:F1"]})
    assert said(found) == []
    assert cells(found, "JC-1")[:2] == ("K35.8", "47.0100")
    assert found.catalog is not None
    assert found.catalog.groups.filter(group_id="JC-1")["name"].item() == "阑尾炎,阑尾切除"


def test_sheets_in_any_order_and_under_other_names(tmp_path: Path) -> None:
    sheets = official()
    turned = dict(reversed(list(sheets.items())))
    assert read(tmp_path, turned).catalog == read(tmp_path, sheets).catalog
    renamed = {name: name for name in sheets} | {
        PRE: "先期",
        MERGED: "合并病种",
        "三、诊断辅助细分-烧伤类病种": "烧伤",
        BASIC: "基本病种",
        "五、不纳入分组的主要诊断": "不可作为主要诊断",
        "附表—结核耐药诊断": "耐药诊断",
        COMPREHENSIVE: "Sheet9",
    }
    assert (
        read(tmp_path, {renamed[name]: rows for name, rows in sheets.items()}).catalog
        == read(tmp_path, sheets).catalog
    )


def test_a_header_repeated_and_remarks_between(tmp_path: Path) -> None:
    first: list[object] = ["JC", 1, "K35.8", "x", None, None]
    second: list[object] = ["JC", 2, "K36", "y", None, None]
    found = basic(tmp_path, first, ["(续表)"], HEAD, second, ["注:编码为医保版2.0"])
    assert said(found) == []
    (count,) = [one for one in found.report.counts() if one.role == "basic"]
    assert (count.rows, count.headings, count.understood) == (6, 4, 2)


def test_a_stray_row_is_reported(tmp_path: Path) -> None:
    found = basic(tmp_path, ["JC", 1, "K35.8", "x"], ["待定"])
    assert said(found) == [("CATALOG_BLANK", BASIC, 3)]


# Merged cells


def test_merged_cells_are_filled_down(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        HEAD,
        ["JC", 1, "K35.8", "阑尾炎", None, None],
        [None, 2, None, None, "47.0100", "腹腔镜"],
        [None, 3, None, None, "47.0901", "开腹"],
    ]
    found = read(
        tmp_path, official(**{BASIC: rows, "六、基层病种": None}), {BASIC: ["A2:A4", "C2:C4", "D2:D4"]}
    )
    assert said(found) == []
    assert [cells(found, f"JC-{n}")[:2] for n in (1, 2, 3)] == [
        ("K35.8", None),
        ("K35.8", "47.0100"),
        ("K35.8", "47.0901"),
    ]


def test_a_group_over_several_rows_becomes_one(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        HEAD,
        ["JC", 1, "K35.8", "阑尾炎", "47.0100", "腹腔镜"],
        [None, None, None, None, "47.0901", "开腹"],
    ]
    found = read(
        tmp_path, official(**{BASIC: rows, "六、基层病种": None}), {BASIC: ["A2:A3", "B2:B3", "C2:C3"]}
    )
    assert said(found) == []
    assert cells(found, "JC-1")[:2] == ("K35.8", "47.0100|47.0901")
    assert ("CATALOG_REPEATED", BASIC, 3) in said(found, "warning")


def test_a_diagnosis_lost_with_its_merged_cell_is_not_guessed(tmp_path: Path) -> None:
    found = basic(tmp_path, ["JC", 1, "K35.8", "x", None, None], ["JC", 2, None, None, "47.0100", None])
    assert said(found) == [("CATALOG_BLANK", BASIC, 3)]


# The same thing twice


def test_repeated_rows_are_taken_once(tmp_path: Path) -> None:
    row: list[object] = ["JC", 1, "K35.8", "x", None, None]
    found = basic(tmp_path, row, row)
    assert said(found) == []
    assert next(one for one in found.report.counts() if one.role == "basic").repeated == 1


def test_one_code_for_two_rules_is_an_error(tmp_path: Path) -> None:
    found = basic(tmp_path, ["JC", 1, "K35.8", "x", None, None], ["JC", 1, "A01.0", "y", "47.0100", None])
    assert said(found) == [("CATALOG_DUPLICATE_ID", BASIC, 3)]


def test_two_codes_for_one_rule_are_an_error(tmp_path: Path) -> None:
    found = basic(tmp_path, ["JC", 1, "K35.8", "x", None, None], ["JC", 2, "K35.8", "y", None, None])
    assert said(found) == [("CATALOG_SAME_RULE", BASIC, 3)]


# Columns and sheets that nobody knows


def test_an_unknown_column_that_may_be_a_condition_is_an_error(tmp_path: Path) -> None:
    found = basic(tmp_path, ["JC", 1, "K35.8", "x", None, None, "男"], head=[*HEAD, "性别"])
    (line,) = found.report.errors
    assert (line.reason, line.column) == ("column_rule", "性别")


def test_an_unknown_column_of_figures_is_said(tmp_path: Path) -> None:
    found = basic(tmp_path, ["JC", 1, "K35.8", "x", None, None, 3.5], head=[*HEAD, "分值"])
    assert said(found) == []
    assert [one.column for one in found.report.entries if one.reason == "column_left"] == ["分值"]


def test_an_unknown_sheet_is_counted_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, official(封面=[["某方案"], ["2026年"]]))
    (count,) = [one for one in found.report.counts() if one.place.sheet == "封面"]
    assert (count.rows, count.not_read) == (2, 2)
    assert said(found) == []
    assert any(one.reason == "sheet_left" and one.place.sheet == "封面" for one in found.report.entries)


# Each sheet's own


def test_all_layers_on_one_sheet(tmp_path: Path) -> None:
    head: list[object] = [
        *(
            "方案序号",
            "DIP编码",
            "分类",
            "成组层次",
            "辅助细分类别",
            "分组名称",
            "主要诊断编码",
            "主要诊断名称",
        ),
        *("主要手术操作编码", "主要手术操作名称", "相关手术操作编码", "相关手术操作名称", "其他诊断编码"),
        *("其他诊断名称", "烧伤程度", "烧伤面积", "是否耐药", "天龄", "出生体重", "说明"),
    ]

    def row(seq: str, layer: str, aux: str = "", **given: object) -> list[object]:
        known = {
            "方案序号": seq,
            "DIP编码": f"码{seq}",
            "分类": seq[:2],
            "成组层次": layer,
            "辅助细分类别": aux,
            **given,
        }
        return [known.get(str(title)) for title in head]

    rows = [
        head,
        row("XQ-1", "先期分组", 主要手术操作编码="33.6x00"),
        row("XQ-16", "先期分组", 主要诊断编码="P07", 天龄="<29天", 出生体重="<1000克"),
        row(
            "BX-20",
            "并项规则",
            主要诊断编码="A08|A09",
            主要手术操作编码="44.1300",
            相关手术操作编码="45.2300",
        ),
        row("FZ-1745", "诊断辅助细分", "烧伤类", 主要诊断编码="T20-T25", 烧伤程度="二度", 烧伤面积="10%-29%"),
        row(
            "FZ-1770",
            "诊断辅助细分",
            "肿瘤类",
            主要诊断编码="Z51.1",
            其他诊断编码="C88",
            主要手术操作编码="99.2503",
        ),
        row("FZ-1840", "诊断辅助细分", "结核类", 主要诊断编码="A17", 是否耐药="是"),
        row("JC-1858", "基本规则", 主要诊断编码="A01.0"),
    ]
    others = official(**{name: None for name in official() if name[0] in "一二三四六"})
    found = read(tmp_path, {"核心病种": rows, **others})
    assert said(found) == []
    assert found.catalog is not None
    by_id = {one["group_id"]: one for one in found.catalog.groups.iter_rows(named=True)}
    assert {code: one["layer"] for code, one in by_id.items() if one["layer"] != "comprehensive"} == {
        "XQ-1": "pregroup",
        "XQ-16": "pregroup",
        "BX-20": "merged",
        "FZ-1745": "assisted",
        "FZ-1770": "assisted",
        "FZ-1840": "assisted",
        "JC-1858": "basic",
    }
    assert (by_id["XQ-16"]["birth_weight_min_g"], by_id["XQ-16"]["birth_weight_max_g"]) == (None, 999)
    # Burns of the second degree are .2, corrosions of that degree .6; 10 % to 29 % are the fourth characters 1 and 2.
    assert by_id["FZ-1745"]["main_diag"] == "|".join(f"T2{n}.{d}" for d in (2, 6) for n in range(6))
    assert by_id["FZ-1745"]["other_diag"] == "T31.1|T31.2|T32.1|T32.2"
    assert by_id["FZ-1770"]["treatment"] == "any_operation"
    assert by_id["BX-20"]["related_oprn"] == "45.2300"
    assert found.beside.labels.filter(group_id="BX-20")["dip_code"].item() == "码BX-20"


def test_burn_areas_that_contradict_the_codes_are_said(tmp_path: Path) -> None:
    name = "三、诊断辅助细分-烧伤类病种"
    sheets = official()
    sheets[name][3][5] = "20%-29%"
    found = read(tmp_path, sheets)
    assert said(found) == []
    assert [one.reason for one in found.report.entries if one.place.sheet == name] == ["area_doubt"]


@pytest.mark.parametrize(
    ("note", "kind", "within"),
    [
        ("不可作为主要手术操作", "cannot_be_main", None),
        ("不能作为主要手术", "cannot_be_main", None),
        ("按保守治疗入组", "as_conservative", None),
        ("按保守\n治疗入组", "as_conservative", None),
        ("A00－A09｜C15作为主要诊断，可作为主要手术操作", "main_within", "A00-A09|C15"),
        ("限C00-C97、Z51.1作为主要诊断时可作主要手术操作,否则按保守治疗入组", "main_within", "C00-C97|Z51.1"),
        (None, "as_conservative", None),
    ],
)
def test_the_three_ways_to_exclude_an_operation(
    tmp_path: Path, note: str | None, kind: str, within: str | None
) -> None:
    rows: list[list[object]] = [["主要手术操作编码", "主要手术操作名称", "说明"], ["00.3101", "导航", note]]
    found = read(tmp_path, official(**{EXCLUDED: rows}))
    assert said(found) == []
    assert found.catalog is not None
    row = found.catalog.exclusions.filter(code="00.3101").row(0, named=True)
    assert (row["kind"], row["within"], row["note"]) == (kind, within, "导航")


def test_excluded_operations_on_three_sheets(tmp_path: Path) -> None:
    code: list[object] = ["编码", "名称"]
    found = read(
        tmp_path,
        official(
            **{
                EXCLUDED: None,
                "不可作为主要手术操作": [code, ["00.3101", "导航"]],
                "按保守治疗入组的操作": [code, ["11.6000", "角膜移植"]],
                "限范围可作主要手术操作": [[*code, "限定主诊断范围"], ["45.1300", "内镜", "A00-A09"]],
            }
        ),
    )
    assert said(found) == []
    assert found.catalog is not None
    some = found.catalog.exclusions.filter(~found.catalog.exclusions["kind"].is_in(["diagnosis"]))
    kinds = {code: kind for kind, code in some.select("kind", "code").iter_rows()}
    assert kinds == {"00.3101": "cannot_be_main", "11.6000": "as_conservative", "45.1300": "main_within"}


@pytest.mark.parametrize(
    ("note", "code"), [("酌情", "CATALOG_EXCLUSION_KIND"), ("限范围", "CATALOG_EXCLUSION_RANGE")]
)
def test_an_exclusion_that_is_not_understood(tmp_path: Path, note: str, code: str) -> None:
    rows: list[list[object]] = [["主要手术操作编码", "主要手术操作名称", "说明"], ["00.3101", "导航", note]]
    assert said(read(tmp_path, official(**{EXCLUDED: rows}))) == [(code, EXCLUDED, 2)]


def test_an_operation_excluded_in_two_ways(tmp_path: Path) -> None:
    sheets = official()
    sheets[EXCLUDED].append(["11.6000", "角膜移植", "不可作为主要手术操作"])
    assert said(read(tmp_path, sheets)) == [("CATALOG_EXCLUSION_TWICE", EXCLUDED, 7)]


def test_resistance_without_its_list_is_an_error(tmp_path: Path) -> None:
    found = read(tmp_path, official(**{"附表—结核耐药诊断": None}))
    # The remark names U84.3, so the list has that; without the remark there is nothing.
    assert said(found) == []
    sheets = official(**{"附表—结核耐药诊断": None})
    name = "三、诊断辅助细分-结核类病种"
    for row in sheets[name][2:]:
        row[7] = None
    assert {code for code, _, _ in said(read(tmp_path, sheets))} == {"CATALOG_SET"}


def test_grassroots_rows_that_fit_no_group(tmp_path: Path) -> None:
    sheets = official()
    name = "六、基层病种"
    sheets[name] += [[3, "Z99.9", "没有", None, None], [4, "K35.8", "窄", "47.0100", None]]
    found = read(tmp_path, sheets)
    assert said(found) == [("CATALOG_GRASSROOTS", name, 5), ("CATALOG_GRASSROOTS", name, 6)]
    why = found.report.frame("en").filter(severity="error")["why"].to_list()
    assert why[1] == "the group of the catalogue is wider than this row: K35.8 47.0100 → JC-3625"


COMPREHENSIVE_FORMS: dict[str, list[list[object]]] = {
    "one row a category": [["类目编码", "类目名称"], ["A09", "胃肠炎"], ["I25", "冠心病"]],
    "four columns": [
        ["类目编码", "类目名称", "内科诊疗组", "诊断性操作组", "治疗性操作组", "相关手术组"],
        ["A09", "胃肠炎", "A09-1", "A09-2", "A09-3", "A09-4"],
        ["I25", "冠心病", "I25-1", "√", "是", "I25-4"],
    ],
    "code only": [
        ["综合病种编码", "综合病种名称", "类目"],
        *([f"{one}-{number}", f"{one}{number}", one] for one in ("A09", "I25") for number in range(1, 5)),
    ],
}


@pytest.mark.parametrize("form", COMPREHENSIVE_FORMS)
def test_forms_of_the_dictionary(tmp_path: Path, form: str) -> None:
    found = read(tmp_path, official(**{COMPREHENSIVE: COMPREHENSIVE_FORMS[form]}))
    assert said(found) == []
    assert found.catalog is not None
    rows = found.catalog.groups.filter(layer="comprehensive").select("group_id", "main_diag", "treatment")
    kinds = ("medical", "diagnostic", "therapeutic", "surgery")
    assert list(rows.iter_rows()) == [
        (f"{one}-{number}", one, kind) for one in ("A09", "I25") for number, kind in enumerate(kinds, start=1)
    ]


def test_marks_of_categories_and_kinds_that_disagree(tmp_path: Path) -> None:
    head = official()[COMPREHENSIVE][0]
    rows: list[list[object]] = [
        head,
        ["G01*", "脑膜炎", 1, "内科诊疗组", "G01*-1", "x"],
        ["A09", "胃肠炎", 1, "相关手术组", "A09-4", "x"],
        ["A09", "胃肠炎", 1, "特殊组", "A09-5", "x"],
        ["A09", "胃肠炎", 1, "内科诊疗组", "A09-1", "x"],
        ["A09+", "胃肠炎", 1, "内科诊疗组", "A09+-1", "x"],
    ]
    found = read(tmp_path, official(**{COMPREHENSIVE: rows}))
    assert said(found) == [
        ("CATALOG_CONTRADICTION", COMPREHENSIVE, 3),
        ("CATALOG_TREATMENT", COMPREHENSIVE, 4),
    ]
    assert found.catalog is not None
    assert found.catalog.groups.filter(group_id="G01*-1")["main_diag"].item() == "G01"
    assert next(one for one in found.report.counts() if one.role == "comprehensive").repeated == 1


def test_operation_types_that_are_not_understood(tmp_path: Path) -> None:
    rows = [
        *OPERATIONS["手术操作类型"],
        ["45.1300", "小肠镜", "检查", 1],
        ["36.1200", "两支冠脉搭桥", "治疗性操作", 4],
        ["88.4100", "脑动脉造影", "诊断性操作", 2],
        [None, "无编码", "手术", 1],
    ]
    found = read(tmp_path, official(手术操作类型=rows))
    assert said(found) == [
        ("OPERATION_TYPE", "手术操作类型", 9),
        ("OPERATION_CONFLICT", "手术操作类型", 10),
        ("CATALOG_BLANK", "手术操作类型", 12),
    ]
    assert next(one for one in found.report.counts() if one.role == "operations").repeated == 1
    assert not any(one.reason == "no_operations" for one in found.report.entries)
    assert found.beside.levels["36.1200"] == "4"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, official(**{COMPREHENSIVE: None, "六、基层病种": None}))
    assert {one.reason for one in found.report.entries} >= {"no_operations", "missing_sheet"}
    missing = {one.place.sheet for one in found.report.entries if one.reason == "missing_sheet"}
    assert missing == {COMPREHENSIVE, "基层病种"}


def test_formulas_have_their_value(tmp_path: Path) -> None:
    import xlsxwriter

    path = write(tmp_path / "scheme.xlsx", official())
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet(BASIC)
        for at, title in enumerate(HEAD):
            sheet.write_string(0, at, str(title))
        sheet.write_string(1, 0, "JC")
        sheet.write_formula(1, 1, "=ROW()-1", None, 7)
        sheet.write_string(1, 2, "A01.0")
        sheet.write_formula(1, 4, '="47.01"&"00"', None, "47.0100")
    found = read_dip(Sources((path,), {}, LocalLayout(), {}))
    assert cells(found, "JC-7")[:2] == ("A01.0", "47.0100")

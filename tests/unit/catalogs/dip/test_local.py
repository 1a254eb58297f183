"""Local layouts by a mapping file: read, and every slip named with the nearest valid word."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from fenzhi.catalogs.dip import LocalLayout, Read, Sources, read_dip, read_layout
from fenzhi.catalogs.dip.layout import ROLES
from fenzhi.errors import CatalogError

from .book import write

PAGE = (Path(__file__).parents[4] / "docs" / "reference" / "dip-workbook.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)[0]


def read(tmp_path: Path, text: str, rows: list[list[object]], name: str = "病种库") -> Read:
    (tmp_path / "layout.toml").write_text(text, encoding="utf-8")
    book = write(tmp_path / "local.xlsx", {name: rows})
    return read_dip(Sources((book,), {}, read_layout(tmp_path / "layout.toml"), {}))


ROWS: list[list[object]] = [
    ["某市病种库"],
    ["组码", "名称", "主诊", "操作", "操作2", "费用"],
    ["K35.8:a", "阑尾炎", "K35.8/K35.9", "47.0100/47.0901+54.2100", None, 8000],
    ["K35.8:b", "阑尾炎", "K35.8", "47.0100", "54.5100", 9000],
    ["K35.8:c", "阑尾炎保守", "K35.8", "保守治疗", None, 3000],
]


def test_the_example_of_the_page(tmp_path: Path) -> None:
    rows = [[cell if cell != "名称" else "病种名称" for cell in row] for row in ROWS]
    found = read(tmp_path, EXAMPLE, rows)
    assert [one.reason for one in found.report.errors] == []
    assert found.catalog is not None
    assert found.catalog.meta.title == "某市 DIP 2.0 目录"
    assert found.catalog.meta.layers == ("basic", "comprehensive")
    groups = found.catalog.groups.select(
        "group_id", "layer", "main_diag", "treatment", "main_oprn", "related_oprn"
    )
    assert list(groups.iter_rows()) == [
        ("K35.8:a", "basic", "K35.8/K35.9", "operation", "47.0100/47.0901+54.2100", None),
        ("K35.8:b", "basic", "K35.8", "operation", "47.0100", "54.5100"),
        ("K35.8:c", "basic", "K35.8", "conservative", None, None),
    ]


def test_without_the_file_the_mixed_cell_is_refused(tmp_path: Path) -> None:
    head: list[object] = ["DIP编码", "病种名称", "主要诊断编码", "主要手术操作编码"]
    found = read(tmp_path, "", [head, *(row[:4] for row in ROWS[2:])], "基本病种")
    assert [(one.reason, one.place.number) for one in found.report.errors] == [("cell_mixed", 2)]


def test_layers_by_a_column_of_their_own(tmp_path: Path) -> None:
    head: list[object] = ["病种编码", "病种名称", "病种类型", "主要诊断编码", "治疗方式", "主要手术编码"]
    rows: list[list[object]] = [
        head,
        ["K35.8:47.0100", "阑尾炎", "核心病种", "K35.8", None, "47.0100"],
        ["K35:z", "阑尾炎综合", "综合病种", "K35", "治疗性操作", None],
        ["K36-1", "其他", "综合病种", "K36", None, None],
        ["K37", "其他", "特色病种", "K37", None, None],
    ]
    found = read(tmp_path, "", rows, "DIP病种目录")
    assert [(one.reason, one.place.number) for one in found.report.errors] == [("layer", 5)]
    assert found.catalog is not None
    kinds = found.catalog.groups.select("group_id", "layer", "treatment")
    assert list(kinds.iter_rows()) == [
        ("K35.8:47.0100", "basic", "operation"),
        ("K35:z", "comprehensive", "therapeutic"),
        ("K36-1", "comprehensive", "medical"),
    ]


def test_a_sheet_can_be_skipped(tmp_path: Path) -> None:
    found = read(tmp_path, '[sheets."病种库"]\nrole = "skip"\n', ROWS)
    assert found.catalog is None
    assert found.report.entries == []
    assert [one.not_read for one in found.report.counts()] == [5]


def test_zeros_are_not_put_back_where_codes_are_shorter(tmp_path: Path) -> None:
    head: list[object] = ["DIP编码", "病种名称", "主要诊断编码", "主要手术操作编码"]
    rows: list[list[object]] = [head, ["a", "x", "K35.8", 47.01]]
    found = read(tmp_path, "[rules]\nnumber_places = 0\n", rows, "基本病种")
    assert [one.reason for one in found.report.errors] == ["code_number"]
    found = read(tmp_path, "[rules]\nnumber_places = 2\n", rows, "基本病种")
    assert found.catalog is not None
    assert found.catalog.groups["main_oprn"].to_list() == ["47.01"]


@pytest.mark.parametrize(
    ("text", "field", "remedy"),
    [
        ("[sheet.x]\n", "sheet", "did you mean sheets?"),
        ('[sheets.x]\nrol = "core"\n', "sheets.x", "did you mean role?"),
        ('[sheets.x]\nrole = "cores"\n', "sheets.x.role", "did you mean core?"),
        (
            '[sheets.x]\nrole = "core"\n[sheets.x.columns]\n"主诊" = "main_dig"\n',
            "sheets.x.columns.主诊",
            "did you mean main_diag?",
        ),
        ('[sheets.x]\nrole = "core"\nlayer = "basics"\n', "sheets.x.layer", "did you mean basic?"),
        ('[sheets.x]\nheader_row = "2"\n', "sheets.x.header_row", "count as Excel does"),
        ('[catalog]\ntitel = "x"\n', "catalog.titel", "did you mean title?"),
        ('[rules]\nresistence_code = ""\n', "rules.resistence_code", "did you mean resistance_code?"),
        (
            '[rules]\nassisted_without_operation = "all"\n',
            "rules.assisted_without_operation",
            "use one of: any, conservative",
        ),
        ("[rules]\nnumber_places = 9\n", "rules.number_places", "write 0 to 4"),
        ('[dialect]\nfrom = "all"\n', "dialect", "did you mean form?"),
        ('[dialect]\nform = "al"\n', "dialect.form", "use or_of_ands, and_of_ors or all"),
        ("x = 1\n", "x", "use one of: catalog, dialect, rules, sheets"),
        ("[\n", None, "correct the line named"),
    ],
)
def test_slips_of_the_file(tmp_path: Path, text: str, field: str | None, remedy: str) -> None:
    path = tmp_path / "layout.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError) as error:
        read_layout(path)
    assert (error.value.code, error.value.field or None, error.value.remedy) == (
        "CATALOG_LAYOUT",
        field,
        remedy,
    )
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="CATALOG_LAYOUT"):
        read_layout(tmp_path / "nothing.toml")


def test_the_page_has_every_role_title_word_and_column() -> None:
    for role in ROLES.values():
        assert f"`{role.name}`" in PAGE, role.name
        assert role.title in PAGE, role.title
        for words in role.words:
            assert " + ".join(words) in PAGE, (role.name, words)
    rows = {
        row[0]: row[1:]
        for line in PAGE.splitlines()
        if (row := [c.strip() for c in line.strip("|").split("|")])
    }
    for column in ROLES["core"].columns:
        if column.name == "ignored":
            assert all(title in PAGE for title in column.titles)
        else:
            assert ", ".join(column.titles[1:]) == rows[column.titles[0]][0], column.titles[0]
        assert f"`{column.name}`" in PAGE
    defaults = tomllib.loads(EXAMPLE)["rules"]
    assert LocalLayout(**defaults) == LocalLayout()

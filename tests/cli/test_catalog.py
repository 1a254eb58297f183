"""``fenzhi catalog``: import, export, show, diff and check as a user sees them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cli.calls import done, fenzhi
from fenzhi.catalogs import load_catalog
from unit.catalogs.drg.small import changed, write

DIP = "demonstration-3.0"


@pytest.fixture
def source(tmp_path) -> Path:
    return write(tmp_path / "tables")


@pytest.fixture
def drg(source, tmp_path) -> Path:
    done("catalog", "import", source, "-o", tmp_path / "drg", "--kind", "chs-drg")
    return tmp_path / "drg"


def findings(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


def test_import_of_tables(tmp_path):
    source = write(
        tmp_path / "tables",
        drg=changed("drg", "GR13,阑尾炎伴CC,GR1,1,2,cc", "GR13,阑尾炎伴CC,GR1,1,2,always"),
    )
    report = tmp_path / "findings.csv"
    out = done(
        *("catalog", "import", source, "-o", tmp_path / "drg", "--kind", "chs-drg", "--id", "my-drg"),
        *("--title", "我的方案", "--version", "9", "--translate", "--report", report),
    )
    meta = load_catalog(tmp_path / "drg").meta
    assert (meta.id, meta.title, meta.version, meta.translate_codes) == ("my-drg", "我的方案", "9", True)
    assert meta.retry_other_operations
    lines = [line.split() for line in out.splitlines()]
    assert ["我的方案", "9", "(my-drg)"] in lines
    for size in (["MDC", "2"], ["ADRG", "5"], ["DRG", "9"], ["编码集", "6"], ["排除表", "2"]):
        assert size in lines
    rows = findings(report)
    assert [(row["severity"], row["code"], row["row"]) for row in rows] == [
        ("warning", "CATALOG_UNREACHABLE", "10")
    ]
    assert "GR17, GR15" in rows[0]["message"]
    assert out.endswith(f"{report}\n{tmp_path / 'drg'}\n")
    assert any(line[:3] == ["警告", "CATALOG_UNREACHABLE", "1"] for line in lines)
    assert (tmp_path / "drg").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "drg").iterdir()} == {0o600}


def test_english(source, tmp_path):
    out = done("catalog", "import", source, "-o", tmp_path / "drg", "--kind", "chs-drg", "--lang", "en")
    assert "code lists" in out
    assert "编码集" not in out


def test_an_error_names_file_and_row_and_nothing_is_written(tmp_path):
    source = write(tmp_path / "tables", adrg_condition=changed("adrg_condition", "PROC_TAGS", "PROC_MOON"))
    said = fenzhi(
        "catalog",
        "import",
        source,
        "-o",
        tmp_path / "drg",
        "--kind",
        "chs-drg",
        "--report",
        tmp_path / "r.csv",
    )
    assert (said.code, said.out) == (2, "")
    assert "[CATALOG_UNKNOWN_KIND]" in said.err
    assert f"{source / 'adrg_condition.csv'}, row 5" in said.err
    assert "PROC_MOON" in said.err
    assert "to do:" in said.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tables"]


def test_an_error_of_a_workbook_names_sheet_and_cell(tmp_path):
    from unit.catalogs.drg.test_workbook import changed as cell
    from unit.catalogs.drg.test_workbook import write as write_sheets

    book = write_sheets(tmp_path / "plan.xlsx", cell("编码集", 6, 1, 47.01))
    said = fenzhi("catalog", "import", book, "-o", tmp_path / "drg", "--kind", "chs-drg")
    assert said.code == 2
    assert "[CATALOG_WORKBOOK_NUMBER]" in said.err
    assert "plan.xlsx, sheet 编码集, cell B7" in said.err
    assert "47.01" in said.err


def test_a_workbook_by_hand_takes_its_name_and_says_what_it_left_out(tmp_path):
    from unit.catalogs.drg.test_workbook import SHEETS
    from unit.catalogs.drg.test_workbook import write as write_sheets

    book = write_sheets(tmp_path / "某市 Plan 2.xlsx", SHEETS)
    out = done("catalog", "import", book, "-o", tmp_path / "drg", "--kind", "chs-drg")
    meta = load_catalog(tmp_path / "drg").meta
    assert (meta.id, meta.title, meta.kind) == ("plan-2", "某市 Plan 2", "imported")
    assert "未采用: 封面" in out


def test_nothing_is_overwritten(source, drg, tmp_path):
    said = fenzhi("catalog", "import", source, "-o", drg, "--kind", "chs-drg")
    assert (said.code, "[OUTPUT_EXISTS]" in said.err) == (2, True)
    (tmp_path / "r.csv").write_text("mine")
    for words in (
        ("import", source, "-o", tmp_path / "new", "--kind", "chs-drg", "--report", tmp_path / "r.csv"),
        ("diff", drg, drg, "-o", tmp_path / "r.csv"),
    ):
        said = fenzhi("catalog", *words)
        assert (said.code, "[OUTPUT_EXISTS]" in said.err) == (2, True)
    assert (tmp_path / "r.csv").read_text() == "mine"
    assert not (tmp_path / "new").exists()


def test_kinds_that_are_offered(source, tmp_path):
    said = fenzhi("catalog", "import", source, "-o", tmp_path / "x", "--kind", "apg")
    assert (said.code, "chs-drg" in said.err, "dip" in said.err) == (2, True, True)


def test_a_source_that_is_not_there(tmp_path):
    said = fenzhi("catalog", "import", tmp_path / "nowhere", "-o", tmp_path / "x", "--kind", "chs-drg")
    assert (said.code, "[CATALOG_MISSING]" in said.err) == (2, True)


def test_export_and_import_again(drg, tmp_path):
    book = tmp_path / "drg.xlsx"
    assert str(book) in done("catalog", "export", drg, "-o", book)
    done("catalog", "import", book, "-o", tmp_path / "again", "--kind", "chs-drg")
    assert load_catalog(tmp_path / "again") == load_catalog(drg)
    assert done("catalog", "diff", drg, tmp_path / "again") == "没有差异\n"


@pytest.mark.parametrize("name", ["x.csv", "x"])
def test_export_is_a_workbook(drg, tmp_path, name):
    said = fenzhi("catalog", "export", drg, "-o", tmp_path / name)
    assert (said.code, "[OUTPUT_FORMAT]" in said.err) == (2, True)


@pytest.mark.parametrize("option", [["--skip-bad"], ["--operations", "x.csv"], ["--layout", "x.toml"]])
def test_options_of_dip_are_no_options_of_drg(source, tmp_path, option):
    said = fenzhi("catalog", "import", source, "-o", tmp_path / "x", "--kind", "chs-drg", *option)
    assert (said.code, "--kind chs-drg" in said.err) == (2, True)


def words(out: str) -> list[list[str]]:
    return [line.split() for line in out.splitlines()]


def test_show_the_whole(drg):
    lines = words(done("catalog", "show", drg))
    assert ["MDC", "/", "ADRG", "/", "DRG", "2", "/", "5", "/", "9"] in lines
    assert ["1", "MDCN", "女性", "主要诊断∈MDCN.dx;", "性别=女", "off", "2", "2"] in lines
    assert ["无组时以其他手术重试", "是"] in lines


def test_show_a_chapter_an_adrg_and_a_drg(drg):
    chapter = done("catalog", "show", drg, "MDCG")
    assert ["2", "GB1/2", "手术", "阑尾手术", "手术组合", "GB1.tagged:", "1&2", "GB1"] in words(chapter)
    assert ["3", "GK1", "操作", "内镜操作", "任一手术∈GK1.ops", "继续下一组"] in words(chapter)
    adrg = words(done("catalog", "show", drg, "GR1"))
    assert ["GR1", "阑尾炎", "(MDCG)"] in adrg
    assert ["GR1.dx", "3", "K35.800,", "K35.900,", "K66.000"] in adrg
    assert ["3", "GR1", "GR17", "阑尾炎儿童", "年龄<17;", "住院天数>=2"] in adrg
    assert words(done("catalog", "show", drg, "GR17"))[0] == ["GR17", "阑尾炎儿童", "(GR1)"]


def test_show_a_code(drg):
    dx = words(done("catalog", "show", drg, "K66.000"))
    for line in (["编码库", "腹膜粘连"], ["主要诊断大类", "MDCN"], ["主要诊断大类", "MDCG"]):
        assert line in dx
    assert ["ADRG", "NZ1", "女性其他", "[NZ1.dx]"] in dx
    assert ["CC", "/", "MCC", "与排除表", "CC", "2"] in words(done("catalog", "show", drg, "I10.x00"))
    op = words(done("catalog", "show", drg, "54.2100", "--lang", "en"))
    assert ["ADRG", "GB1/2:PROC_TAGS", "阑尾手术", "=", "2", "[GB1.tagged]"] in op
    assert ["valid", "for", "grouping", "yes"] in op


def test_show_a_code_that_a_category_stands_for():
    lines = words(done("catalog", "show", "demonstration-drg", "K35.800"))
    assert ["主要诊断大类", "MDCG", "(K35-K38)"] in lines


def test_show_a_dip_catalogue():
    assert ["comprehensive", "116"] in words(done("catalog", "show", DIP))
    found = words(done("catalog", "show", DIP, "K35.800"))
    assert [line[0] for line in found if line[:1] and line[0].startswith(("JC-", "K35-"))][:2] == [
        "JC-D140",
        "JC-D141",
    ]
    assert ["main_oprn", "47.0100"] in words(done("catalog", "show", DIP, "JC-D141"))
    assert any(line[:1] == ["JC-D141"] for line in words(done("catalog", "show", DIP, "47.0100")))


@pytest.mark.parametrize("catalog", [DIP, "demonstration-drg"])
def test_show_what_is_not_there(catalog):
    said = fenzhi("catalog", "show", catalog, "ZZZ999")
    assert (said.code, "[CATALOG_CODE_MISSING]" in said.err) == (2, True)


def test_diff(drg, tmp_path):
    other = write(
        tmp_path / "other",
        mdc_dx=changed("mdc_dx", "MDCG,K66.000,\n", ""),
        drg=changed("drg", "age<17", "=age<18").replace("=age", "age"),
    )
    done("catalog", "import", other, "-o", tmp_path / "two", "--kind", "chs-drg")
    out = done("catalog", "diff", drg, tmp_path / "two", "-o", tmp_path / "moved.csv")
    lines = words(out)
    assert ["诊断所属", "MDC", "变动", "1", "K66.000:", "MDCG,", "MDCN", "→", "MDCN"] in lines
    assert [
        "DRG",
        "规则",
        "变动",
        "1",
        "GR17:",
        "GR1:",
        "age<17;los>=2",
        "→",
        "GR1:",
        "age<18;los>=2",
    ] in lines
    rows = findings(tmp_path / "moved.csv")
    assert [(row["what"], row["item"], row["name"]) for row in rows] == [
        ("drg_rule", "GR17", "阑尾炎儿童"),
        ("diagnosis_chapter", "K66.000", "腹膜粘连"),
    ]
    assert "diagnosis chapter" in done("catalog", "diff", drg, tmp_path / "two", "--lang", "en")


def test_diff_of_two_schemes(drg):
    for pair in ((DIP, drg), (drg, DIP)):
        said = fenzhi("catalog", "diff", *pair)
        assert (said.code, "[CATALOG_SCHEME]" in said.err) == (2, True)
    assert done("catalog", "diff", DIP, DIP, "--lang", "en") == "no differences\n"


def test_check_of_both_schemes(drg):
    assert ["comprehensive", "116"] in words(done("catalog", "check", DIP))
    out = done("catalog", "check", drg)
    assert out.splitlines()[-1] == "CHS-DRG Small 1 (small-1)"

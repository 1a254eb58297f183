"""``fenzhi catalog import --kind dip`` and ``export`` as a user sees them."""

from __future__ import annotations

import csv
import filecmp
import io
from pathlib import Path

from cli.calls import done, fenzhi
from unit.catalogs.dip.book import OPERATIONS, official, write

BASIC = "四、基础规则下的核心病种"


def report_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_import_export_import(tmp_path):
    book, types = write(tmp_path / "DIP 3.0.xlsx", official()), write(tmp_path / "types.xlsx", OPERATIONS)
    given = ("--kind", "dip", "--operations", types, "--id", "my-dip", "--title", "某市 DIP 3.0 目录")
    out = done("catalog", "import", book, "-o", tmp_path / "one", *given, "--report", tmp_path / "rows.csv")
    assert "某市 DIP 3.0 目录" in out
    assert "未读懂" in out
    assert {row["severity"] for row in report_of(tmp_path / "rows.csv")} == {"warning"}
    assert str(tmp_path / "again.xlsx") in done(
        "catalog", "export", tmp_path / "one", "-o", tmp_path / "again.xlsx"
    )
    english = done(
        "catalog", "import", tmp_path / "again.xlsx", "-o", tmp_path / "two", "--kind", "dip", "--lang", "en"
    )
    assert "not understood" in english
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert filecmp.cmpfiles(tmp_path / "one", tmp_path / "two", names, shallow=False) == (names, [], [])
    assert done("catalog", "diff", tmp_path / "one", tmp_path / "two") == "没有差异\n"


def test_a_row_that_is_not_understood(tmp_path):
    sheets = official()
    sheets[BASIC].append(["JC", 9000, "K36", "其他阑尾炎", "786900x002", "x"])
    book = write(tmp_path / "scheme.xlsx", sheets)
    said = fenzhi(
        *(
            "catalog",
            "import",
            book,
            "-o",
            tmp_path / "new",
            "--kind",
            "dip",
            "--report",
            tmp_path / "rows.csv",
        )
    )
    assert said.code == 2
    assert "[CATALOG_IMPORT] nothing is written: 1 rows" in said.err
    assert "cell E11" in said.err
    assert not (tmp_path / "new").exists()
    (error,) = [row for row in report_of(tmp_path / "rows.csv") if row["severity"] == "error"]
    assert (error["sheet"], error["row"], error["cell"], error["value"]) == (BASIC, "11", "E11", "786900x002")
    out = done("catalog", "import", book, "-o", tmp_path / "new", "--kind", "dip", "--skip-bad")
    assert "跳过未读懂的行: 1" in out
    text = (tmp_path / "new" / "groups.csv").read_text(encoding="utf-8")
    assert "JC-5111" in text
    assert "JC-9000" not in text


def test_workbooks_may_be_several_or_a_folder(tmp_path):
    name = "综合病种字典表"
    (tmp_path / "books").mkdir()
    one = write(tmp_path / "books" / "1.xlsx", official(**{name: None}))
    two = write(tmp_path / "books" / "2.xlsx", {name: official()[name]})
    done("catalog", "import", one, two, "-o", tmp_path / "a", "--kind", "dip", "--id", "x", "--title", "x")
    done(
        "catalog",
        "import",
        tmp_path / "books",
        "-o",
        tmp_path / "b",
        "--kind",
        "dip",
        "--id",
        "x",
        "--title",
        "x",
    )
    assert (tmp_path / "a" / "groups.csv").read_bytes() == (tmp_path / "b" / "groups.csv").read_bytes()
    assert "A09-4" in (tmp_path / "a" / "groups.csv").read_text(encoding="utf-8")


def test_nothing_to_import(tmp_path):
    (tmp_path / "empty").mkdir()
    said = fenzhi("catalog", "import", tmp_path / "empty", "-o", tmp_path / "x", "--kind", "dip")
    assert (said.code, "[CATALOG_MISSING]" in said.err) == (2, True)
    book = write(tmp_path / "cover.xlsx", {"封面": [["某方案"]]})
    said = fenzhi("catalog", "import", book, "-o", tmp_path / "x", "--kind", "dip")
    assert (said.code, "[CATALOG_EMPTY]" in said.err) == (2, True)
    (tmp_path / "bad.xlsx").write_text("no workbook")
    said = fenzhi("catalog", "import", tmp_path / "bad.xlsx", "-o", tmp_path / "x", "--kind", "dip")
    assert (said.code, "[CATALOG_WORKBOOK]" in said.err) == (2, True)
    said = fenzhi("catalog", "import", book, "-o", tmp_path / "x", "--kind", "dip", "--translate")
    assert (said.code, "--translate" in said.err) == (2, True)

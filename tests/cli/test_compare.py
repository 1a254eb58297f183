"""``fenzhi compare``, ``run --restates`` and ``run --last-year``: two runs beside each other, as a user sees them."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from cli.small import STAYS, text_of, write_small
from fenzhi.attribution import CAUSES, COMPARED, cause
from fenzhi.reports.compare_texts import TEXTS

FILES = {
    *(f"{name}.parquet" for name in COMPARED),
    *(f"{name}.csv" for name in COMPARED if name != "stays"),
    "summary.json",
    "compare.html",
    "compare.xlsx",
}


def run(folder: Path, *options: str | Path) -> Path:
    """Run a region and return the new run's folder."""
    have = set(runs_of(folder)) if (folder / "runs").is_dir() else set()
    done("run", folder, *(options or ["--no-reports"]))
    [new] = set(runs_of(folder)) - have
    return new


def replaced(file: Path, *pairs: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def richer(tmp_path, small) -> tuple[Path, Path]:
    """Two runs of the small region: the second has 1,900.00 more for employees, and B2 is named like a formula."""
    before = run(small)
    replaced(small / "budget.toml", ("20000.00", "21900.00"))
    replaced(small / "hospitals.csv", ("第二医院", "=1+1"))
    return before, run(small)


def test_a_larger_budget_is_all_price(richer):
    # The fund of employees is 20,000 - 1,000 = 19,000.00, then 20,900.00; only S01 is paid from it (A1).
    summary = json.loads(done("compare", *richer, "--json"))
    assert summary["by"] == "stays"
    assert summary["totals"]["difference_fen"] == 190_000
    assert {name: fen for name, fen in summary["causes"].items() if fen} == {"price": 190_000}
    assert [(h["fixmedins_code"], h["difference_fen"]) for h in summary["hospitals"]] == [
        ("A1", 190_000),
        ("B2", 0),
        ("C3", 0),
    ]
    assert summary["counts"] == {
        "hospitals": 3,
        "gaining": 1,
        "losing": 0,
        "stays_before": 4,
        "stays_after": 4,
        "stays_both": 4,
        "stays_added": 0,
        "stays_removed": 0,
        "stays_changed": 0,
        "stays_ungrouped": 0,
    }
    assert summary["warnings"] == []


def test_the_other_way_round_it_is_the_opposite_and_a_run_beside_itself_nothing(richer):
    before, after = richer
    back = json.loads(done("compare", after, before, "--json"))
    assert back["totals"]["difference_fen"] == -190_000
    same = json.loads(done("compare", after, after, "--json"))
    assert set(same["causes"].values()) == {0}


def test_what_is_printed(richer):
    out = done("compare", *richer)
    assert "逐例比较" in out
    assert re.search(r"合计 +\S+ +\S+ +\+1,900\.00", out)
    assert re.search(r"点值与支付比例 +\+1,900\.00", out)
    assert re.search(r"第一医院 .*\+1,900\.00", out)
    english = done("compare", *richer, "--lang", "en")
    assert "Price of points" in english
    assert "逐例" not in english


def test_the_folder(richer, tmp_path):
    folder = tmp_path / "compared"
    done("compare", *richer, "-o", folder)
    assert {path.name for path in folder.iterdir()} == FILES
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    for name, columns in COMPARED.items():
        frame = pl.read_parquet(folder / f"{name}.parquet")
        assert frame.schema == pl.Schema({c.name: c.dtype for c in columns})
    accounts = pl.read_parquet(folder / "accounts.parquet")
    causes = accounts.select(pl.sum_horizontal(cause(name) for name in CAUSES)).to_series()
    assert causes.equals(accounts["difference_fen"], check_names=False)
    text = (folder / "hospitals.csv").read_text(encoding="utf-8-sig")
    assert "'=1+1" in text
    book = fastexcel.read_excel(folder / "compare.xlsx")
    assert book.sheet_names[0] == TEXTS["sheet_about"][0]
    sheet = book.load_sheet(TEXTS["sheet.hospitals"][0]).to_polars()
    assert "'=1+1" in sheet["医疗机构名称"].to_list()
    assert sheet["差额"].to_list() == [1900.0, 0.0, 0.0]
    page = (folder / "compare.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "+1,900.00" in page
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", page)
    assert fenzhi("compare", *richer, "-o", folder).code == 2


def test_the_page_in_english_has_no_chinese_but_names(richer, tmp_path):
    done("compare", *richer, "-o", tmp_path / "en", "--lang", "en")
    page = (tmp_path / "en" / "compare.html").read_text(encoding="utf-8")
    body = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", page, flags=re.S)
    names = {"小区域", "第一医院", "没有病例的医院", "职工医保", "居民医保", "小目录"}
    left = set(re.findall(r"[\u4e00-\u9fff]+", body)) - names
    assert not {word for word in left if word in "".join(zh for zh, _ in TEXTS.values())}


def test_no_run_is_said(richer, tmp_path):
    before, _ = richer
    for args in ((before, tmp_path), (tmp_path / "nowhere", before)):
        said = fenzhi("compare", *args)
        assert (said.code, said.out) == (2, "")
        assert "[RUN_MISSING]" in said.err
    torn = shutil.copytree(before, tmp_path / "torn")
    cases = pl.read_parquet(torn / "cases.parquet")
    cases.drop("rw_e4").write_parquet(torn / "cases.parquet")
    assert "[RUN_TABLE_COLUMNS] table cases lacks the columns rw_e4" in fenzhi("compare", before, torn).err
    (torn / "cases.parquet").write_bytes(b"torn")
    assert "[RUN_TABLE_UNREADABLE]" in fenzhi("compare", before, torn).err


def other_hospitals(folder: Path) -> None:
    for name in ("hospitals.csv", "assessment.csv", "deductions.csv", "records/2027.csv", "history/2026.csv"):
        file = folder / name
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r"\b(A1|B2|C3)\b", r"X\1", text), encoding="utf-8")


def test_nothing_in_common_is_refused_and_another_region_is_warned_of(richer, tmp_path):
    other = write_small(tmp_path / "other")
    replaced(other / "region.toml", ('id = "small-2027"', 'id = "elsewhere-2027"'))
    summary = json.loads(done("compare", richer[0], run(other), "--json"))
    assert summary["warnings"] == ["other_region"]
    other_hospitals(other)
    said = fenzhi("compare", richer[0], run(other), "-o", tmp_path / "none")
    assert "[RUN_NOTHING_COMMON]" in said.err
    assert not (tmp_path / "none").exists()


def year_before(folder: Path, run_folder: Path) -> Path:
    """A run of the year before: the same tables, another year in the manifest."""
    copy = shutil.copytree(run_folder, folder / "runs-2026")
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["region"] |= {"id": "small-2026", "year": 2026}
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return copy


def test_another_year_is_compared_by_sums(richer, tmp_path):
    summary = json.loads(done("compare", year_before(tmp_path, richer[0]), richer[1], "--json"))
    assert summary["by"] == "sums"
    assert summary["warnings"] == ["other_year"]
    assert {name: fen for name, fen in summary["causes"].items() if fen} == {"price": 190_000}
    assert "没有共同的病例" in done("compare", tmp_path / "runs-2026", richer[1])


def test_last_year_on_the_statement(richer, small, tmp_path):
    last = year_before(tmp_path, richer[0])
    new = run(small, "--last-year", last)
    table = pl.read_parquet(new / "changes.parquet")
    assert table["difference_fen"].sum() == 190_000
    assert table.filter(pl.col("by_price_fen") != 0).select("fixmedins_code", "pool").rows() == [
        ("A1", "employee")
    ]
    manifest = json.loads((new / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["last_year"] == {
        "run_id": manifest["last_year"]["run_id"],
        "folder": str(last),
        "manifest_sha256": hashlib.sha256((last / "manifest.json").read_bytes()).hexdigest(),
        "year": 2026,
    }
    page = (new / "statements" / "A1.html").read_text(encoding="utf-8")
    assert TEXTS["changes"][0] in page
    assert TEXTS["restatement"][0] not in page
    assert "+1,900.00" in page
    # The same from region.toml, the path seen from the region's folder.
    replaced(small / "region.toml", ("synthetic = true\n", 'synthetic = true\nlast_year = "../runs-2026"\n'))
    assert pl.read_parquet(run(small) / "changes.parquet").equals(table)


def test_without_another_run_there_is_nothing_to_look_back_at(small):
    new = run(small, "--lang", "en")
    assert not (new / "changes.parquet").exists()
    assert not (new / "restatement.parquet").exists()
    page = (new / "statements" / "A1.html").read_text(encoding="utf-8")
    assert TEXTS["changes"][1] not in page
    assert TEXTS["restatement"][1] not in page


LATE = [line for line in STAYS if not line.startswith("S03,")]


def test_a_late_stay_is_settled_again(small):
    """S03 of A1 comes late: the residents' 9,500.00 are then split with A1."""
    (small / "records" / "2027.csv").write_text(text_of(LATE), encoding="utf-8")
    old = run(small)
    kept = {path.name: path.read_bytes() for path in old.iterdir()}
    (small / "records" / "2027.csv").write_text(text_of(STAYS), encoding="utf-8")
    new = run(small, "--restates", old)
    assert {path.name: path.read_bytes() for path in old.iterdir()} == kept
    rows = {
        (row["fixmedins_code"], row["pool"]): row
        for row in pl.read_parquet(new / "restatement.parquet").iter_rows(named=True)
    }
    points = {
        (h["fixmedins_code"], h["pool"]): h["points_e4"]
        for h in pl.read_parquet(new / "hospitals.parquet").iter_rows(named=True)
    }
    a1, b2 = ("A1", "resident"), ("B2", "resident")
    # Before all 950,000 fen were B2's, of which assessment (0.98) withheld 19,000. Now A1 has its share.
    whole = points[a1] + points[b2]
    share = (2 * 950_000 * points[a1] + whole) // (2 * whole)
    assert rows[a1]["by_volume_fen"] == rows[a1]["difference_fen"] == share
    assert [rows[a1][f"stays_{n}"] for n in ("added", "removed", "changed")] == [1, 0, 0]
    # B2 loses what A1 gets; of that assessment had withheld 2 %.
    withheld = 19_000 - ((950_000 - share) - ((950_000 - share) * 98 + 50) // 100)
    assert rows[b2]["before_fen"] == 931_000
    assert rows[b2]["by_price_fen"] == -share
    assert rows[b2]["by_assessment_fen"] == withheld
    assert rows[b2]["difference_fen"] == withheld - share
    # Advances are those of the old run (A1 had none for the late stay), so that the clearing differs by as much.
    for row in rows.values():
        assert row["clearing_difference_fen"] == row["difference_fen"]
        assert row["clearing_after_fen"] - row["clearing_before_fen"] == row["difference_fen"]
    months = [pl.read_parquet(folder / "months.parquet")["advance_fen"] for folder in (old, new)]
    assert months[0].equals(months[1])
    page = (new / "statements" / "A1.html").read_text(encoding="utf-8")
    assert TEXTS["restatement"][0] in page
    assert TEXTS["clearing_pays"][0] in page
    assert old.name in page
    manifest = json.loads((new / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["restates"]["run_id"] == old.name
    digest = hashlib.sha256((old / "manifest.json").read_bytes()).hexdigest()
    assert manifest["restates"]["manifest_sha256"] == digest


def test_advances_that_were_really_paid_come_before_those_of_the_old_run(small):
    old = run(small)
    (small / "advances.csv").write_text(
        "fixmedins_code,pool,month,amount\nA1,employee,3,123.45\n", encoding="utf-8"
    )
    new = run(small, "--no-reports", "--restates", old)
    months = pl.read_parquet(new / "months.parquet").filter(pl.col("advance_fen") != 0)
    assert months.select("fixmedins_code", "pool", "month", "advance_fen").rows() == [
        ("A1", "employee", 3, 12_345)
    ]


def test_a_run_that_cannot_be_restated_is_refused_before_any_work(small, small_run, tmp_path):
    have = set(runs_of(small)) if (small / "runs").is_dir() else set()
    other = year_before(tmp_path, small_run)
    said = fenzhi("run", small, "--restates", other)
    assert "[RUN_RESTATES_OTHER] the run is of small-2026 2026, this region is small-2027 2027" in said.err
    said = fenzhi("run", small, "--last-year", small_run)
    assert "[RUN_LAST_YEAR] the run is of 2027, which is not before 2027" in said.err
    assert "[RUN_MISSING]" in fenzhi("run", small, "--restates", tmp_path).err
    replaced(small / "hospitals.csv", ("C3,没有病例的医院,2,general\n", ""))
    said = fenzhi("run", small, "--restates", small_run)
    assert "[RUN_RESTATES_ACCOUNT]" in said.err
    assert "C3, employee" in said.err
    other_hospitals(small)
    assert "[RUN_NOTHING_COMMON]" in fenzhi("run", small, "--last-year", other).err
    assert (set(runs_of(small)) if (small / "runs").is_dir() else set()) == have


def test_both_languages_say_the_same():
    for key, (zh, en) in TEXTS.items():
        assert zh.strip()
        assert en.strip()
        assert set(re.findall(r"\{(\w+)\}", zh)) == set(re.findall(r"\{(\w+)\}", en)), key
        assert not re.search(r"[\u4e00-\u9fff]", en), key
        assert not re.search(r"[\u4e00-\u9fff][,;:(]|[,;:)][\u4e00-\u9fff]", zh), key


def test_every_text_is_used():
    room = Path(__file__).parents[2] / "src" / "fenzhi"
    files = [*room.glob("reports/*.py"), *room.glob("reports/templates/*.html"), room / "cli" / "compare.py"]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files if path.name != "compare_texts.py")
    made = {"cause", "how", "warning", "sheet", "chart", "way", "clearing", "groups"}
    for key in TEXTS:
        assert f'"{key}"' in source or f"'{key}'" in source or re.split(r"[._]", key)[0] in made, key

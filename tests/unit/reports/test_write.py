"""Writing: complete, private, harmless, never over something else."""

from __future__ import annotations

import re
import shutil
import stat
from pathlib import Path

import polars as pl
import pytest

from fenzhi.errors import ConservationError, InputError, OutputError
from fenzhi.reports import write_reports, write_statement
from fenzhi.reports.pages import statement_file, statement_link

from . import sample
from .parse import Page


@pytest.fixture
def fresh(run_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run_dir, tmp_path / "run"))


def _pages(run: Path) -> list[Path]:
    return [run / "region.html", *sorted((run / "statements").iterdir())]


def test_files_progress_and_rights(fresh: Path) -> None:
    seen: list[tuple[int, int]] = []
    written = write_reports(fresh, progress=lambda done, total: seen.append((done, total)))
    names = [str(path.relative_to(fresh)) for path in written]
    assert names[:2] == ["region.html", "region.xlsx"]
    endings = (".html", ".months.html", ".confirm.html")
    assert names[2:] == [f"statements/{code}{ending}" for code in sample.HOSPITALS for ending in endings]
    assert seen == [(n, 11) for n in range(1, 12)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    assert stat.S_IMODE((fresh / "statements").stat().st_mode) == 0o700
    assert not list(fresh.rglob("*.part"))


def test_one_statement_is_the_same_as_among_all(reported: Path, fresh: Path) -> None:
    lang = "zh" if 'lang="zh-CN"' in (reported / "region.html").read_text() else "en"
    written = write_statement(fresh, "H36040000002", lang)
    names = [f"H36040000002{ending}" for ending in (".html", ".months.html", ".confirm.html", ".xlsx")]
    assert [path.name for path in written] == names
    for path in written[:3]:
        assert path.read_bytes() == (reported / "statements" / path.name).read_bytes()
    # The workbook is made on demand, where the pages are already there.
    assert [path.name for path in write_statement(reported, "H36040000002", lang)] == names[3:]
    assert (reported / "statements" / names[3]).read_bytes() == written[3].read_bytes()
    written[3].unlink()
    (reported / "statements" / names[3]).unlink()


def test_a_statement_elsewhere_is_one_file_or_a_folder(reported: Path, tmp_path: Path) -> None:
    lang = "zh" if 'lang="zh-CN"' in (reported / "region.html").read_text() else "en"
    code = "H36040000002"
    page = tmp_path / "new" / "months.html"
    assert write_statement(reported, code, lang, target=page, kind="months") == [page]
    assert "../region.html" not in page.read_text()
    assert 'id="m12"' in page.read_text()
    book = tmp_path / "one.xlsx"
    assert write_statement(reported, code, lang, target=book) == [book]
    folder = write_statement(reported, code, lang, target=tmp_path / "all")
    assert len(folder) == len(list((tmp_path / "all").iterdir())) == 4
    assert folder[3].read_bytes() == book.read_bytes()
    assert stat.S_IMODE(book.stat().st_mode) == 0o600
    with pytest.raises(OutputError, match="OUTPUT_EXISTS"):
        write_statement(reported, code, lang, target=book)
    with pytest.raises(OutputError, match="OUTPUT_FORMAT"):
        write_statement(reported, code, lang, target=tmp_path / "one.pdf")


def test_pages_stand_alone_and_need_no_script(reported: Path) -> None:
    for path in _pages(reported):
        html = path.read_text(encoding="utf-8")
        tags = Page(html).tags
        assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in tags}
        assert not [given for _, given in tags for name in given if name.startswith("on") or name == "src"]
        outside = set(re.findall(r"https?://[^\"' )]+", html))
        assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
        assert "@import" not in html
        assert "url(" not in html.replace("url(#", "")


def test_a_hostile_name_is_harmless(reported: Path) -> None:
    for path in _pages(reported):
        assert "<script" not in path.read_text(encoding="utf-8")
    assert sample.HOSTILE in Page((reported / "statements" / "H36040000003.html").read_text()).text
    assert sample.HOSTILE in Page((reported / "region.html").read_text()).text


def test_ids_are_unique_on_each_page(reported: Path) -> None:
    for path in _pages(reported):
        ids = [given["id"] for _, given in Page(path.read_text()).tags if "id" in given]
        assert len(ids) == len(set(ids))


def test_synthetic_label_on_every_page_and_only_then(reported: Path, tmp_path: Path) -> None:
    for path in _pages(reported):
        assert 'class="synthetic"' in path.read_text()
    frames, about = sample.build()
    about["region"]["synthetic"] = False
    real = sample.write(tmp_path / "real", frames, about)
    write_reports(real)
    for path in _pages(real):
        assert "合成数据" not in path.read_text()


def test_language_of_pages(reported: Path) -> None:
    html = (reported / "statements" / "H36040000001.html").read_text()
    chinese = 'lang="zh-CN"' in html
    assert ("年度清算应拨" in html) == chinese
    assert ("annual clearing" in html) == (not chinese)


def test_no_stay_is_named_on_any_page(reported: Path, run_dir: Path) -> None:
    ids = pl.read_parquet(run_dir / "cases.parquet")["setl_id"].to_list()
    for path in _pages(reported):
        text = path.read_text()
        assert not [one for one in ids if one in text]


def test_nothing_is_overwritten(fresh: Path) -> None:
    (fresh / "region.xlsx").write_text("mine")
    with pytest.raises(OutputError) as error:
        write_reports(fresh)
    assert (error.value.code, error.value.file) == ("OUTPUT_EXISTS", str(fresh / "region.xlsx"))
    assert (fresh / "region.xlsx").read_text() == "mine"
    assert not (fresh / "region.html").exists()
    assert not (fresh / "statements").exists()
    assert len(write_statement(fresh, "H36040000001")) == 4
    assert write_statement(fresh, "H36040000001") == []


def test_wrong_sums_write_nothing(fresh: Path) -> None:
    path = fresh / "hospitals.parquet"
    pl.read_parquet(path).with_columns(pl.col("clearing_fen") + 1).write_parquet(path)
    with pytest.raises(ConservationError):
        write_reports(fresh)
    with pytest.raises(ConservationError):
        write_statement(fresh, "H36040000001")
    assert not list(fresh.glob("*.html"))
    assert not (fresh / "statements").exists()


def test_unknown_language_and_hospital(fresh: Path) -> None:
    with pytest.raises(OutputError, match="REPORT_LANGUAGE"):
        write_reports(fresh, lang="fr")
    with pytest.raises(InputError, match="REPORT_HOSPITAL_UNKNOWN"):
        write_statement(fresh, "../../etc/passwd")
    assert not (fresh / "statements").exists()


def test_a_folder_in_the_way(fresh: Path) -> None:
    (fresh / "statements").write_text("a file")
    with pytest.raises(OutputError) as error:
        write_statement(fresh, "H36040000001")
    assert error.value.code == "OUTPUT_WRITE"


def test_file_names_stay_in_their_folder() -> None:
    assert statement_file("H3604") == "H3604.html"
    assert statement_file("../x") == "%2E%2E%2Fx.html"
    assert statement_file("医a") == "%E5%8C%BBa.html"
    assert statement_file("%2E") != statement_file(".")
    assert statement_link("../x") == "statements/%252E%252E%252Fx.html"


def test_a_code_with_strange_signs_gets_its_statement(tmp_path: Path) -> None:
    frames, about = sample.build()
    renamed = {
        name: frame.with_columns(pl.col("fixmedins_code").replace({"H36040000002": "../H 2"}))
        if "fixmedins_code" in frame.columns
        else frame
        for name, frame in frames.items()
    }
    run = sample.write(tmp_path / "run", renamed, about)
    write_reports(run)
    assert (run / "statements" / "%2E%2E%2FH%202.html").is_file()
    assert 'href="statements/%252E%252E%252FH%25202.html"' in (run / "region.html").read_text()


def test_a_hospital_without_stays_and_a_pool_without_points(tmp_path: Path) -> None:
    """The settlement lists every hospital in every pool; nothing is divided by the zeros."""
    frames, about = sample.build()
    hospitals, months, pools = frames["hospitals"], frames["months"], frames["pools"]

    def none(frame: pl.DataFrame, **values: object) -> pl.DataFrame:
        zero = pl.when(pl.col(pl.Int64).is_not_null()).then(0).cast(pl.Int64).name.keep()
        names = {name: pl.lit(value).cast(frame.schema[name]) for name, value in values.items()}
        return frame.with_columns(zero).with_columns(**names)

    first = pl.col("fixmedins_code") == "H36040000001"
    new = {
        "fixmedins_code": "H4",
        "fixmedins_name": None,
        "level": None,
        "type": "other",
        "coefficient_e4": None,
    }
    frames["hospitals"] = pl.concat([hospitals, none(hospitals.filter(first), **new, point_value_e4=None)])
    frames["months"] = pl.concat([months, none(months.filter(first), fixmedins_code="H4")])
    frames["pools"] = pl.concat(
        [pools, none(pools.head(1), pool="empty", title=None, settlement_value_e4=None)]
    )
    run = sample.write(tmp_path / "run", frames, about)
    write_reports(run)
    page = Page((run / "statements" / "H4.html").read_text())
    assert "年度清算无须收付" in page.text
    assert page.rows("steps", "total")[-1][-1] == "0.00"
    assert page.rows("groups", "total")[0][2] == page.rows("outcomes", "total")[0][2] == "0"

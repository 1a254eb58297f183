"""Tables and pictures as files: the figures of the page, to the last digit."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from types import SimpleNamespace

import fastexcel
import pytest
from markupsafe import Markup

from fenzhi.errors import InputError
from fenzhi.reports.display import Head, Table, count, e4, empty, percent, text, yuan
from fenzhi.server.export import file_of, plain, values
from fenzhi.server.section import Picture, Section
from fenzhi.server.texts import TEXTS, ServeWords

MANIFEST = {
    "run_id": "R1",
    "created": "2027-01-05T08:00:00+00:00",
    "region": {"id": "x", "name": "甲", "year": 2027},
    "policy": {"title": "P", "id": "p"},
    "catalog": {"title": "C", "version": "1", "id": "c"},
}
YEAR = SimpleNamespace(
    words=ServeWords("zh"), tables=SimpleNamespace(manifest=MANIFEST, synthetic=False, rules=[])
)


def table():
    made = Table(
        "sums", "合计:甲/乙", [Head("科室", False), Head("例"), Head("元"), Head("分值"), Head("占比")]
    )
    made.add(text("内科"), part="part")
    made.add(text("=1+1", note="N1"), count(1234), yuan(-123456789, plus=True), e4(12345678), percent(1234))
    made.add(text("外科"), empty(), yuan(None), e4(-1), percent(None), part="total")
    return made


def test_a_printed_number_is_a_number_again():
    # -1,234,567.89 yuan was printed with a real minus sign; 12.34 % is a share of 0.1234.
    assert plain(yuan(-123456789)) == Decimal("-1234567.89")
    assert plain(yuan(5, plus=True)) == Decimal("0.05")
    assert plain(percent(1234)) == Decimal("0.1234")
    assert plain(count(1234567)) == 1234567
    assert plain(yuan(None)) is None
    assert plain(text("1,2")) == "1,2"


def test_csv():
    content = file_of(table(), "csv", YEAR)
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows == [
        ["科室", "", "例", "元", "分值", "占比"],
        ["内科"],
        ["'=1+1", "N1", "1234", "-1234567.89", "1234.5678", "0.1234"],
        ["外科", "", "", "", "-0.0001", ""],
    ]


def test_xlsx(tmp_path):
    file = tmp_path / "t.xlsx"
    file.write_bytes(file_of(table(), "xlsx", YEAR))
    book = fastexcel.read_excel(file)
    assert book.sheet_names[0] == "合计 甲 乙"
    sheet = book.load_sheet(0, header_row=None).to_polars()
    assert sheet.row(2) == ("'=1+1", "N1", "1234", "-1234567.89", "1234.5678", "0.1234")
    about = book.load_sheet(1, header_row=None).to_polars()
    assert "R1" in about.to_series(1).to_list()


def test_every_row_has_all_columns_or_is_a_heading():
    titles, rows = values(table())
    assert {len(row) for row in rows} == {1, len(titles)}


def test_pictures():
    drawn = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><rect width="5" height="5"/></svg>'
    )
    picture = Picture("p", "P", drawn, "sums")
    assert file_of(picture, "svg", YEAR).decode().endswith(f"{drawn}\n")
    png = file_of(picture, "png", YEAR)
    assert png.startswith(b"\x89PNG")
    # Three pixels for one unit: 60 x 30.
    assert [int.from_bytes(png[at : at + 4]) for at in (16, 20)] == [60, 30]


@pytest.mark.parametrize("file", ["sums.png", "p.csv", "nothing.csv", "sums.pdf"])
def test_what_there_is_not_is_refused(file):
    section = Section("s", blocks=[Picture("p", "P", Markup("<svg/>"), "sums"), table()])
    with pytest.raises(InputError) as refused:
        section.block(*file.split("."))
    assert refused.value.code == "SERVE_EXPORT"


def test_a_picture_may_have_the_name_of_its_table():
    picture = Picture("sums", "P", Markup("<svg/>"), "sums")
    section = Section("s", blocks=[picture, table()])
    assert section.block("sums", "png") is picture
    assert section.block("sums", "xlsx").caption == table().caption


def test_texts_are_whole_and_none_stands_twice():
    from fenzhi.reports.statement_texts import STATEMENT_TEXTS
    from fenzhi.reports.texts import TEXTS as PAGE_TEXTS

    assert set(TEXTS).isdisjoint({*PAGE_TEXTS, *STATEMENT_TEXTS})
    for key, (zh, en) in TEXTS.items():
        assert zh, key
        assert en, key
        assert {part.split("}")[0] for part in zh.split("{")[1:]} == {
            p.split("}")[0] for p in en.split("{")[1:]
        }

"""Tables of one's own beside the workbook: code books and mappings, also the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from fenzhi.catalogs.dip import LocalLayout, Read, Sources, read_dip
from fenzhi.codes import CodeMap

from .book import official, write


def read(tmp_path: Path, **tables: Path) -> Read:
    book = write(tmp_path / "scheme.xlsx", official())
    found = read_dip(Sources((book,), tables, LocalLayout(), {}))
    found.report.counts()
    return found


def reasons(found: Read) -> list[tuple[str, int]]:
    return [(one.reason, one.place.number) for one in found.report.entries if one.reason != "no_operations"]


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_names_of_diagnoses_and_the_codes_that_they_do_not_have(tmp_path: Path) -> None:
    text = "医保版2.0编码,医保版2.0名称\nA01.000,伤寒\nA01.000,伤寒病\nA01.000,伤寒\nX,错\nA02.000,\n"
    found = read(tmp_path, diagnosis_names=table(tmp_path / "names.csv", text))
    assert reasons(found)[:4] == [
        ("name_conflict", 3),
        ("repeated", 4),
        ("code_form", 5),
        ("unlisted_code", 9),
    ]
    assert found.beside.books["diagnosis_names"]["code"].to_list() == ["A01.000", "A02.000"]
    # A01.0 and what begins so is in the book; P07 is not.
    unlisted = {one.value for one in found.report.entries if one.reason == "unlisted_code"}
    assert "A01.0" not in unlisted
    assert "P07" in unlisted


def test_a_mapping_with_gaps_and_contradictions(tmp_path: Path) -> None:
    text = "国临版编码,医保版编码\nA1,A01.000\nA1,A02.000\nA1,A01.000\nA2,\n,A03.000\n"
    found = read(tmp_path, diagnosis_map=table(tmp_path / "map.csv", text))
    assert reasons(found) == [("map_conflict", 3), ("repeated", 4), ("no_target", 5), ("no_code", 6)]
    assert list(found.beside.books["diagnosis_map"].iter_rows()) == [("A1", "A01.000")]


def test_a_table_without_its_columns(tmp_path: Path) -> None:
    found = read(tmp_path, operations=table(tmp_path / "types.csv", "a,b\n1,2\n"))
    assert reasons(found) == [("sheet_left", 0), ("header", 0)]


@pytest.mark.parametrize(
    ("role", "name", "rows"),
    [("diagnosis_map", "icd10_gl2_to_yb2.csv", 35_587), ("operation_map", "icd9cm3_gl3_to_yb2.csv", 13_653)],
)
def test_the_real_mappings(tmp_path: Path, reference_data: Path, role: str, name: str, rows: int) -> None:
    found = read(tmp_path, **{role: reference_data / name})
    assert found.report.errors == []
    pairs = CodeMap.read(reference_data / name).pairs
    assert found.beside.books[role].height == rows == pairs.height
    assert found.beside.books[role].equals(pairs)

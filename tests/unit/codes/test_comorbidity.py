"""Comorbidity lists: what a code stands for, and every row that is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from fenzhi.codes import read_comorbidity
from fenzhi.errors import CatalogError
from fenzhi.shipped import shipped_dir

HEADER = "list,category,code,points\n"


def read(folder: Path, text: str):
    path = folder / "lists.csv"
    path.write_text(text, encoding="utf-8")
    return read_comorbidity(path)


def test_a_code_stands_for_all_that_begin_with_it(tmp_path):
    lists = read(tmp_path, HEADER + "ill,,I50,\nill,,k35.8,\ncci,heart,I50,1\n")
    hits = lists.hits(pl.Series(["I50.900", "I50", "I5", "K35.800x001", "K35.900", None]))
    assert sorted(hits.rows(), key=str) == [
        ("I50", "cci", "heart", 1),
        ("I50", "ill", None, None),
        ("I50.900", "cci", "heart", 1),
        ("I50.900", "ill", None, None),
        ("K35.800x001", "ill", None, None),
    ]
    assert lists.names == {"ill", "cci"}


def test_category_and_points_may_be_missing_columns(tmp_path):
    assert read(tmp_path, "list,code\nill,I50\n").rows.row(0) == ("ill", None, "I50", None)


def test_the_shipped_lists_are_sound():
    for path in (shipped_dir() / "comorbidity").glob("*.csv"):
        assert read_comorbidity(path).rows.height


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        (",,I50,", "list", "this cell is empty"),
        ("ill,,,", "code", "this cell is empty"),
        ("ok,,I21,", "code", "this code stands twice in the list"),
        ("ill,,I50,1", "points", "category and points belong to the list cci"),
        ("cci,,I50,1", "points", "category and points belong to the list cci"),
        ("cci,heart,I50,", "points", "category and points belong to the list cci"),
        ("cci,heart,I50,1.5", "points", "points are a whole number"),
    ],
)
def test_a_row_that_is_wrong(tmp_path, row, field, message):
    with pytest.raises(CatalogError, match=message) as caught:
        read(tmp_path, f"{HEADER}ok,,I21,\n{row}\n")
    assert (caught.value.code, caught.value.row, caught.value.field) == ("CATALOG_COMORBIDITY", 2, field)

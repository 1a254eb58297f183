from pathlib import Path

import polars as pl
import pytest

from fenzhi.codes import CodeMap, read_table
from fenzhi.errors import InputError


def _map(folder: Path, text: str) -> Path:
    path = folder / "map.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "国临,医保\nB06.801+J17.1* ,B06.801+J17.1*\nI10.x01,I10.x00x002\n",
        "code,name,target,name2\nB06.801+J17.1*,甲,B06.801+J17.1*,乙\ni10.X01,丙,I10.x00x002,丁\n",
    ],
)
def test_two_columns_or_four(tmp_path: Path, text: str) -> None:
    book = CodeMap.read(_map(tmp_path, text))
    mapped, unmapped = book.apply(pl.Series("d", ["I10.X01", "K35.800", None, "B06.801+J17.1*"]))
    assert mapped.to_list() == ["I10.x00x002", "K35.800", None, "B06.801+J17.1*"]
    assert unmapped.to_list() == [False, True, False, False]
    assert mapped.name == "d"


def test_columns_by_name(tmp_path: Path) -> None:
    path = _map(tmp_path, "new,x,old\nK35.800,1,K35.900\n")
    mapped, unmapped = CodeMap.read(path, code="old", target="new").apply(pl.Series(["K35.900", "K35.800"]))
    assert mapped.to_list() == ["K35.800", "K35.800"]
    assert unmapped.to_list() == [False, True]


def test_a_row_without_target_maps_nothing_and_pairs_may_stand_twice(tmp_path: Path) -> None:
    book = CodeMap.read(_map(tmp_path, "a,b\nK35.9,\nK35.1,K35.2\nk35.1, K35.2\n"))
    assert book.pairs.rows() == [("K35.1", "K35.2")]
    assert book.apply(pl.Series(["K35.9"]))[1].to_list() == [True]


def test_an_empty_series_stays_empty(tmp_path: Path) -> None:
    mapped, unmapped = CodeMap.read(_map(tmp_path, "a,b\nK35.1,K35.2\n")).apply(
        pl.Series([], dtype=pl.String)
    )
    assert (len(mapped), len(unmapped)) == (0, 0)


def test_two_targets_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"K35\.1 has two targets: K35\.2 \(row 1\) and K35\.3") as caught:
        CodeMap.read(_map(tmp_path, "a,b\nK35.1,K35.2\nK35.1,K35.3\n"))
    assert (caught.value.code, caught.value.row, caught.value.field) == ("MAP_CONFLICT", 2, "a")


@pytest.mark.parametrize(("text", "names"), [("a\nK35.1\n", {}), ("a,b\nK35.1,K35.2\n", {"target": "c"})])
def test_a_missing_column_is_an_error(tmp_path: Path, text: str, names: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        CodeMap.read(_map(tmp_path, text), **names)
    assert caught.value.code == "TABLE_COLUMN"


@pytest.mark.parametrize(
    ("name", "rows"), [("icd10_gl2_to_yb2.csv", 35_587), ("icd9cm3_gl3_to_yb2.csv", 13_653)]
)
def test_the_published_mapping(reference_data: Path, name: str, rows: int) -> None:
    table = read_table(reference_data / name)
    book = CodeMap.read(reference_data / name)
    assert book.pairs.height == rows
    mapped, unmapped = book.apply(table[table.columns[0]])
    assert mapped.to_list() == table[table.columns[2]].to_list()
    assert not unmapped.any()

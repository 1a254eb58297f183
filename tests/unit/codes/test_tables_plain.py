"""The quick way of reading a table gives what the careful way gives, or leaves the table to it."""

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fenzhi.codes.tables as tables
from fenzhi.codes import read_table
from fenzhi.errors import CatalogError, FenzhiError

PARTS = ["x", " ", ",", ",", "\n", "\r\n", "\r", '"', "1", "值", "x,y\n", '"q,r",z\n', '"q",\n', "\t", ",,\n"]
HEADERS = ["a,b", "a", "a,b,c", " a ,b", "a,a", "a,", '"a",b']


def _outcome(path: Path) -> object:
    try:
        frame = read_table(path)
    except FenzhiError as error:
        return error.code, error.row, error.message
    return frame.schema, frame.rows()


@settings(max_examples=400, deadline=None)
@given(
    header=st.sampled_from(HEADERS),
    end=st.sampled_from(["\n", "\r\n"]),
    parts=st.lists(st.sampled_from(PARTS), max_size=14),
)
def test_quick_and_careful_agree(
    tmp_path_factory: pytest.TempPathFactory, header: str, end: str, parts: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes((header + end + "".join(parts)).encode())
    quick = _outcome(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "_read_plain", lambda text, as_written: None)
        assert quick == _outcome(path)


def test_an_ordinary_table_takes_the_quick_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes('\ufeffcode,name\r\nA00, 霍乱\r\n,"甲,乙"\r\n\r\n'.encode())
    monkeypatch.setattr(tables.csv, "reader", None)
    assert read_table(path).rows() == [("A00", "霍乱"), (None, "甲,乙")]


def test_a_packed_table_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress("code,name\nA00,霍乱\n".encode("gb18030")))
    assert read_table(path).equals(pl.DataFrame({"code": ["A00"], "name": ["霍乱"]}))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CatalogError) as caught:
        read_table(path, CatalogError)
    assert (caught.value.code, caught.value.file) == ("TABLE_ENCODING", str(path))
    path.write_bytes(b"code,name\n")
    with pytest.raises(CatalogError, match="cannot be unpacked"):
        read_table(path, CatalogError)

from pathlib import Path

import pytest

from fenzhi.codes import read_table, require_columns
from fenzhi.errors import CatalogError, FenzhiError, InputError


def _write(folder: Path, data: bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_reads_text_of_every_encoding_in_use(tmp_path: Path, encoding: str) -> None:
    path = _write(tmp_path, "编码,名称\r\n47.0100, 腹腔镜阑尾切除 \r\n00.0100,\r\n\r\n".encode(encoding))
    assert read_table(path).to_dict(as_series=False) == {
        "编码": ["47.0100", "00.0100"],
        "名称": ["腹腔镜阑尾切除", None],
    }


def test_cells_keep_commas_and_quotes(tmp_path: Path) -> None:
    path = _write(tmp_path, b'a,b\n"1,2","say ""x"""\n')
    assert read_table(path).row(0) == ("1,2", 'say "x"')


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert read_table(_write(tmp_path, b"a,b\n")).shape == (0, 2)


@pytest.mark.parametrize(
    ("data", "code", "row", "field"),
    [
        (b"", "TABLE_EMPTY", None, None),
        (b"\n,\n", "TABLE_EMPTY", None, None),
        (b"a,\n1,2\n", "TABLE_HEADER", None, None),
        (b"a,a\n1,2\n", "TABLE_HEADER", None, "a"),
        (b"a,b\n1,2\n1\n", "TABLE_ROW", 2, None),
        (b"a,b\n1,2,3\n", "TABLE_ROW", 1, None),
        (b"a,b\n1,2\n\n3,4\n", "TABLE_ROW", 2, None),
        (b'a,b\n1,"2\n', "TABLE_ROW", None, None),
        (b"a,b\n\xff\xff,\xfe\n", "TABLE_ENCODING", None, None),
    ],
)
def test_errors_name_the_row(
    tmp_path: Path, data: bytes, code: str, row: int | None, field: str | None
) -> None:
    with pytest.raises(CatalogError) as caught:
        read_table(_write(tmp_path, data), CatalogError)
    error = caught.value
    assert (error.code, error.row, error.field) == (code, row, field)
    assert error.file == str(tmp_path / "table.csv")
    assert error.remedy


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / "no.csv")
    assert caught.value.code == "TABLE_MISSING"
    assert "no.csv" in str(caught.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path, b"code,name\n1,2\n")
    with pytest.raises(FenzhiError) as caught:
        require_columns(read_table(path), ("code", "type"), path, InputError)
    assert (caught.value.code, caught.value.field) == ("TABLE_COLUMN", "type")

"""CSV files as they are: encodings, separators, torn lines, empty lines."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhi.errors import InputError
from fenzhi.records import csvtext
from fenzhi.records.csvtext import open_csv


def _write(folder: Path, data: bytes) -> Path:
    path = folder / "stays.csv"
    path.write_bytes(data)
    return path


def _rows(folder: Path, data: bytes) -> list[tuple[object, ...]]:
    text = open_csv(_write(folder, data))
    return text.load(text.header).rows()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_give_the_same_text(tmp_path: Path, encoding: str) -> None:
    text = open_csv(_write(tmp_path, "a,b\n急性阑尾炎,47.0100\n".encode(encoding)))
    assert text.header == ("a", "b")
    assert text.load(["b", "a"]).select("a", "b", "__row").rows() == [("急性阑尾炎", "47.0100", 1)]
    said = (f"{tmp_path / 'stays.csv'}: read as GB18030",) if encoding == "gb18030" else ()
    assert text.notices == said


def test_lines_end_as_they_like(tmp_path: Path) -> None:
    assert _rows(tmp_path, b"a,b\r\n1,2\r\n3,4") == [("1", "2", 1), ("3", "4", 2)]
    assert _rows(tmp_path, b"a\tb\n1\t2,5\n") == [("1", "2,5", 1)]
    assert _rows(tmp_path, b"a;b\n1;2\n") == [("1", "2", 1)]


def test_quotes_keep_separators_newlines_and_quotes(tmp_path: Path) -> None:
    data = b'a,b\n"1,\n2","x ""y"""\n3,4\n'
    assert _rows(tmp_path, data) == [("1,\n2", 'x "y"', 1), ("3", "4", 2)]


def test_empty_lines_are_left_out_but_counted(tmp_path: Path) -> None:
    text = open_csv(_write(tmp_path, b"a,b\n1,2\n\n3,4\n\n\n"))
    assert text.load(["a"]).rows() == [("1", 1), ("3", 3)]
    assert text.notices == (f"{tmp_path / 'stays.csv'}: empty lines skipped: 3",)


@pytest.mark.parametrize(
    ("data", "code", "row", "message"),
    [
        (b"", "RECORDS_EMPTY_FILE", None, "the file is empty"),
        (b" \n\n", "RECORDS_EMPTY_FILE", None, "the file is empty"),
        (b"a,b\n", "RECORDS_NO_ROWS", None, "the file has a header but no rows"),
        (b"a,b\n\n", "RECORDS_NO_ROWS", None, "the file has a header but no rows"),
        (
            b"a,b,c\n1,2,3\n4,5",
            "RECORDS_RAGGED",
            2,
            "this line has 2 fields, the header has 3: the file may be cut off here",
        ),
        (b"a,b\n1,2,3\n4,5\n", "RECORDS_RAGGED", 1, "this line has 3 fields, the header has 2"),
        (
            b'a,b\n1,2\n3,"4',
            "RECORDS_UNCLOSED_QUOTE",
            2,
            "a quotation mark is opened and never closed: the file may be cut off here",
        ),
        ("a,b\n1,急\n".encode("utf-16"), "RECORDS_ENCODING", None, "the text is neither UTF-8 nor GB18030"),
        (
            "a,b\n急,1\n2,性".encode()[:-1],
            "RECORDS_CUT",
            2,
            "the file ends in the middle of a character: it was cut off",
        ),
    ],
)
def test_torn_files_are_named(tmp_path: Path, data: bytes, code: str, row: int | None, message: str) -> None:
    path = _write(tmp_path, data)
    with pytest.raises(InputError) as caught:
        open_csv(path)
    assert (caught.value.code, caught.value.row, caught.value.message) == (code, row, message)
    assert caught.value.file == str(path)
    assert caught.value.remedy


def test_blocks_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b'a,b\n"1,\n2","x ""y"""\n3,4\n\n5,"6"\n'
    whole = _rows(tmp_path, data)
    for block in (1, 2, 3, 7):
        monkeypatch.setattr(csvtext, "_BLOCK", block)
        assert _rows(tmp_path, data) == whole


_CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=6)


@settings(deadline=None)
@given(st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=6))
def test_what_a_writer_quotes_is_read_back(rows: list[tuple[str, str]]) -> None:
    import csv
    import io
    import tempfile

    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(("a", "b"))
    writer.writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        assert _rows(Path(folder), out.getvalue().encode()) == [
            (a, b, i) for i, (a, b) in enumerate(rows, start=1)
        ]

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.codes import normalise_diagnosis, normalise_operation, read_table, split_extension


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("K35.800x001", "K35.800x001"),
        (" k35.800X001\n", "K35.800x001"),
        ("Ｋ３５．８００Ｘ００１", "K35.800x001"),
        ("K35.800×001", "K35.800x001"),
        ("i10.X00X002", "I10.x00x002"),
        ("x60.X00", "X60.x00"),
        ("T31.0", "T31.0"),
        ("A54.301＋h13.1＊", "A54.301+H13.1*"),
        ("A54.301+H13.1* ", "A54.301+H13.1*"),
        ("K35 .8 00", "K35.800"),
        ("\ufeffK35.800\u200b", "K35.800"),
        ("\u3000", None),
        ("", None),
        (None, None),
    ],
)
def test_diagnosis_codes_get_one_spelling(raw: str | None, code: str | None) -> None:
    assert normalise_diagnosis(pl.Series([raw], dtype=pl.String)).to_list() == [code]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("00.5500X008", "00.5500x008"),
        ("33.6X00", "33.6x00"),
        ("56.0X00X003", "56.0x00x003"),
        ("17.922a0", "17.922A0"),
        ("４７．０１００", "47.0100"),
        ("36.0700\r\n", "36.0700"),
    ],
)
def test_operation_codes_get_one_spelling(raw: str, code: str) -> None:
    assert normalise_operation(pl.Series([raw])).to_list() == [code]


@given(st.lists(st.text(alphabet="ABKX019.x×Ｘ＋+* \n１", max_size=14), max_size=8))
def test_normalising_twice_changes_nothing(codes: list[str]) -> None:
    once = normalise_diagnosis(pl.Series(codes, dtype=pl.String))
    assert len(once) == len(codes)
    assert normalise_diagnosis(once).to_list() == once.to_list()


@pytest.mark.parametrize(
    ("code", "base", "extension"),
    [
        ("99.2800x005", "99.2800", "x005"),
        ("99.2800", "99.2800", None),
        ("33.6x00", "33.6x00", None),
        ("56.0x00x003", "56.0x00", "x003"),
        ("I10.x00", "I10.x00", None),
        ("I10.x00x002", "I10.x00", "x002"),
        ("74.1x01", "74.1x01", None),
        ("66.69x001", "66.69", "x001"),
        ("I10.x001", "I10.x001", None),
        ("K35.8", "K35.8", None),
        (None, None, None),
    ],
)
def test_the_extension_is_what_follows_the_base(
    code: str | None, base: str | None, extension: str | None
) -> None:
    bases, extensions = split_extension(pl.Series([code], dtype=pl.String))
    assert (bases[0], extensions[0]) == (base, extension)


@pytest.mark.parametrize("name", ["icd10_gl2_to_yb2.csv", "icd9cm3_gl3_to_yb2.csv"])
def test_published_codes_are_already_in_this_spelling(reference_data: Path, name: str) -> None:
    table = read_table(reference_data / name)
    for column in (table.columns[0], table.columns[2]):
        codes = table[column]
        assert normalise_diagnosis(codes).to_list() == codes.to_list()

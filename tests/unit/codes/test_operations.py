from pathlib import Path

import pytest

from fenzhi.codes import OPERATION_TYPES, empty_operations, read_operations
from fenzhi.errors import InputError
from fenzhi.policy.models import OperationClass


def _table(folder: Path, text: str) -> Path:
    path = folder / "operations.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_types_by_chinese_or_english_name(tmp_path: Path) -> None:
    text = (
        "code,name,type,level\n47.0100,阑尾,手术,2\n36.0700,支架,介入治疗,4\n39.9500,透析,治疗性操作,\n"
        "44.13X00,镜,诊断性操作,\n96.0400,插管,Therapeutic,\n"
    )
    frame = read_operations(_table(tmp_path, text))
    assert frame.columns == ["code", "name", "type"]
    assert frame["code"].to_list() == ["47.0100", "36.0700", "39.9500", "44.13x00", "96.0400"]
    types = ["surgery", "interventional", "therapeutic", "diagnostic", "therapeutic"]
    assert frame["type"].to_list() == types


def test_the_words_are_those_of_policies() -> None:
    assert {kind.value for kind in OperationClass} - set(OPERATION_TYPES.values()) == {"conservative"}
    assert set(OPERATION_TYPES.values()) <= {kind.value for kind in OperationClass}


def test_the_name_is_optional_and_a_repeated_row_counts_once(tmp_path: Path) -> None:
    frame = read_operations(_table(tmp_path, "type,code\n手术,47.0100\nsurgery,47.0100\n"))
    assert frame.rows() == [("47.0100", None, "surgery")]
    assert frame.schema == empty_operations().schema


@pytest.mark.parametrize(
    ("body", "code", "row", "field", "words"),
    [
        ("47.0100,手术\n47.0200,开刀\n", "OPERATION_TYPE", 2, "type", "47.0200 has an unknown type"),
        ("47.0100,\n", "OPERATION_TYPE", 1, "type", "47.0100 has no type"),
        (",手术\n", "OPERATION_CODE", 1, "code", "no operation code"),
        (
            "47.0100,手术\n47.0100,治疗性操作\n",
            "OPERATION_CONFLICT",
            2,
            "type",
            r"surgery \(row 1\) and therap",
        ),
    ],
)
def test_errors_name_the_row(tmp_path: Path, body: str, code: str, row: int, field: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_operations(_table(tmp_path, "code,type\n" + body))
    error = caught.value
    assert (error.code, error.row, error.field) == (code, row, field)
    assert error.remedy


def test_the_type_column_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_operations(_table(tmp_path, "code,name\n47.0100,阑尾\n"))
    assert (caught.value.code, caught.value.field) == ("TABLE_COLUMN", "type")

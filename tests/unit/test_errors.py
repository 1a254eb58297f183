"""The exception tree: what is wrong, where, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fenzhi import errors
from fenzhi.errors import FenzhiError, InputError, OutputError, RegionError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FenzhiError)]


def test_everything_known_is_said_in_order():
    error = InputError(
        "the age is no number",
        code="INPUT_AGE",
        file=Path("records") / "m01.csv",
        row=3,
        field="age",
        value="4O",
        remedy="correct the cell",
    )
    path = str(Path("records") / "m01.csv")
    assert str(error) == (
        "[INPUT_AGE] the age is no number\n"
        f"  where: {path}, row 3, field age, value '4O'\n"
        "  to do: correct the cell"
    )
    assert (error.file, error.row, error.field, error.value) == (path, 3, "age", "4O")


def test_nothing_known_leaves_no_empty_lines():
    assert str(RegionError("no pools")) == "[REGION] no pools"
    assert RegionError("no pools").where() == ""


@pytest.mark.parametrize("value", [0, False, ""])
def test_a_value_that_counts_as_false_is_still_shown(value):
    assert InputError("bad", value=value).where() == f"value {str(value)!r}"


def test_row_zero_is_shown():
    assert InputError("bad", row=0).where() == "row 0"


def test_a_given_code_stays_with_its_error():
    assert OutputError("x", code="OUTPUT_EXISTS").code == "OUTPUT_EXISTS"
    assert OutputError("x").code == OutputError.code == "OUTPUT"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_has_a_code_of_its_own_and_is_caught_as_one(kind):
    assert issubclass(kind, FenzhiError)
    assert sum(other.code == kind.code for other in KINDS) == 1
    with pytest.raises(FenzhiError, match=rf"^\[{kind.code}\] wrong$"):
        raise kind("wrong")

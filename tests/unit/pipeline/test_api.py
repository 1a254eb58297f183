"""Grouping from a notebook: every way to name the stays, the catalogue and the policy gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import fenzhi
from fenzhi.catalogs.drg import save_drg_catalog
from fenzhi.errors import InputError

STAYS = pl.DataFrame(
    {
        "setl_id": ["a", "b", "c"],
        "diag_codes": [["I50.900"], ["A01.000"], ["D18.000"]],
        "oprn_codes": [["33.6x00"], ["00.3101"], ["21.0300x003"]],
    }
)
LAYERS = ["pregroup", "basic", "merged"]


def layers(**given) -> list[str | None]:
    return fenzhi.group(**given).frame["layer"].cast(pl.String).to_list()


def test_every_way_to_name_the_catalogue_gives_the_same() -> None:
    catalog = fenzhi.load_catalog("demonstration-3.0")
    policy = fenzhi.load_policy("national-dip-3.0")
    compiled = fenzhi.compile_catalog(catalog, policy.grouping)
    assert layers(stays=STAYS, catalog="demonstration-3.0") == LAYERS
    assert layers(stays=STAYS, catalog=catalog, policy=policy) == LAYERS
    assert layers(stays=STAYS, catalog=compiled) == LAYERS
    assert layers(stays=STAYS, catalog=catalog.path, policy="national-dip-1.0") == LAYERS


def test_a_catalogue_that_changed_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "catalog"
    catalog = fenzhi.load_catalog("demonstration-drg")
    save_drg_catalog(catalog, folder)
    stay = pl.DataFrame({"setl_id": ["1"], "diag_codes": [["K35.800"]], "gend": [1], "age": [40]})
    before = fenzhi.group(stay, folder).frame["drg"][0]
    assert fenzhi.group(stay, str(folder)).frame["drg"][0] == before
    table = folder / "drg.csv"
    table.write_text(table.read_text("utf-8").replace(before, "ZZ99"), encoding="utf-8")
    assert fenzhi.group(stay, folder).frame["drg"][0] == "ZZ99"


@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("gend", ["男", "女", "男"], "RECORDS_COLUMN_TYPE"),
        ("age", ["x", "1", "2"], "RECORDS_COLUMN_TYPE"),
        ("diag_codes", [[1], [2], [3]], "RECORDS_COLUMN_TYPE"),
        ("oprn_codes", ["47.0100", "", ""], "RECORDS_COLUMN_TYPE"),
        ("setl_id", None, "RECORDS_COLUMN_MISSING"),
    ],
)
def test_a_frame_of_another_form_is_refused_in_words(
    column: str, values: list[Any] | None, code: str
) -> None:
    frame = STAYS.drop(column, strict=False)
    frame = frame if values is None else frame.with_columns(pl.Series(column, values))
    with pytest.raises(InputError) as caught:
        fenzhi.group(frame, "demonstration-drg")
    assert (caught.value.code, caught.value.field) == (code, column)
    assert caught.value.remedy


def test_ages_are_cut_to_completed_years() -> None:
    stay = pl.DataFrame({"setl_id": ["1"], "diag_codes": [["K35.800"]], "gend": [1], "age": [0.6]})
    assert fenzhi.group(stay, "demonstration-drg").frame["reason"].to_list() == ["newborn_age_days_missing"]
    unknown = stay.with_columns(age=pl.lit(float("nan")))
    assert fenzhi.group(unknown, "demonstration-drg").frame["reason"].to_list() == ["age_unknown"]


def test_codes_may_be_joined_text_and_operations_may_be_missing() -> None:
    joined = STAYS.with_columns(pl.col("diag_codes", "oprn_codes").list.join("|"))
    assert layers(stays=joined, catalog="demonstration-3.0") == LAYERS
    read = fenzhi.read_stays(joined, needs="grouping")
    assert layers(stays=read, catalog="demonstration-3.0") == LAYERS
    assert layers(stays=STAYS.drop("oprn_codes"), catalog="demonstration-3.0")[1] == "basic"


def test_a_name_that_is_not_public_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="fenzhi has no 'grupo'"):
        fenzhi.grupo  # noqa: B018
    assert "group" in dir(fenzhi)

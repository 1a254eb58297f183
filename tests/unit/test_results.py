"""The result tables: one definition of names, types, units and titles."""

from __future__ import annotations

import polars as pl
import pytest

from fenzhi.errors import ConservationError
from fenzhi.results import TABLES, shape

COLUMNS = [(table, column) for table, columns in TABLES.items() for column in columns]
UNITS = {"fen", "e4", "days", "share", ""}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_names_no_column_twice(table):
    names = [column.name for column in TABLES[table]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[f"{t}.{c.name}" for t, c in COLUMNS])
def test_a_column_has_titles_and_a_unit_that_fits_its_name_and_type(table, column):
    assert column.zh
    assert column.en
    assert column.unit in UNITS
    for unit in ("fen", "e4", "days"):
        assert (column.unit == unit) == column.name.endswith(f"_{unit}")
    if column.unit in ("fen", "e4"):
        assert column.dtype == pl.Int64  # what pays is an integer
    if column.dtype == pl.Float64:
        assert column.unit in ("share", "")


def test_the_same_name_means_the_same_type_and_unit_everywhere():
    seen: dict[str, tuple[pl.DataType, str]] = {}
    for _, column in COLUMNS:
        assert seen.setdefault(column.name, (column.dtype, column.unit)) == (column.dtype, column.unit)


def test_shape_orders_casts_and_fills():
    frame = pl.DataFrame({"cases": pl.Series([3], dtype=pl.UInt32), "group_id": ["A00.0"]})
    shaped = shape(frame, "groups")
    assert shaped.schema == pl.Schema({column.name: column.dtype for column in TABLES["groups"]})
    assert shaped.height == 1
    assert shaped.row(0, named=True)["group_id"] == "A00.0"
    assert shaped.row(0, named=True)["cases"] == 3
    assert shaped["rw_e4"].to_list() == [None]


def test_shape_of_no_rows_keeps_the_columns():
    shaped = shape(pl.DataFrame({"group_id": pl.Series([], dtype=pl.String)}), "groups")
    assert shaped.shape == (0, len(TABLES["groups"]))


def test_a_column_nobody_defined_stops_the_run():
    with pytest.raises(ConservationError, match=r"table pools has columns .*\['cheese'\]"):
        shape(pl.DataFrame({"pool": ["a"], "cheese": [1]}), "pools")


def test_a_number_that_does_not_fit_stops_instead_of_wrapping():
    with pytest.raises(pl.exceptions.InvalidOperationError, match="month"):
        shape(pl.DataFrame({"month": [300]}), "months")

"""Published weights in the place of a history: read exactly, refused by row, scored like measured ones."""

from __future__ import annotations

import polars as pl
import pytest
from worked import catalog, hospitals, policy, row

from fenzhi.errors import CatalogError
from fenzhi.weights.published import published_weights, read_published

IDS = pl.Series(["A", "B", "C"])


def read(tmp_path, text):
    file = tmp_path / "weights.csv"
    file.write_text(text, encoding="utf-8")
    return read_published(file, IDS)


def test_weights_and_means_as_they_are_written(tmp_path):
    table = read(tmp_path, "group_id,weight,mean_cost,mean_cost_3\nB,986.3439,6750.5,7000\nZ,1,,\nA,1000,,\n")
    assert table.rows() == [(0, 10_000_000, None, None), (1, 9_863_439, 675_050, 700_000)]
    measured = published_weights(
        table,
        catalog(row("A", "K35"), row("B", "K36"), row("C", "K37")).groups,
        hospitals(("H1", "3", "general", "1.05")),
        policy(),
    )
    assert measured.groups.select("rw_e4", "last_mean_fen").rows() == [
        (10_000_000, None),
        (9_863_439, 675_050),
        (None, None),
    ]
    assert measured.level_means.rows() == [(1, "3", 0, 700_000)]
    assert measured.coefficients.select("fixmedins_code", "level", "coefficient_e4").rows() == [
        ("H1", "3", 10_500)
    ]


@pytest.mark.parametrize(
    ("rows", "at", "field"),
    [
        ("A,1\nA,2\n", 2, "group_id"),
        ("A,0\n", 1, "weight"),
        ("A,\n", 1, "weight"),
        ("B,1\nA,1.00001\n", 2, "weight"),
        ("A,-1\n", 1, "weight"),
        ("Z,1\n", 1, "group_id"),
    ],
)
def test_what_is_no_weight_is_refused_by_row(tmp_path, rows, at, field):
    with pytest.raises(CatalogError) as raised:
        read(tmp_path, "group_id,weight\n" + rows)
    assert (raised.value.code, raised.value.row, raised.value.field) == ("WEIGHT_PUBLISHED", at, field)

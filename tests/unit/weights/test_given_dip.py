"""Weights that a DIP catalogue brings itself."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from worked import catalog, row

from fenzhi.catalogs import load_catalog, save_catalog, with_weights
from fenzhi.catalogs.models import WEIGHTS_SCHEMA
from fenzhi.errors import CatalogError
from fenzhi.policy.models import Weights as WeightsPolicy
from fenzhi.weights.given import given_weights


def test_a_dip_catalogue_gives_points_as_they_are() -> None:
    """No scale: 812.34565 at four decimals is 812.3457; a group without weight has none."""
    made = catalog(row("G0", "K35"), row("G1", "K36"))
    texts = pl.DataFrame({"group_id": ["G1", "G0"], "weight": [None, "812.34565"]}, schema=WEIGHTS_SCHEMA)
    rules = WeightsPolicy(method="given")
    assert given_weights(with_weights(made, texts), rules) == {0: 8_123_457}
    with pytest.raises(CatalogError, match="WEIGHT_GIVEN"):
        given_weights(made, rules)


@pytest.mark.parametrize("ids", [["G0", "G0"], ["G0", "G9"], ["G0", None]])
def test_weights_of_a_dip_catalogue_name_each_of_its_groups_once(ids: list[str | None]) -> None:
    texts = pl.DataFrame({"group_id": ids, "weight": ["1", "2"]}, schema=WEIGHTS_SCHEMA)
    with pytest.raises(CatalogError, match="CATALOG_WEIGHT_GROUP") as caught:
        with_weights(catalog(row("G0", "K35")), texts)
    assert caught.value.row == 2


def test_weights_are_part_of_a_dip_catalogue(tmp_path: Path) -> None:
    texts = pl.DataFrame({"group_id": ["G0"], "weight": ["12.5"]}, schema=WEIGHTS_SCHEMA)
    made = with_weights(catalog(row("G0", "K35")), texts)
    save_catalog(made, tmp_path / "saved")
    loaded = load_catalog(tmp_path / "saved")
    assert loaded == made
    assert loaded != catalog(row("G0", "K35"))

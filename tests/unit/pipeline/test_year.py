"""The order of the stages: nothing lost between them, whatever the chunks, codes mapped, tables laid over."""

from __future__ import annotations

import polars as pl
import pytest

from cli.small import HISTORY, OUTCOMES, STAYS, stay, text_of
from fenzhi.errors import ConservationError, RegionError
from fenzhi.pipeline import compute, group_file, groupfile, year
from fenzhi.pipeline.check import check_region
from fenzhi.pipeline.history import history_years
from fenzhi.pipeline.setting import group_stays, make_settings, map_codes, unmapped_notices, with_operations
from fenzhi.region import load_region
from fenzhi.results import TABLES


def cases(folder, **options) -> pl.DataFrame:
    return compute(load_region(folder), **options)[0]["cases"]


def test_every_row_of_the_input_in_its_place(folder):
    table = cases(folder)
    assert table.select("setl_id", "outcome", "group_id", "reason").rows() == OUTCOMES
    assert table["source_row"].to_list() == list(range(1, 13))
    assert table["source_file"].unique().to_list() == ["2027.csv"]
    # What is not paid by points has no points and no money.
    unpaid = table.filter(~pl.col("outcome").is_in(["grouped", "comprehensive", "ungrouped"]))
    assert (
        unpaid.select("points_e4", "payable_fen", "standard_fen").null_count().row(0) == (unpaid.height,) * 3
    )


@pytest.mark.parametrize("chunk_rows", [1, 2, 5, 8, 1000])
def test_chunks_change_nothing(folder, chunk_rows):
    whole, cut = (compute(load_region(folder), chunk_rows=n)[0] for n in (None, chunk_rows))
    for name in TABLES:
        assert whole[name].equals(cut[name]), name


def test_unknown_operations_of_chunks_are_added_up(folder):
    setting = make_settings(load_region(folder))[0]
    stays = pl.DataFrame(
        {
            "setl_id": list("abcd"),
            "diag_codes": [["K35.800"]] * 4,
            "oprn_codes": [["99.1"], ["99.2"], ["99.1"], []],
        },
        schema_overrides={"oprn_codes": pl.List(pl.String)},
    ).with_columns(
        pl.lit(50, pl.Int16).alias("age"),
        pl.lit(None, pl.Int32).alias("nwb_age"),
        pl.lit(None, pl.Int32).alias("nwb_bir_wt"),
    )
    whole = group_stays(stays, setting.compiled)
    parts = group_stays(stays, setting.compiled, 1)
    assert whole.frame.equals(parts.frame)
    assert parts.unknown_operations.rows() == whole.unknown_operations.rows() == [("99.1", 2), ("99.2", 1)]


def test_rows_that_are_lost_stop_the_run(folder, monkeypatch):
    others = year.other_rows
    monkeypatch.setattr(year, "other_rows", lambda read: others(read).head(2))
    with pytest.raises(ConservationError, match="12 rows were read but 10 have an outcome"):
        cases(folder)


def test_rows_that_are_lost_stop_the_grouping_of_a_file(folder, tmp_path, monkeypatch):
    others = groupfile.other_rows
    monkeypatch.setattr(groupfile, "other_rows", lambda read: others(read).head(1))
    with pytest.raises(ConservationError, match="rows were read"):
        group_file(folder / "records", tmp_path / "x.parquet", folder / "catalog")
    assert not (tmp_path / "x.parquet").exists()


def test_the_years_of_the_history(folder, edit):
    edit("region.toml", "history_years = [2026]\n", "")
    edit("region.toml", '["history"]', '["a", "b", "c"]')
    assert history_years(load_region(folder)) == [2024, 2025, 2026]
    edit("region.toml", '["a", "b", "c"]', '["a", "b", "c"]\nhistory_years = [2019, 2023]')
    assert history_years(load_region(folder)) == [2019, 2023]


def test_history_of_another_year_is_counted_and_left_out(folder):
    old = stay("OLD", "A1", "310", "K35.800", "47.0100", "90000.00", "1.00", discharged="2025-05-09")
    before = compute(load_region(folder))
    (folder / "history" / "2026.csv").write_text(text_of([*HISTORY, old]), encoding="utf-8")
    after = compute(load_region(folder))
    assert after[1]["counts"]["history_other_year"] == 1
    assert after[1]["mean_cost_fen"] == before[1]["mean_cost_fen"]
    assert after[0]["groups"].equals(before[0]["groups"])


def test_the_history_measures_everybody_but_other_tracks(folder):
    """Self-paying stays count for weights; bed-day stays do not."""
    more = [
        stay("SELF", "A1", "", "E11.900", "", "7000.00", "0.00", discharged="2026-05-09"),
        stay("BED", "A1", "390", "E11.900", "", "90000.00", "0.00", discharged="2026-05-09", med_type="2105"),
    ]
    (folder / "history" / "2026.csv").write_text(text_of([*HISTORY, *more]), encoding="utf-8")
    groups = compute(load_region(folder))[0]["groups"].filter(group_id="E11.9:0")
    # (5,000 + 7,000) / 2
    assert groups.select("history_cases", "mean_cost_fen").row(0) == (2, 600_000)


def test_codes_are_mapped_before_grouping(folder, edit):
    edit("records/2027.csv", "K35.900", "阑尾1")
    assert cases(folder).row(2, named=True)["outcome"] == "ungrouped"
    (folder / "map.csv").write_text("from,to\n阑尾1,K35.900\n", encoding="utf-8")
    edit("region.toml", "[[pool]]", '[codes]\ndiagnosis_map = "map.csv"\n\n[[pool]]')
    assert cases(folder)["group_id"].to_list()[:4] == [group for _, _, group, _ in OUTCOMES[:4]]


def test_codes_that_a_mapping_table_lacks_are_reported_and_stay(folder, edit):
    (folder / "map.csv").write_text("from,to\nK35.800,K35.900\n", encoding="utf-8")
    edit("region.toml", "[[pool]]", '[codes]\ndiagnosis_map = "map.csv"\n\n[[pool]]')
    region = load_region(folder)
    notices = [text for text in compute(region)[1]["notices"] if "mapping table" in text]
    stays = pl.DataFrame(
        {"diag_codes": [["K35.800", "Q1"], ["Q2", "Q1"], []], "oprn_codes": [["99.1"], [], []]}
    )
    assert len(notices) == 1
    assert "diagnosis codes are not in the mapping table and stay as they are" in notices[0]
    assert "K35.800" not in notices[0]
    assert unmapped_notices(stays, make_settings(region)[0]) == (
        "2 diagnosis codes are not in the mapping table and stay as they are: Q1, Q2",
    )
    assert any("[CODES_UNMAPPED]" in text for text in check_region(folder).findings)


def test_mapping_leaves_other_codes_and_empty_lists_alone(folder, edit):
    (folder / "map.csv").write_text("from,to\n47.01,47.0100\n", encoding="utf-8")
    edit("region.toml", "[[pool]]", '[codes]\noperation_map = "map.csv"\n\n[[pool]]')
    setting = make_settings(load_region(folder))[0]
    lists = pl.DataFrame(
        {"diag_codes": [["K35.8"], [], ["x"]], "oprn_codes": [["47.01", "99.1"], [], ["47.01"]]},
        schema_overrides={"diag_codes": pl.List(pl.String), "oprn_codes": pl.List(pl.String)},
    )
    mapped = map_codes(lists, setting)
    assert mapped["diag_codes"].to_list() == [["K35.8"], [], ["x"]]
    assert mapped["oprn_codes"].to_list() == [["47.0100", "99.1"], [], ["47.0100"]]


def test_the_regions_operation_table_is_laid_over_the_catalogues(folder):
    catalog = make_settings(load_region(folder))[0].catalog
    assert catalog.operations.rows() == [("47.0100", "腹腔镜阑尾切除术", "surgery")]
    table = pl.DataFrame(
        {"code": ["47.0100", "99.1"], "name": ["new", "b"], "type": ["therapeutic", "diagnostic"]}
    )
    over = with_operations(catalog, table)
    assert over.operations.rows() == [("47.0100", "new", "therapeutic"), ("99.1", "b", "diagnostic")]
    assert over.digest != catalog.digest
    assert with_operations(catalog, None) is catalog


def test_without_history_there_is_no_weight(folder, edit):
    edit("region.toml", 'history = ["history"]', "history = []")
    with pytest.raises(RegionError, match="HISTORY_EMPTY"):
        cases(folder)


def test_a_region_with_area_leaves_out_who_is_insured_elsewhere(folder):
    away = STAYS[0].replace(",990100,1,50,", ",880000,1,50,", 1)
    assert away != STAYS[0]
    (folder / "records" / "2027.csv").write_text(text_of([away, *STAYS[1:]]), encoding="utf-8")
    first = cases(folder).row(0, named=True)
    assert (first["outcome"], first["reason"], first["pool"], first["group_id"]) == (
        "excluded",
        "out_of_region",
        None,
        "K35.8:47.0100",
    )

"""Building a catalogue from files, and checking before running."""

from __future__ import annotations

import json

import pytest

from cli.small import HISTORY, stay, text_of
from fenzhi.catalogs import load_catalog
from fenzhi.errors import CatalogError, OutputError
from fenzhi.pipeline import BuildInputs, build_from_history, write_built
from fenzhi.pipeline.check import check_records, check_region, write_findings


@pytest.fixture
def long_history(folder):
    """The history of the small region five times: combinations reach the threshold of 15."""
    lines = [line.replace("H", f"H{year}-", 1) for year in range(5) for line in HISTORY]
    (folder / "history" / "2026.csv").write_text(text_of(lines), encoding="utf-8")
    return folder / "history"


def test_combinations_that_reach_the_threshold_become_core_groups(folder, long_history):
    built = build_from_history(BuildInputs(history=[long_history], operations=folder / "operations.csv"))
    counts = {
        name: built.counts[name] for name in ("stays", "combinations", "combinations_at_threshold", "groups")
    }
    # 60 stays: K35.8 with and without operation 20 each, K35.9 conservative 10, with operation 5, E11.9 5.
    assert counts == {"stays": 60, "combinations": 5, "combinations_at_threshold": 2, "groups": 5}
    layers = dict(built.catalog.groups["layer"].value_counts().iter_rows())
    assert layers == {"basic": 2, "comprehensive": 3}
    assert built.counts["stays_in_core_groups"] == 40
    assert built.counts["coverage"] == 40 / 60


def test_rows_of_a_base_are_kept_or_dropped_by_their_stays(folder, long_history):
    built = build_from_history(
        BuildInputs(history=[long_history], base=folder / "catalog", operations=folder / "operations.csv")
    )
    assert (built.counts["base_rows_kept"], built.counts["base_rows_dropped"]) == (2, 1)
    assert built.dropped.rows() == [("E11.9:0", 5, "base_row_below_threshold")]
    assert {"K35.8:47.0100", "K35.8:0"} <= set(built.catalog.groups["group_id"])
    assert "small" in built.catalog.meta.note


def test_progress_goes_forward(folder, long_history):
    shares: list[float] = []
    inputs = BuildInputs(history=[long_history, long_history], base=folder / "catalog")
    build_from_history(inputs, progress=lambda _, share: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] <= 1


def test_a_built_catalogue_is_a_whole_folder_that_loads(folder, long_history, tmp_path):
    built = build_from_history(BuildInputs(history=[long_history], title="我的目录"))
    write_built(built, tmp_path / "new" / "catalog")
    names = {path.name for path in (tmp_path / "new" / "catalog").iterdir()}
    assert {"catalog.toml", "groups.csv", "build.json", "dropped.csv"} <= names
    assert json.loads((tmp_path / "new/catalog/build.json").read_text()) == built.counts
    loaded = load_catalog(tmp_path / "new" / "catalog")
    assert (loaded.digest, loaded.meta.title) == (built.catalog.digest, "我的目录")
    with pytest.raises(OutputError, match="OUTPUT_EXISTS"):
        write_built(built, tmp_path / "new" / "catalog")


def test_a_history_without_stays_builds_nothing(folder):
    lines = [stay("H", "A1", "310", "K35.800", "", "0.00", "0.00", discharged="2026-05-09")]
    (folder / "history" / "2026.csv").write_text(text_of(lines), encoding="utf-8")
    with pytest.raises(CatalogError, match="HISTORY_EMPTY") as caught:
        build_from_history(BuildInputs(history=[folder / "history"]))
    assert caught.value.file == str(folder / "history")


def test_names_of_groups_come_from_the_code_book(folder, long_history, tmp_path):
    (tmp_path / "names.csv").write_text("code,name\nK35.800,急性阑尾炎\n", encoding="utf-8")
    built = build_from_history(BuildInputs(history=[long_history], diagnoses=tmp_path / "names.csv"))
    named = built.catalog.groups.filter(main_diag="K35.8")["name"]
    assert len(named) == 2
    assert all("急性阑尾炎" in name for name in named)


def test_check_counts_without_computing(folder):
    found = check_region(folder)
    assert (found.rows, found.accepted, found.rejected, found.netted) == (12, 8, 2, 2)
    assert [(rule, severity, rows) for rule, severity, rows, _, _ in found.rules] == [
        ("cost_zero", "error", 1),
        ("duplicate_key", "error", 1),
    ]
    assert not (folder / "runs").exists()
    # Without the region there is no list of hospitals to compare with.
    alone = check_records(folder / "records")
    assert (alone.rows, alone.accepted) == (12, 8)
    assert alone.findings == ()


@pytest.mark.parametrize(
    ("policy", "year", "warned"),
    [
        ("national-dip-3.0", 2027, False),
        ("national-dip-3.0", 2026, True),
        ("national-dip-1.0", 2024, False),
        ("national-dip-1.0", 2025, True),
    ],
)
def test_a_policy_of_other_years_is_a_warning(folder, edit, policy, year, warned):
    edit("region.toml", "national-dip-3.0", policy)
    edit("region.toml", "year = 2027", f"year = {year}")
    edit("budget.toml", "year = 2027", f"year = {year}")
    assert any("[POLICY_DATES]" in line for line in check_region(folder).findings) == warned


def test_findings_are_written_once_and_as_csv(folder, tmp_path):
    found = check_region(folder)
    write_findings(found, tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_bytes().startswith(b"\xef\xbb\xbfsetl_id,source_file,source_row,")
    with pytest.raises(OutputError, match="OUTPUT_EXISTS"):
        write_findings(found, tmp_path / "r.csv")
    with pytest.raises(OutputError, match="OUTPUT_FORMAT"):
        write_findings(found, tmp_path / "r.xlsx")

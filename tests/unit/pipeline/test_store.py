"""A run on disk: hashes of the inputs, manifest, tables, all or nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import datetime

import polars as pl
import pytest

from cli.small import write_small
from fenzhi.errors import ConservationError, InputError
from fenzhi.pipeline import run, store
from fenzhi.pipeline.store import file_hashes, read_manifest, read_table, write_csv, write_table
from fenzhi.policy import policy_hash
from fenzhi.region import load_region
from fenzhi.results import TABLES


def test_every_input_is_hashed(folder):
    hashes = file_hashes(load_region(folder))
    assert set(hashes) == {
        *(
            "region.toml",
            "budget.toml",
            "hospitals.csv",
            "operations.csv",
            "assessment.csv",
            "deductions.csv",
        ),
        *("catalog/catalog.toml", "catalog/groups.csv", "history/2026.csv", "records/2027.csv"),
    }
    for name, digest in hashes.items():
        assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_policies_books_and_files_of_other_names_are_hashed(folder, edit):
    (folder / "books").mkdir()
    for name in ("diag.csv", "oprn.csv"):
        (folder / "books" / name).write_text("code,name\nK35.800,x\n47.0100,y\n", encoding="utf-8")
        (folder / "books" / f"map-{name}").write_text("a,b\nX1,X2\n", encoding="utf-8")
    (folder / "own.toml").write_text(
        '[meta]\nid = "own"\ntitle = "x"\nscheme = "dip"\nversion = "1"\nextends = "national-dip-3.0"\n'
    )
    edit("region.toml", '"national-dip-3.0"', '"own.toml"')
    edit(
        "region.toml",
        "[[pool]]",
        '[codes]\ndiagnosis_map = "books/map-diag.csv"\noperation_map = "books/map-oprn.csv"\n'
        'diagnosis_book = "books/diag.csv"\noperation_book = "books/oprn.csv"\n\n[[pool]]',
    )
    names = set(file_hashes(load_region(folder)))
    assert {f"books/{kind}{name}" for kind in ("", "map-") for name in ("diag.csv", "oprn.csv")} <= names
    assert "own.toml" in names


def test_records_may_lie_elsewhere(folder, edit, tmp_path):
    shutil.move(folder / "records", tmp_path / "elsewhere")
    edit("region.toml", 'records = "records"', f'records = "{tmp_path / "elsewhere"}"')
    done = run(folder, reports=False)
    name = (tmp_path / "elsewhere" / "2027.csv").as_posix()
    assert (
        done.manifest["inputs"][name]
        == hashlib.sha256((tmp_path / "elsewhere/2027.csv").read_bytes()).hexdigest()
    )


def test_a_run_is_what_it_returns(folder):
    said: list[tuple[str, float]] = []
    done = run(folder, reports=False, progress=lambda stage, share: said.append((stage, share)))
    assert done.folder.parent == folder / "runs"
    datetime.strptime(done.folder.name, "%Y%m%dT%H%M%SZ")
    assert read_manifest(done.folder) == json.loads(json.dumps(done.manifest))
    assert set(done.tables) == set(TABLES)
    for name, frame in done.tables.items():
        assert read_table(done.folder, name).equals(frame), name
    shares = [share for _, share in said]
    assert shares == sorted(shares)
    assert (shares[0], said[-1]) == (0.0, ("done", 1.0))


def test_the_manifest_says_what_was_computed_with_what(folder):
    manifest = run(folder, reports=False).manifest
    region = load_region(folder)
    assert manifest["region"] == {"id": "small-2027", "name": "小区域", "year": 2027, "synthetic": True}
    assert manifest["policy"]["hash"] == policy_hash(region.policy)
    assert manifest["inputs"] == file_hashes(region)
    assert manifest["counts"] == {
        "rows": 12,
        "outcome_comprehensive": 1,
        "outcome_excluded": 5,
        "outcome_grouped": 2,
        "outcome_other_track": 1,
        "outcome_rejected": 2,
        "outcome_ungrouped": 1,
        "history_rows": 12,
        "history_accepted": 12,
        "history_other_year": 0,
        "unknown_operations": 0,
    }
    # 82,000 yuan over 12 stays.
    assert manifest["mean_cost_fen"] == 683_333
    assert manifest["history_years"] == [2026]
    keys = ("last_by_disease_fen", "last_total_fen", "growth_rate")
    assert manifest["budget"] == [
        {"pool": pool, "method": "items", **dict.fromkeys(keys), "changes": []}
        for pool in ("employee", "resident")
    ]
    assert manifest["quality"] == [
        {"rule": "cost_zero", "severity": "error", "fixmedins_code": "A1", "rows": 1},
        {"rule": "duplicate_key", "severity": "error", "fixmedins_code": "A1", "rows": 1},
    ]
    assert all(seconds >= 0 for seconds in manifest["timings_seconds"].values())


@pytest.mark.parametrize("stage", ["_manifest", "write_table"])
@pytest.mark.parametrize("error", [ConservationError("lost"), RuntimeError("a bug"), KeyboardInterrupt()])
def test_whatever_stops_a_run_nothing_is_left(folder, monkeypatch, stage, error):
    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(store, stage, fail)
    with pytest.raises(type(error)):
        run(folder, reports=False)
    assert not (folder / "runs").exists() or not list((folder / "runs").iterdir())


def test_pages_that_fail_take_the_run_with_them(folder, monkeypatch):
    import fenzhi.reports

    def fail(*_args: object, **_more: object) -> None:
        raise ConservationError("sums differ")

    monkeypatch.setattr(fenzhi.reports, "write_reports", fail)
    with pytest.raises(ConservationError):
        run(folder)
    assert list((folder / "runs").iterdir()) == []


def test_tables_have_the_same_bytes_for_the_same_content(tmp_path):
    frame = pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", None]})
    write_table(frame, tmp_path / "one.parquet")
    write_table(pl.concat([frame[:1], frame[1:]]), tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_csv_files_hold_no_formulas(tmp_path):
    frame = pl.DataFrame(
        {"code": ["=1+1", "+86", "-5", "@x", "K35.8", None, "\tx"], "n": [-1, 2, 3, 4, 5, 6, 7]}
    )
    write_csv(frame, tmp_path / "x.csv")
    back = pl.read_csv(tmp_path / "x.csv", infer_schema=False)
    assert back["code"].to_list() == ["'=1+1", "'+86", "'-5", "'@x", "K35.8", None, "'\tx"]
    assert back["n"].to_list() == ["-1", "2", "3", "4", "5", "6", "7"]


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(InputError, match="RUN_MISSING"):
        read_manifest(tmp_path)
    with pytest.raises(InputError, match="RUN_TABLE_UNREADABLE"):
        read_table(tmp_path, "cases")


def test_the_manifest_has_the_methods_and_changes_of_the_budget(tmp_path):
    folder = write_small(tmp_path / "small")
    text = (folder / "budget.toml").read_text(encoding="utf-8")
    more = (
        'id = "employee"\nmethod = "share"\nlast_by_disease = "3"\nlast_total = "4.00"\n\n'
        '[[pool.change]]\ndate = 2027-11-30\nreason = "later"\nline = "by_disease"\namount = "-7"\nto = "left_over"\n\n'
        '[[pool.change]]\ndate = 2027-02-01\nreason = "r"\nline = "预算收入"\namount = "100.50"\ncite = "c"\n'
    )
    (folder / "budget.toml").write_text(text.replace('id = "employee"\n', more, 1), encoding="utf-8")
    done = run(folder, reports=False)
    assert done.manifest["budget"][0] == {
        "pool": "employee",
        "method": "share",
        "last_by_disease_fen": 300,
        "last_total_fen": 400,
        "growth_rate": None,
        "changes": [
            {
                "date": "2027-02-01",
                "line": "预算收入",
                "other": None,
                "amount_fen": 10_050,
                "reason": "r",
                "cite": "c",
            },
            {
                "date": "2027-11-30",
                "line": "by_disease",
                "other": "left_over",
                "amount_fen": -700,
                "reason": "later",
                "cite": "",
            },
        ],
    }
    # 20,000 x 3/4 = 15,000; 20,100.50 x 3/4 = 15,075.375, so 15,075.38; 7 yuan less.
    # Above it: 20,000 - 1,000 - 15,000 = 4,000, at the end 20,100.50 - 1,000 - 15,068.38 = 4,032.12.
    shown = done.tables["budget"].filter(pl.col("pool") == "employee")
    assert shown.select("line", "planned_fen", "changed_fen", "amount_fen", "left_fen").rows() == [
        ("预算收入", 2_000_000, 10_050, 2_010_050, 2_010_050),
        ("风险储备金", 100_000, 0, 100_000, 1_910_050),
        ("left_over", 400_000, 3_212, 403_212, 1_506_838),
        ("by_disease", 1_500_000, 6_838, 1_506_838, 0),
    ]
    assert done.tables["pools"].select("pool", "fund_fen", "reserve_fen").row(0) == (
        "employee",
        1_506_838,
        503_212,
    )

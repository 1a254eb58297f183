"""``fenzhi forecast``: the year's end from the months done, as a user sees it."""

from __future__ import annotations

import json
import re
from datetime import date

import polars as pl
import pytest

import fenzhi
from cli.calls import done
from cli.calls import fenzhi as call
from fenzhi.reports.forecast_texts import TEXTS
from fenzhi.simulation.forecast_columns import FORECAST

FAST = ("--draws", "60")
HALF = ("--as-of", "2027-06-30", *FAST)


@pytest.fixture(scope="module")
def written(demo, tmp_path_factory):
    """The forecast of the demo region and what was printed."""
    target = tmp_path_factory.mktemp("forecast") / "out"
    return target, done("forecast", demo, *HALF, "-o", target, "--lang", "en")


def test_what_is_printed(written):
    target, out = written
    assert "2027 forecast: " in out
    assert "80% interval · Simulation: 60 draws, seed 1" in out
    for title in ("Point values", "Hospitals", "Stays, points and cash by month", "What makes the spread"):
        assert title in out
    assert f"files: {target / 'forecast.html'}" in out.replace("\n", "")


def test_what_is_written(written):
    target, _ = written
    tables = {name for name in FORECAST if name not in ("backtest", "coverage")}
    files = {f"{name}.{kind}" for name in tables for kind in ("csv", "parquet")}
    assert {path.name for path in target.iterdir()} == files | {"summary.json", "forecast.html"}
    for name in tables:
        frame = pl.read_parquet(target / f"{name}.parquet")
        assert frame.columns == [column.name for column in FORECAST[name]]
    assert json.loads((target / "summary.json").read_text("utf-8"))["as_of"] == "2027-06-30"


def test_the_page_has_charts_with_intervals_and_no_outside_links(written):
    page = (written[0] / "forecast.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", page)
    values = pl.read_parquet(written[0] / "values.parquet").filter(measure="settlement_value_e4")
    for low, high in values.select("low", "high").iter_rows():
        assert f"{low / 10_000:.4f} – {high / 10_000:.4f}" in page


def test_one_hospital_in_chinese_and_as_json(demo, written):
    code = pl.read_parquet(written[0] / "accounts.parquet")["fixmedins_code"][0]
    out = done("forecast", demo, *HALF, "--hospital", code)
    assert "各项指标" in out
    assert "结余(+)或超支(−)，分担后" in out
    made = json.loads(done("forecast", demo, *HALF, "--hospital", code, "--json"))
    assert {row["fixmedins_code"] for row in made["accounts"]} == {code}
    again = fenzhi.forecast(demo, date(2027, 6, 30), hospital=code)
    assert again.summary["hospital"] == code


def test_the_back_test_prints_how_many_hospitals_are_covered(demo, tmp_path):
    out = done("forecast", demo, *HALF, "--back-test", "--lang", "en", "-o", tmp_path / "out")
    assert "Back-test: does the interval hold the truth" in out
    table = pl.read_csv(tmp_path / "out" / "coverage.csv")
    for measure, inside, hospitals in table.select("measure", "inside", "hospitals").iter_rows():
        assert 0 < inside <= hospitals <= 10, measure
    assert "Truth inside" in (tmp_path / "out" / "forecast.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "[FORECAST_INPUT] the records reach to the end of the year"),
        (("--as-of", "2026-06-30"), "the day lies outside the year 2027"),
        ((*HALF, "--hospital", "X"), "hospitals.csv lists no such hospital"),
        ((*HALF, "--level", "2"), "the level lies between"),
        ((*HALF, "--value-range", "1", "x"), "is no number"),
        (("--back-test",), "--back-test needs --as-of"),
    ],
)
def test_refused_in_words(demo, options, said):
    answer = call("forecast", demo, *options)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_region_without_history(demo, tmp_path):
    folder = tmp_path / "region"
    folder.mkdir()
    for path in demo.iterdir():
        if path.name != "runs":
            (folder / path.name).symlink_to(path)
    text = (folder / "region.toml").read_text("utf-8")
    (folder / "region.toml").unlink()
    (folder / "region.toml").write_text(
        re.sub(r"history = \[.*?\]", "history = []", text, flags=re.DOTALL), "utf-8"
    )
    answer = call("forecast", folder, *HALF)
    assert (answer.code, "HISTORY_EMPTY" in answer.err) == (2, True)


def test_every_text_is_in_both_languages():
    assert all(len(pair) == 2 and all(pair) for pair in TEXTS.values())

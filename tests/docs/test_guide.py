"""The guide is run: files are written, commands and Python executed in order, their output compared."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from fenzhi.cli import main

from .blocks import ROOT, Block, blocks, prose

GUIDE = ROOT / "docs" / "guide.md"
GUIDES = (GUIDE, ROOT / "docs" / "guide.zh-CN.md")


def _newest_run() -> str:
    return max(path.parent for path in Path("my-region/runs").glob("*/manifest.json")).name


def _command(line: str, monkeypatch: pytest.MonkeyPatch) -> int:
    words = shlex.split(line)
    assert words[0] == "fenzhi", line
    words = [
        word.replace("runs/ID", f"runs/{_newest_run()}") if "runs/ID" in word else word for word in words
    ]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def _run(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = int(block.options.get("exit", "0"))
    for line in block.content.splitlines():
        assert _command(line, monkeypatch) == expected, f"guide.md:{block.line}: {line}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new folder that the whole page works in."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("guide")
        patch.chdir(place)
        patch.setenv("COLUMNS", "200")
        yield place


def test_guide_runs_as_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    output = ""
    done = {"file": 0, "sh": 0, "python": 0, "text": 0}
    for block in blocks(GUIDE):
        if "file" in block.options:
            path = Path(block.options["file"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.content, encoding="utf-8")
            done["file"] += 1
        elif block.language == "sh":
            _run(block, monkeypatch)
            done["sh"] += 1
        elif block.language == "python":
            exec(compile(block.content, f"guide.md:{block.line}", "exec"), {})
            done["python"] += 1
        elif block.language == "text":
            for line in block.content.splitlines():
                assert line in output, f"guide.md:{block.line}: not in the output:\n{line}\n--\n{output}"
            done["text"] += 1
        if block.language in ("sh", "python"):
            captured = capfd.readouterr()
            output = captured.out + captured.err
    assert min(done.values()) > 0
    _figures_by_hand()
    _shapes_agree()


def _figures_by_hand() -> None:
    """The table of section 7, and the reasons that the text names."""
    run = Path("my-region/runs") / _newest_run()
    hospitals = pl.read_parquet(run / "hospitals.parquet")
    want = {
        "coefficient_e4": [11_250, 8_750],
        "points_e4": [22_500_000, 15_000_000],
        "gross_fen": [1_260_000, 840_000],
        "assessed_fen": [0, 8_400],
        "deduction_fen": [10_000, 0],
        "payable_fen": [1_250_000, 831_600],
        "advance_fen": [1_097_000, 729_000],
        "working_capital_fen": [210_000, 163_333],
        "clearing_fen": [-57_000, -60_733],
    }
    assert {name: hospitals[name].to_list() for name in want} == want
    cases = pl.read_parquet(run / "cases.parquet")
    assert cases["points_e4"].to_list() == [5_625_000, 16_875_000, 1_875_000, 13_125_000, None, None, None]
    assert cases["reason"].to_list()[4:] == ["age_range", "self_paying", "refund_without_original"]
    assert cases["outcome"].to_list()[4:] == ["rejected", "excluded", "rejected"]
    pool = pl.read_parquet(run / "pools.parquet").row(0, named=True)
    assert (pool["fund_fen"], pool["payment_ratio_e4"]) == (2_100_000, 7_000)
    assert (pool["opening_value_e4"], pool["settlement_value_e4"]) == (80_000, 80_000)
    groups = pl.read_parquet(run / "groups.parquet")
    assert dict(groups.select("group_id", "rw_e4").iter_rows()) == {
        "J18.9:0": 5_000_000,
        "K35.8:47.0100": 15_000_000,
    }


def _shapes_agree() -> None:
    """The same stay in three shapes and under foreign names gets the same group."""
    wanted = pl.read_csv("groups.csv").filter(pl.col("setl_id") == "S02")
    assert wanted["group_id"].to_list() == ["K35.8:47.0100"]
    for name in ("groups-three.csv", "groups-wide.csv", "groups-export.csv"):
        assert pl.read_csv(name).equals(wanted), name


def test_both_guides_have_the_same_blocks() -> None:
    """Comments of the example files may be translated, nothing else."""

    def bare(block: Block) -> tuple[str, dict[str, str], str]:
        content = block.content
        if block.language == "toml":
            content = re.sub(r" *#.*", "", content)
        elif not block.language:  # the tree of files: names, then what they are
            content = " ".join(line.split()[0] for line in content.splitlines())
        return block.language, block.options, content

    english, chinese = ([bare(block) for block in blocks(page)] for page in GUIDES)
    assert english == chinese


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_loose_toml_blocks_are_keys_of_region_or_budget(page: Path) -> None:
    """A TOML block without a file is an addition to region.toml or to a pool of budget.toml, and accepted there."""
    from fenzhi.budget import Budget
    from fenzhi.records import QualityRules
    from fenzhi.region.load import RegionMeta

    toml = [block for block in blocks(page) if block.language == "toml"]
    files = {str(block.options.get("file")): tomllib.loads(block.content) for block in toml}
    [budget] = (data for name, data in files.items() if name.endswith("budget.toml"))
    loose = [tomllib.loads(block.content) for block in toml if "file" not in block.options]
    assert loose
    for data in loose:
        if "catalog" in data:
            RegionMeta.model_validate({"id": "x", "name": "x", "year": 2027, "policy": "x", **data})
            continue
        if "pool" not in data:
            QualityRules.model_validate(data["quality"])
            continue
        added = data["pool"][0] if isinstance(data["pool"], list) else data["pool"]
        one = Budget.model_validate(budget | {"pool": [budget["pool"][0] | added]})
        assert one.of("resident").fund_fen > 0


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_codes_in_the_guide_exist(page: Path) -> None:
    """Error codes of the last table occur in the source."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "fenzhi").rglob("*.py"))
    codes = re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", prose(page))
    assert len(codes) > 10
    missing = [code for code in codes if f'"{code}"' not in source]
    assert not missing

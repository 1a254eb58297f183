"""``fenzhi catalog negotiate``: a round of weights before it is final, and two rounds compared.

Small region, stays of the history in brackets: K35.8:47.0100 1536.5854 (4), K35.8:0 585.3659 (4), K35-medical 731.7073
(2), E11.9:0 731.7073 (1), K35-surgery 1317.0732 (1): total 12,000.0003. E11.9:0 becomes 800: all others x 11,200.0003
/ 11,268.2930: 1527.27275915, 581.81822709, 727.27270932, 1309.09093641. Cut to four decimals 0.0004 are missing; the
operation lost most and its 4 stays take them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from fenzhi.catalogs import load_catalog
from fenzhi.pipeline.negotiate import negotiate_weights

HEAD = "group_id,weight,who,why,when\n"
ROUND = "E11.9:0,800,专家组,胰岛素涨价,2026-10-01\n"
AFTER = {
    "K35.8:47.0100": "1527.2728",
    "K35.8:0": "581.8182",
    "E11.9:0": "800.0000",
    "K35-medical": "727.2727",
    "K35-surgery": "1309.0909",
}


def round_file(folder: Path, rows: str = ROUND) -> Path:
    file = folder / "round.csv"
    file.write_text(HEAD + rows, encoding="utf-8")
    return file


def negotiated(folder: Path) -> dict[str, dict[str, str | None]]:
    table = pl.read_csv(folder / "negotiated.csv", infer_schema=False)
    return {row["group_id"]: row for row in table.iter_rows(named=True)}


def test_a_round_beside_the_catalogue(small, tmp_path):
    new = tmp_path / "round-1"
    out = done("catalog", "negotiate", small, "--overrides", round_file(tmp_path), "-o", new)
    assert re.search(r"E11\.9:0 +糖尿病 +1 +731\.7073 +800\.0000 +专家组 +胰岛素涨价 +2026-10-01", out)
    assert "分值总量(分值 x 历史病例)保持 12,000.0003,差 0.0000" in out
    rows = negotiated(new)
    assert {group: row["weight"] for group, row in rows.items()} == AFTER
    assert {row["how"] for group, row in rows.items() if group != "E11.9:0"} == {"rescaled"}
    mine = rows["E11.9:0"]
    assert [mine[key] for key in ("weight_before", "how", "who", "why", "when")] == [
        "731.7073",
        "agreed",
        "专家组",
        "胰岛素涨价",
        "2026-10-01",
    ]
    assert load_catalog(new) == load_catalog(small / "catalog")
    assert (new / "weight_overrides.csv").read_text(encoding="utf-8") == HEAD + ROUND
    assert (new / "effect" / "compare.html").is_file()
    assert not (small / "runs").exists()
    assert (
        "[OUTPUT_EXISTS]"
        in fenzhi("catalog", "negotiate", small, "--overrides", tmp_path / "round.csv", "-o", new).err
    )


def test_what_was_shown_is_what_the_year_pays_once_it_is_final(small, tmp_path):
    file = round_file(tmp_path)
    shown = negotiate_weights(small, file)
    (small / "weight_overrides.csv").write_bytes(file.read_bytes())
    done("run", small, "--no-reports")
    [run] = runs_of(small)
    pays = pl.read_parquet(run / "hospitals.parquet").select("fixmedins_code", "pool", "final_fen")
    found = shown.tables["accounts"].select("fixmedins_code", "pool", pl.col("after_fen").alias("final_fen"))
    assert pays.sort("fixmedins_code", "pool").equals(found.sort("fixmedins_code", "pool"))
    weights = dict(pl.read_parquet(run / "groups.parquet").select("group_id", "rw_e4").iter_rows())
    assert weights == {group: round(float(weight) * 10_000) for group, weight in AFTER.items()}
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["negotiated"]["total_e4"], manifest["negotiated"]["left_e4"]) == (120_000_003, 0)
    # The next round starts from this one: the same file again changes nothing.
    again = negotiate_weights(small, file)
    assert set(again.summary["causes"].values()) == {0}
    assert set(again.weights["how"]) == {"agreed", "same"}


def test_two_rounds_are_compared_with_who_and_why(small, tmp_path):
    for name, rows in (
        ("one", ROUND + "K35-medical,700,专家组,价格下降,\n"),
        ("two", "E11.9:0,850,医保局,复议,2026-11-02\n"),
    ):
        done("catalog", "negotiate", small, "--overrides", round_file(tmp_path, rows), "-o", tmp_path / name)
    file = tmp_path / "moved.csv"
    out = done("catalog", "diff", tmp_path / "one", tmp_path / "two", "-o", file)
    assert "谈判结果" in out
    rows = pl.read_csv(file, infer_schema=False)
    agreements = rows.filter(what="agreement").select("change", "item", "name", "before", "after").rows()
    assert agreements == [
        (
            "changed",
            "E11.9:0",
            "糖尿病",
            "800.0000 (专家组: 胰岛素涨价, 2026-10-01)",
            "850.0000 (医保局: 复议, 2026-11-02)",
        ),
        ("removed", "K35-medical", "阑尾炎内科诊疗组", "700.0000 (专家组: 价格下降)", None),
    ]
    weights = rows.filter(what="negotiated_weight")
    assert weights.filter(item="E11.9:0").select("before", "after").rows() == [("800.0000", "850.0000")]
    assert weights.height == 5
    against = done("catalog", "diff", small / "catalog", tmp_path / "two", "--lang", "en")
    assert re.search(r"agreement +added +1 +E11\.9:0: - → 850\.0000 \(医保局: 复议, 2026-11-02\)", against)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "[WEIGHT_OVERRIDES] this file negotiates no weight"),
        ("X99,1,a,b,\n", "[REGION_KEY] the catalogue has no such group"),
        (ROUND + ROUND, "[REGION_KEY]"),
        ("E11.9:0,800,a,,\n", "[REGION_BLANK]"),
        ("E11.9:0,800,,b,\n", "[REGION_BLANK]"),
        ("E11.9:0,0,a,b,\n", "[REGION_NUMBER]"),
        ("E11.9:0,-3,a,b,\n", "[REGION_NUMBER]"),
        ("E11.9:0,800,a,b,1.10.2026\n", "[REGION_DAY] this is no day"),
        ("E11.9:0,12000.0003,a,b,\n", "[WEIGHT_OVERRIDES] the negotiated weights use up the total"),
        (
            "".join(f"{group},1,a,b,\n" for group in AFTER),
            "[WEIGHT_OVERRIDES] every weighted group of the history is negotiated",
        ),
    ],
)
def test_files_that_cannot_be_are_refused(small, tmp_path, rows, said):
    found = fenzhi(
        "catalog", "negotiate", small, "--overrides", round_file(tmp_path, rows), "-o", tmp_path / "x"
    )
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert "round.csv" in found.err
    assert not (tmp_path / "x").exists()

"""Make the folder of the Brazilian example from a table of SIH/SUS admissions.

    python docs/examples/brazil/make.py sih_sus_rs_2019_10k.csv brazil-2019

Then `fenzhi catalog build brazil-2019/history --columns brazil-2019/columns.toml -o brazil-2019/catalog` and
`fenzhi run brazil-2019`. What comes out: docs/examples/brazil.md.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import polars as pl

HERE = Path(__file__).parent


def make(source: Path, target: Path) -> int:
    """Write the region's folder and return the number of hospitals. Their level and type are invented."""
    for folder in ("history", "records"):
        (target / folder).mkdir(parents=True)
        shutil.copy(source, target / folder / "sih.csv")
    for name in ("region.toml", "policy.toml", "budget.toml"):
        shutil.copy(HERE / name, target / name)
    shutil.copy(HERE.parent / "sih-sus-columns.toml", target / "columns.toml")
    # Codes are text: 0000123 must keep its zeros.
    codes = pl.read_csv(source, columns=["CNES"], infer_schema=False)["CNES"].unique().sort()
    hospitals = pl.DataFrame({"fixmedins_code": codes}).with_columns(
        pl.format("CNES {}", "fixmedins_code").alias("fixmedins_name"),
        pl.lit("1").alias("level"),
        pl.lit("general").alias("type"),
    )
    hospitals.write_csv(target / "hospitals.csv")
    return hospitals.height


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), Path(sys.argv[2])), "hospitals")

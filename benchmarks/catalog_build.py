"""The local catalogue of a whole region, built from three years of history: seconds, peak, the same bytes twice.

``python -m benchmarks.catalog_build [REGION]`` builds twice from a region's folder (by default the full demonstration
region, drawn once into ``.benchmarks``), prints the figures as JSON and ends with 1 if the two folders differ or a
build took 60 seconds or 8 GiB. Computing time stands beside the time on the clock.
"""

from __future__ import annotations

import filecmp
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import CACHE, DEMO
from benchmarks.measure import child

LIMIT_SECONDS, LIMIT_GIB = 60, 8
BUILD = "import sys; from fenzhi.cli import main; sys.argv = ['fenzhi', 'catalog', 'build', *sys.argv[1:]]; main()"


def full_region() -> Path:
    """Return the full demonstration region; it is drawn once."""
    region = CACHE / "full-demo"
    if not (region / "region.toml").exists():
        print(f"drawing {region} (once) ...", file=sys.stderr)
        child(DEMO, "demo", str(region), "--full")
    return region


def main() -> int:
    """Build twice, compare, print; return the exit code."""
    region = Path(sys.argv[1]) if len(sys.argv) > 1 else full_region()
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / each for each in ("first", "second")]
        spent = [child(BUILD, str(region), "--base", "none", "-o", str(folder)) for folder in folders]
        files = sorted(path.name for path in folders[0].iterdir())
        _, unlike, missing = filecmp.cmpfiles(*folders, files, shallow=False)
        figures = json.loads((folders[0] / "build.json").read_text(encoding="utf-8"))["figures"]
    shown = ("history_stays", "groups", "coverage", "cv_before_mean", "cv_mean", "riv")
    found = {
        "builds": [
            {
                "seconds": round(one.seconds, 1),
                "cpu_seconds": None if one.cpu_seconds is None else round(one.cpu_seconds, 1),
                "peak_gib": None if one.peak_gib is None else round(one.peak_gib, 2),
            }
            for one in spent
        ],
        "figures": {key: figures[key] for key in shown if key in figures},
        "identical": not unlike and not missing,
    }
    print(json.dumps(found))
    slow = max(one.seconds for one in spent) >= LIMIT_SECONDS
    large = max(one.peak_gib or 0 for one in spent) >= LIMIT_GIB
    return int(slow or large or not found["identical"])


if __name__ == "__main__":
    raise SystemExit(main())

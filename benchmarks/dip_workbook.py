"""A DIP scheme of national size as a workbook: imported, exported, imported again, with the seconds of each.

``python -m benchmarks.dip_workbook [ROWS]`` draws a workbook in the official layout (by default 5,125 core rows with
the lists and the dictionary that belong to them), prints the figures as JSON and ends with 1 if the second folder
differs from the first or the first import took 10 seconds. Computing time stands beside the time on the clock.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import xlsxwriter

from fenzhi.pipeline.catalogs import export
from fenzhi.pipeline.import_dip import DipImport, import_dip

CORE_ROWS, LIMIT_SECONDS = 5_125, 10
Sheets = dict[str, list[list[object]]]
KINDS = ("内科诊疗组", "诊断性操作组", "治疗性操作组", "相关手术组")


def _category(number: int) -> str:
    return f"{'ABCDEFGHIJKLMNOPQRST'[number // 100 % 20]}{number % 100:02d}"


def _operation(number: int) -> str:
    return f"{number // 100 % 87:02d}.{number % 100:02d}00"


def draw(core_rows: int) -> Sheets:
    """Return the sheets of a scheme: a third merged rows with several operations, the rest basic ones."""
    diagnosis, operation = ("主要诊断编码", "主要诊断名称"), ("主要手术操作编码", "主要手术操作名称")
    merged: list[list[object]] = [
        ["二、并项规则下的核心病种"],
        ["分类", "序号", *diagnosis, *operation, "相关手术操作编码", "相关手术操作名称"],
    ]
    basic: list[list[object]] = [["四、基础规则下的核心病种"], ["分类", "序号", *diagnosis, *operation]]
    for number in range(core_rows):
        category, sub = _category(number // 3), number % 3
        code = f"{category}.{sub}"
        if number % 3 == 0:
            cell = "|".join(_operation(number + more) for more in range(12))
            related = _operation(number + 40) if number % 6 else None
            merged.append(
                ["BX", number + 1, f"{category}.0|{category}.9", "诊断", cell, "手术|" * 11, related, None]
            )
        else:
            cell = None if number % 2 else f"{_operation(number)}|\n{_operation(number + 1)}"
            basic.append(["JC", number + 1, code, "诊断名称", cell, "手术名称"])
    dictionary: list[list[object]] = [
        ["ICD-10分类码", "ICD-10分类名称", "组编号", "组名称", "综合病种编码", "综合病种名称"]
    ]
    for one in range(2_000):
        category = _category(one)
        for at, kind in enumerate(KINDS, start=1):
            dictionary.append([category, "类目名称", at, kind, f"{category}-{at}", f"类目名称,{kind}"])
    excluded: list[list[object]] = [
        list(diagnosis),
        *([f"Z{n // 10 % 100:02d}.{n % 10}{n // 1000:02d}", "诊断"] for n in range(4_720)),
    ]
    barred: list[list[object]] = [[*operation, "说明"]]
    for n in range(4_087):
        note = ("不可作为主要手术操作", "按保守治疗入组", "A00-A09|K20-K93作为主要诊断，可作为主要手术操作")[
            n % 3
        ]
        barred.append([f"{88 + n // 1000}.{n % 1000 // 10:02d}{n % 10:02d}x001", "操作", note])
    types: list[list[object]] = [["手术操作编码", "手术操作名称", "类别", "级别"]]
    types += [
        [_operation(n), "手术", ("手术", "治疗性操作", "诊断性操作")[n % 3], n % 4 + 1] for n in range(8_700)
    ]
    return {
        "二、并项规则下的核心病种": merged,
        "四、基础规则下的核心病种": basic,
        "综合病种字典表": dictionary,
        "五、不纳入分组的主要诊断": excluded,
        "五、不纳入分组的主要手术操作": barred,
        "手术操作类型": types,
    }


def write(path: Path, sheets: Sheets) -> int:
    """Write the sheets and return how many rows they have."""
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, ["" if cell is None else cell for cell in row])
    return sum(map(len, sheets.values()))


def _timed(work: Callable[[], object]) -> dict[str, float]:
    began, computing = time.perf_counter(), time.process_time()
    work()
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(time.process_time() - computing, 2),
    }


def main() -> int:
    """Draw, import, export, import; print what it took."""
    core_rows = int(sys.argv[1]) if len(sys.argv) > 1 else CORE_ROWS
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rows = write(folder / "scheme.xlsx", draw(core_rows))
        again = DipImport((folder / "again.xlsx",), {})
        first = _timed(lambda: import_dip(DipImport((folder / "scheme.xlsx",), {}), folder / "one"))
        figures: dict[str, object] = {
            "core_rows": core_rows,
            "rows": rows,
            "import": first,
            "export": _timed(lambda: export(folder / "one", folder / "again.xlsx")),
            "import_again": _timed(lambda: import_dip(again, folder / "two")),
        }
        one, two = (
            {path.name: path.read_bytes() for path in (folder / name).iterdir()} for name in ("one", "two")
        )
    figures["identical"] = one == two
    print(json.dumps(figures))
    return 0 if one == two and first["seconds"] < LIMIT_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())

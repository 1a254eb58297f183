"""Times the peer: ``peer_claims.py FOLDER CLAIMS TIMES``, with msdrg in FOLDER. Prints one JSON object.

Runs by itself: standard library and msdrg only. Claims have as many codes as our own stays (3.5 diagnoses and 2
operations in the mean). Codes are those of msdrg's data file that msdrg itself calls valid: its grouper for
diagnoses (also which may be principal), its code editor for procedures.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from pathlib import Path
from typing import Any

VERSION = 431
DISCHARGE_DATE = 20260601  # a day on which that version holds
PRINCIPALS = 5_000
OTHERS = 30_000
AT_ONCE = 20
DIAGNOSIS = rb"(?<![A-Z0-9])[A-Z]\d[0-9A-Z]{1,5}(?=\0)"
PROCEDURE = rb"(?<![A-Z0-9])[0-9A-HJ-NP-Z]{7}(?=\0)"


def claim(
    principal: str, others: list[str], procedures: list[str], age: int = 65, sex: int = 0
) -> dict[str, Any]:
    """Return a claim as the peer's documentation writes it; the code editor takes the same."""
    return {
        "version": VERSION,
        "discharge_date": DISCHARGE_DATE,
        "age": age,
        "sex": sex,
        "discharge_status": 1,
        "pdx": {"code": principal},
        "sdx": [{"code": code} for code in others],
        "procedures": [{"code": code} for code in procedures],
    }


def candidates(data: bytes, pattern: bytes, count: int, rng: random.Random) -> list[str]:
    """Return texts of the data file that look like codes, at most ``count`` of them."""
    found = sorted({word.decode("ascii") for word in re.findall(pattern, data)})
    return rng.sample(found, min(count, len(found)))


def valid_diagnoses(grouper: Any, codes: list[str]) -> list[str]:
    """Return the codes that the grouper calls valid."""
    valid = []
    for at in range(0, len(codes), AT_ONCE):
        said = grouper.group(claim("I5020", codes[at : at + AT_ONCE], []))["sdx_output"]
        valid += [one["code"] for one in said if "VALID" in one["flags"]]
    return valid


def valid_procedures(editor: Any, codes: list[str]) -> list[str]:
    """Return the codes that the code editor does not call invalid."""
    return [
        code
        for code in codes
        if all(edit["name"] != "INVALID_CODE" for edit in editor.edit(claim("I5020", [], [code]))["edits"])
    ]


def draw(msdrg: Any, count: int) -> list[dict[str, Any]]:
    """Return ``count`` claims of valid codes, principal diagnoses such that the peer groups."""
    rng = random.Random(1)
    data = (Path(msdrg.__file__).parent / "data" / "msdrg.mdb").read_bytes()
    with msdrg.MsdrgGrouper() as grouper, msdrg.MceEditor() as editor:
        diagnoses = valid_diagnoses(grouper, candidates(data, DIAGNOSIS, OTHERS, rng))
        procedures = valid_procedures(editor, candidates(data, PROCEDURE, OTHERS, rng))
        principals = [
            code
            for code in diagnoses[:PRINCIPALS]
            if grouper.group(claim(code, [], []))["return_code"] == "OK"
        ]
    return [
        claim(
            rng.choice(principals),
            rng.choices(diagnoses, k=rng.randint(0, 5)),
            rng.choices(procedures, k=rng.randint(0, 4)),
            age=rng.randint(0, 95),
            sex=rng.randint(0, 1),
        )
        for _ in range(count)
    ]


def main() -> None:
    """Draw the claims, group them once to warm up, then time it."""
    folder, count, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    sys.path.insert(0, folder)
    import msdrg

    claims = draw(msdrg, count)
    with msdrg.MsdrgGrouper() as grouper:
        results = [grouper.group(one) for one in claims]
        seconds = []
        for _ in range(times):
            since = time.perf_counter()
            for one in claims:
                grouper.group(one)
            seconds.append(time.perf_counter() - since)
    said = {
        "seconds": seconds,
        "claims": count,
        "mean_diagnoses": round(sum(1 + len(one["sdx"]) for one in claims) / count, 2),
        "mean_procedures": round(sum(len(one["procedures"]) for one in claims) / count, 2),
        "share_grouped": round(sum(one["return_code"] == "OK" for one in results) / count, 4),
        "different_drgs": len({one["final_drg"] for one in results}),
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()

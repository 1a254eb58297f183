"""Random other tracks: the policy's list, the region's tables, the budget lines that fund them."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

from twins.codes import Row
from twins.draw import DIAGNOSES, OPERATIONS, chance, some

WHO: Row = {
    "med_types": [],
    "departments": [],
    "diagnoses": [],
    "operations": [],
    "levels": [],
    "types": [],
    "hospitals": [],
    "areas": [],
    "los_from": None,
    "los_upto": None,
    "pools": [],
}
KINDS = [
    "bed_day",
    "day_surgery",
    "price_per_disease",
    "average_quota",
    "total_cap",
    "community",
    "outpatient",
    "outside_budget",
    "procurement_savings",
]
TABLES = ("prices", "quotas", "communities", "outpatient", "outside", "savings")
AREAS = ["990100", "990200", "980100"]


def yuan(rng: Random) -> str:
    """An amount of yuan, small or odd."""
    return rng.choice(
        ["0", "50", "33.33", str(rng.randint(1, 400)), f"{rng.randint(1, 99)}.{rng.randint(10, 99)}"]
    )


def fen(rng: Random) -> int:
    return rng.choice([0, rng.randint(1, 500), rng.randint(1, 10**6), rng.randint(1, 10**8)])


def share(rng: Random) -> str:
    return rng.choice(["0", "1", "0.5", "0.3333", "0.85"])


def who(rng: Random, region: Row, most: int) -> Row:
    """A few conditions, so that tracks take some of the stays."""
    codes = [one["fixmedins_code"] for one in region["hospitals"]]
    values: Row = {
        "med_types": [["2105"], ["21", "2106"], ["2106"]],
        "departments": [["D1"], ["D2", "D3"]],
        "diagnoses": [["K35"], ["C34.9", "P07"], ["A15.100"]],
        "operations": [["47.0100"], ["99.2800x005", "33.6x00"], ["96.0700"]],
        "levels": [["3"], ["1", "2"]],
        "types": [["tcm"], ["general", "children"]],
        "hospitals": [codes[:1], codes[1:] or codes],
        "areas": [["990200"], ["990100"]],
        "los_from": [2, 5],
        "los_upto": [5, 60],
        "pools": [[region["pools"][0]["id"]]],
    }
    return {**WHO, **{key: rng.choice(values[key]) for key in some(rng, list(values), most, 0)}}


def steps(rng: Random) -> list[Row]:
    """Rates for all hospitals, and sometimes others for a level."""
    found: list[Row] = []
    for level in [*some(rng, ["3", "2"], 1, 0), None]:
        for end in [*sorted(some(rng, [1, 2, 5, 30], 2, 0)), None]:
            found.append({"level": level, "upto_days": end, "yuan_per_day": yuan(rng)})
    return found


def tiers(rng: Random) -> list[Row]:
    """Tiers of an overrun; above the last limit the fund bears nothing, or a share to the end."""
    limits = ["0", *sorted(some(rng, ["0.05", "0.1", "0.5", "2"], 2, 0), key=float)]
    found = [{"above": low, "upto": high, "share": share(rng)} for low, high in pairwise(limits)]
    return [*found, {"above": limits[-1], "upto": None, "share": share(rng)}] if chance(rng, 0.6) else found


def special(rng: Random, kind: str) -> Row:
    """The keys that only this kind has."""
    basis = {"basis": rng.choice(["ratio", "difference"]), "fund_share": share(rng)}
    unlisted = {"unlisted": rng.choice(["by_disease", "actual"])}
    if kind == "bed_day":
        return {"steps": steps(rng), **basis}
    if kind == "day_surgery":
        listed = [{"operation": code, "yuan": yuan(rng)} for code in some(rng, OPERATIONS, 3, 0)]
        return {
            "yuan": rng.choice([None, yuan(rng)]) if listed else yuan(rng),
            "prices": listed,
            **basis,
            **unlisted,
        }
    if kind == "price_per_disease":
        return {"diagnosis_match": rng.choice(["prefix", "prefix", "exact"]), **unlisted}
    if kind == "average_quota":
        return {
            "over_limit": rng.choice(["0.2", "0", "2"]),
            "over_share": share(rng),
            "saving_share": rng.choice(["0.3", "1"]),
            "saving_cap": rng.choice(["0.03", "0.5"]),
        }
    if kind == "total_cap":
        return {"keep_surplus": chance(rng, 0.5)}
    if kind == "community":
        return {"surplus_to": rng.choice(["lead", "members"]), "overrun": tiers(rng)}
    return {"form": rng.choice(["price", "points"])} if kind == "outpatient" else {}


def draw_tracks(rng: Random, region: Row, rules: dict[str, Any]) -> list[Row]:
    """Up to four tracks; kinds of stay that scope.other_tracks names may be theirs."""
    found: list[Row] = []
    possible = [
        kind for kind in KINDS if kind != "community" or any(h["community"] for h in region["hospitals"])
    ]
    for number, kind in enumerate(some(rng, possible, 4, 1)):
        stays = kind in KINDS[:6]
        free = [
            name for name in rules["scope"]["other_tracks"].values() if name not in [t["id"] for t in found]
        ]
        name = rng.choice(free) if stays and free and chance(rng, 0.4) else f"t{number}"
        track: Row = {"id": name, "title": kind, "line": None, "kind": kind, **special(rng, kind)}
        if chance(rng, 0.3) and track.get("form") != "points":
            track["line"] = "common"
        if stays:
            track["who"] = who(rng, region, 2)
            needs = kind not in ("price_per_disease", "community") and name not in free
            if needs and track["who"] == WHO:
                track["who"] = {**WHO, "los_from": 5}
        found.append(track)
    return found


def draw_tables(rng: Random, region: Row, tracks: list[Row]) -> Row:
    """The tables of region/tracks.py; a quota for everybody, so that no hospital lacks one."""
    codes = [one["fixmedins_code"] for one in region["hospitals"]]
    levels = sorted({one["level"] for one in region["hospitals"]})
    pools = [one["id"] for one in region["pools"]]
    found: Row = {name: [] for name in TABLES}

    def keyed(name: str, *keys: str) -> None:
        """Keep the first of rows with the same key."""
        first: Row = {}
        for row in found[name]:
            first.setdefault(tuple(row[key] for key in keys), row)
        found[name] = [{**row, "row": at} for at, row in enumerate(first.values(), start=1)]

    for track in tracks:
        head, kind = {"track": track["id"]}, track["kind"]
        at = {"fixmedins_code": rng.choice(codes), "pool": rng.choice(pools)}
        if kind == "price_per_disease":
            for _ in range(rng.randint(1, 6)):
                code = rng.choice(DIAGNOSES)
                found["prices"].append(
                    {
                        **head,
                        "diagnosis": rng.choice([code, code[:3], code[:5]]),
                        "operation": rng.choice([None, rng.choice(OPERATIONS)]),
                        "price_fen": fen(rng),
                        "patient_share_e4": rng.choice([0, 3_333, 5_000, 10_000]),
                    }
                )
        elif kind == "average_quota":
            found["quotas"].append(
                {**head, "pool": None, "fixmedins_code": None, "level": None, "amount_fen": fen(rng)}
            )
            for _ in range(rng.randint(0, 3)):
                where: Row = rng.choice(
                    [
                        {"fixmedins_code": rng.choice(codes), "level": None},
                        {"fixmedins_code": None, "level": rng.choice(levels)},
                    ]
                )
                pool = rng.choice([None, *pools])
                found["quotas"].append({**head, "pool": pool, **where, "amount_fen": fen(rng)})
        elif kind == "total_cap":
            found["quotas"] += [
                {**head, "pool": pool, "fixmedins_code": code, "level": None, "amount_fen": fen(rng)}
                for code in codes
                for pool in pools
            ]
        elif kind == "community":
            names = sorted({one["community"] for one in region["hospitals"] if one["community"]})
            for pool in pools:
                left = rng.sample(AREAS, 3)
                for name in some(rng, names, 2, 1):
                    members = [
                        one["fixmedins_code"] for one in region["hospitals"] if one["community"] == name
                    ]
                    flat = chance(rng, 0.5)
                    found["communities"].append(
                        {
                            **head,
                            "community": name,
                            "pool": pool,
                            "areas": [left.pop() for _ in range(rng.randint(1, 2)) if left] or [f"A{name}"],
                            "amount_fen": fen(rng) if flat else None,
                            "income_fen": None if flat else fen(rng),
                            "share_e4": None if flat else rng.choice([0, 8_000, 10_000]),
                            "lead": rng.choice(members) if track["surplus_to"] == "lead" else None,
                        }
                    )
        elif kind == "outpatient":
            by_points = track["form"] == "points"
            for _ in range(rng.randint(1, 6)):
                found["outpatient"].append(
                    {
                        **head,
                        "fixmedins_code": rng.choice(codes),
                        "pool": rng.choice(pools),
                        "month": rng.randint(1, 12),
                        "item": rng.choice([None, "heads", "APG1"]),
                        "units": rng.randint(0, 50),
                        "price_fen": None if by_points else fen(rng),
                        "points_e4": rng.randint(0, 100_000) if by_points else None,
                    }
                )
        elif kind == "outside_budget":
            row = {**head, **at, "month": rng.randint(1, 12), "item": "drug", "amount_fen": fen(rng)}
            found["outside"].append(row)
        elif kind == "procurement_savings":
            found["savings"].append(
                {**head, **at, "saved_fen": fen(rng), "share_e4": rng.choice([0, 5_000, 3_333])}
            )
    keyed("prices", "track", "diagnosis", "operation")
    keyed("quotas", "track", "pool", "fixmedins_code", "level")
    keyed("outpatient", "track", "fixmedins_code", "pool", "month", "item")
    for name in TABLES:
        found[name] = [{"row": at, **row} for at, row in enumerate(found[name], start=1)]
    return found


def with_tracks(region: Row, rules: dict[str, Any]) -> Row:
    """The region with tracks, their tables and lines, if its drawn number says so (None: no); ``rules`` get them."""
    rng = Random(region["tracks_drawn"])
    some = region["tracks_drawn"] is not None and chance(rng, 0.6)
    rules["tracks"] = draw_tracks(rng, region, rules) if some else []
    tables = draw_tables(rng, region, rules["tracks"])
    names = [track["line"] or track["id"] for track in rules["tracks"] if track["kind"] != "outside_budget"]
    names = list(dict.fromkeys([*names, *rules["scope"]["other_tracks"].values()]))
    return {
        **region,
        "track_tables": tables,
        "budgets": {k: funded(rng, one, names) for k, one in region["budgets"].items()},
    }


def funded(rng: Random, pool: Row, names: list[str]) -> Row:
    """The budget of a pool whose carve-outs fund tracks, each at most one."""
    left = rng.sample(names, len(names))
    lines = []
    for line in pool["lines"]:
        track = left.pop() if line["kind"] == "carve_out" and left else None
        lines.append({**line, "track": track})
    return {**pool, "lines": lines}

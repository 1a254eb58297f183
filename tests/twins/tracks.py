"""Other tracks (docs/rules.md, section 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from twins.budget import final
from twins.codes import Row, extension
from twins.exact import E4, half_up, number, split

STAY_KINDS = ("bed_day", "day_surgery", "price_per_disease", "average_quota", "total_cap", "community")
FUND = Fraction(100)  # fen of a yuan


def fen(yuan: object) -> int:
    """Yuan of a policy in fen."""
    return half_up(number(yuan) * FUND)


def line_of(track: Row) -> str:
    """The budget line of a track."""
    return str(track["line"] or track["id"])


def table(region: Row, name: str, track: Row) -> list[Row]:
    """The rows of a region's table that are of a track."""
    return [row for row in region["track_tables"][name] if row["track"] == track["id"]]


def hospital_of(stay: Row, region: Row) -> Row:
    """The hospital of a stay."""
    return next((one for one in region["hospitals"] if one["fixmedins_code"] == stay["fixmedins_code"]), {})


def area_of(stay: Row, region: Row) -> str | None:
    """The insured area of a stay; without one that of the region."""
    return stay["insu_admdvs"] or region["area"]


def stated(who: Row) -> Row:
    """The conditions that are stated."""
    return {key: value for key, value in who.items() if value not in (None, [], ())}


def holds(key: str, value: Any, stay: Row, pool: str | None, region: Row) -> bool:
    """Whether one condition holds."""
    hospital = hospital_of(stay, region)
    have = {
        "med_types": stay["med_type"],
        "departments": stay.get("dscg_caty"),
        "levels": hospital.get("level"),
        "types": hospital.get("type"),
        "hospitals": stay["fixmedins_code"],
        "areas": area_of(stay, region),
        "pools": pool,
    }
    if key in have:
        return have[key] is not None and have[key] in value
    if key == "diagnoses":
        main = stay["diag_codes"][0] if stay["diag_codes"] else None
        return main is not None and any(main.startswith(head) for head in value)
    if key == "operations":
        return any(code in value or extension(code)[0] in value for code in stay["oprn_codes"])
    days = stay["act_ipt_days"]
    return bool(days >= value if key == "los_from" else days <= value)


def price_row(stay: Row, track: Row, region: Row) -> Row | None:
    """The row of the price list that a stay has."""
    main = stay["diag_codes"][0] if stay["diag_codes"] else None
    operation = stay["oprn_codes"][0] if stay["oprn_codes"] else None
    best = None
    for row in table(region, "prices", track):
        listed, wanted = row["diagnosis"], row["operation"]
        if main is None or not (
            main.startswith(listed) if track["diagnosis_match"] == "prefix" else main == listed
        ):
            continue
        if wanted is not None and (operation is None or wanted not in (operation, extension(operation)[0])):
            continue
        rank = (wanted is not None, len(listed), len(wanted or ""), -row["row"])
        if best is None or rank > best[0]:
            best = (rank, row)
    return None if best is None else best[1]


def surgery_fen(stay: Row, track: Row) -> int | None:
    """The fixed sum of a stay."""
    sums = {price["operation"]: fen(price["yuan"]) for price in track["prices"]}
    if stay["oprn_codes"]:
        code = stay["oprn_codes"][0]
        for one in (code, extension(code)[0]):
            if one in sums:
                return sums[one]
    return None if track["yuan"] is None else fen(track["yuan"])


def community_of(stay: Row, pool: str | None, track: Row, region: Row) -> str | None:
    """The community whose package a stay uses."""
    name = hospital_of(stay, region).get("community")
    for row in table(region, "communities", track):
        if (row["community"], row["pool"]) == (name, pool) and area_of(stay, region) in row["areas"]:
            return str(name)
    return None


def why_of(who: Row) -> str:
    """The stated conditions in words."""
    parts = []
    for key, value in stated(who).items():
        if isinstance(value, list):
            parts.append(f"{key} {', '.join(value[:5])}{'…' if len(value) > 5 else ''}")
        else:
            parts.append(f"{key} {value}")
    return "; ".join(parts)


def take(stay: Row, pool: str | None, region: Row, rules: Mapping[str, Any]) -> Row | None:
    """The first track that takes a stay: track, why, and what its list says."""
    sends = dict(rules["scope"]["other_tracks"])
    for kind in (rules["bed_day"] or {"med_types": []})["med_types"]:
        sends.pop(kind, None)
    for track in rules["tracks"]:
        if track["kind"] not in STAY_KINDS:
            continue
        sent = sends.get(stay["med_type"]) == track["id"]
        mapped = track["id"] in rules["scope"]["other_tracks"].values()
        conditions = stated(track["who"])
        chooses = track["kind"] in ("price_per_disease", "community") and not mapped
        own = (bool(conditions) or chooses) and all(
            holds(key, value, stay, pool, region) for key, value in conditions.items()
        )
        if not (sent or own):
            continue
        found: Row = {"track": track, "row": None, "sum": None, "community": None}
        why = [f"scope.other_tracks {stay['med_type']}" if sent else why_of(track["who"])]
        if track["kind"] == "price_per_disease":
            found["row"] = price_row(stay, track, region)
            if found["row"] is None and track["unlisted"] == "by_disease":
                continue
            why += [f"prices.csv row {found['row']['row']}"] if found["row"] else []
        if track["kind"] == "day_surgery":
            found["sum"] = surgery_fen(stay, track)
            if found["sum"] is None and track["unlisted"] == "by_disease":
                continue
        if track["kind"] == "community":
            found["community"] = community_of(stay, pool, track, region)
            if found["community"] is None:
                continue
            why.append(f"community {found['community']}")
        return {**found, "why": "; ".join(part for part in why if part)}
    return None


def day_rates(days: int, level: str | None, track: Row) -> int:
    """The rates of all days, added up."""
    steps = [step for step in track["steps"] if step["level"] == level]
    steps = steps or [step for step in track["steps"] if step["level"] is None]
    total = 0
    for day in range(1, days + 1):
        step = next(step for step in steps if step["upto_days"] is None or day <= step["upto_days"])
        total += fen(step["yuan_per_day"])
    return total


def price_stay(row: Row, found: Row, region: Row) -> Row:
    """Units, standard, fund and patients' part of a stay on a track."""
    track, others = found["track"], row["cost_fen"] - row["booked_fen"]
    units, standard = 1, None
    if track["kind"] == "bed_day":
        units = row["act_ipt_days"]
        standard = day_rates(units, hospital_of(row, region).get("level"), track)
    if track["kind"] == "day_surgery":
        standard = found["sum"]
    if track["kind"] == "price_per_disease" and found["row"] is not None:
        standard = found["row"]["price_fen"]
        fund = half_up(Fraction(standard * (E4 - found["row"]["patient_share_e4"]), E4))
        return {"units": 1, "standard": standard, "fund": fund, "patient": standard - fund}
    if standard is None:
        return {"units": units, "standard": None, "fund": row["booked_fen"], "patient": others}
    if track["basis"] == "difference":
        return {"units": units, "standard": standard, "fund": max(0, standard - others), "patient": others}
    fund = half_up(standard * number(track["fund_share"]))
    return {"units": units, "standard": standard, "fund": fund, "patient": standard - fund}


def quota_pays(stays: int, booked: int, quota: int, track: Row) -> int:
    """What a hospital is paid against its average quota."""
    standard = stays * quota
    if booked > standard:
        shared = min(Fraction(booked - standard), number(track["over_limit"]) * standard)
        return standard + half_up(number(track["over_share"]) * shared)
    saving = number(track["saving_share"]) * (standard - booked)
    return booked + half_up(min(saving, number(track["saving_cap"]) * standard))


def cap_pays(booked: int, cap: int, track: Row) -> int:
    """What a hospital is paid under its cap."""
    return cap if booked > cap or track["keep_surplus"] else booked


def quota_of(pool: str, code: str, level: str | None, rows: Sequence[Row]) -> int:
    """The quota or cap of the row that names most: hospital before level before pool."""
    fitting = [
        row
        for row in rows
        if row["pool"] in (None, pool)
        and row["fixmedins_code"] in (None, code)
        and row["level"] in (None, level)
    ]
    named = ("fixmedins_code", "level", "pool")
    best = max(fitting, key=lambda row: tuple(row[name] is not None for name in named))
    return int(best["amount_fen"])


def overrun_borne(over: int, package: int, tiers: Sequence[Row]) -> int:
    """What the fund bears of an overrun."""
    total = Fraction(0)
    for tier in tiers:
        low = number(tier["above"]) * package
        high = Fraction(over) if tier["upto"] is None else number(tier["upto"]) * package
        total += number(tier["share"]) * max(Fraction(0), min(Fraction(over), high) - low)
    return half_up(total)


def package_of(row: Row) -> int:
    """The package of a community in a pool."""
    if row["amount_fen"] is not None:
        return int(row["amount_fen"])
    return half_up(Fraction(row["income_fen"] * row["share_e4"], E4))


def community_balance(package: int, inside: int, outside: int, track: Row) -> int:
    """What a community keeps (positive) or bears (negative) at the close."""
    left = package - inside - outside
    if left >= 0:
        return left
    return -min(inside, -left - overrun_borne(-left, package, track["overrun"]))


def shared_balance(balance: int, booked: Mapping[str, int], lead: str | None, track: Row) -> dict[Any, int]:
    """The balance by hospital."""
    if track["surplus_to"] == "lead" and lead is not None:
        return {lead: balance}
    return split(balance, booked)


def pay(cases: Sequence[Row], points_pay: Sequence[Row], region: Row, rules: Mapping[str, Any]) -> Row:
    """The year of the tracks: accounts, care outside by pool, lines.

    ``cases``: the stays on tracks (``taken`` holds what :func:`take` said, ``priced`` their prices); ``points_pay``:
    the stays that points pay.
    """
    accounts: dict[tuple[str, str, str], Row] = {}
    money: dict[tuple[str, str], Row] = {}

    def account(pool: str, track: Row, code: str) -> Row:
        return accounts.setdefault(
            (pool, track["id"], code),
            {"cases": 0, "units": 0, "fund_fen": 0, "adjustment_fen": 0, "standard_fen": None},
        )

    for pool in region["pools"]:
        for track in rules["tracks"]:
            if track["kind"] != "outside_budget":
                budget = region["budgets"][pool["id"]]
                lines = [one["name"] for one in budget["lines"] if one["track"] == line_of(track)]
                amounts = final(budget)
                money[pool["id"], line_of(track)] = {
                    "line_fen": sum(amounts[name] for name in lines),
                    "outside_care_fen": 0,
                }
    for row in cases:
        own, priced = account(row["pool"], row["taken"]["track"], row["fixmedins_code"]), row["priced"]
        own["cases"] += 1
        own["units"] += priced["units"]
        own["fund_fen"] += priced["fund"]
        own["patient_fen"] = own.get("patient_fen", 0) + priced["patient"]
        own["booked_fen"] = own.get("booked_fen", 0) + row["booked_fen"]
        own["cost_fen"] = own.get("cost_fen", 0) + row["cost_fen"]
        if priced["standard"] is not None:
            own["standard_fen"] = (own["standard_fen"] or 0) + priced["standard"]
    for track in rules["tracks"]:
        mine = {key: one for key, one in accounts.items() if key[1] == track["id"]}
        if track["kind"] in ("average_quota", "total_cap"):
            for (pool, _, code), one in mine.items():
                level = hospital_of({"fixmedins_code": code}, region).get("level")
                quota = quota_of(pool, code, level, table(region, "quotas", track))
                by_stay = track["kind"] == "average_quota"
                one["standard_fen"] = quota * one["cases"] if by_stay else quota
                pays = (
                    quota_pays(one["cases"], one["booked_fen"], quota, track)
                    if by_stay
                    else cap_pays(one["booked_fen"], quota, track)
                )
                one["adjustment_fen"] = pays - one["booked_fen"]
        if track["kind"] == "community":
            for row in table(region, "communities", track):
                settle_package(row, track, cases, points_pay, region, account, money)
        rows_of_track(track, region, account, money)
    for one in accounts.values():
        one["payable_fen"] = one["fund_fen"] + one["adjustment_fen"]
    for (pool, line), one in money.items():
        ids = [track["id"] for track in rules["tracks"] if line_of(track) == line]
        ids = [name for name in ids if name not in outside_ids(rules)]
        one["paid_fen"] = sum(
            a["payable_fen"] for key, a in accounts.items() if key[0] == pool and key[1] in ids
        )
        one["left_fen"] = one["line_fen"] - one["paid_fen"] - one["outside_care_fen"]
    return {"accounts": accounts, "lines": money}


def outside_ids(rules: Mapping[str, Any]) -> list[str]:
    """The tracks that the budget does not pay."""
    return [track["id"] for track in rules["tracks"] if track["kind"] == "outside_budget"]


def settle_package(
    row: Row,
    track: Row,
    cases: Sequence[Row],
    points_pay: Sequence[Row],
    region: Row,
    account: Any,
    money: Mapping[tuple[str, str], Row],
) -> None:
    """Settle one community's package in a pool."""
    pool, name = row["pool"], row["community"]
    booked: dict[str, int] = {}
    for stay in cases:
        taken = stay["taken"]
        if (stay["pool"], taken["track"]["id"], taken["community"]) == (pool, track["id"], name):
            code = stay["fixmedins_code"]
            booked[code] = booked.get(code, 0) + stay["booked_fen"]
    away = 0
    for stay in points_pay:
        insured = stay["pool"] == pool and area_of(stay, region) in row["areas"]
        if insured and hospital_of(stay, region).get("community") != name:
            away += stay["booked_fen"]
    money[pool, line_of(track)]["outside_care_fen"] += away
    balance = community_balance(package_of(row), sum(booked.values()), away, track)
    for code, part in shared_balance(balance, booked, row["lead"], track).items():
        account(pool, track, code)["adjustment_fen"] += part


def rows_of_track(track: Row, region: Row, account: Any, money: Mapping[tuple[str, str], Row]) -> None:
    """Pay the rows of outpatient care, of items outside and of savings."""
    names = {"outpatient": "outpatient", "outside_budget": "outside", "procurement_savings": "savings"}
    if track["kind"] not in names:
        return
    rows = table(region, names[track["kind"]], track)
    for pool in {row["pool"] for row in rows}:
        mine = [row for row in rows if row["pool"] == pool]
        parts: dict[Any, int] = {}
        if track["kind"] == "outpatient" and track["form"] == "points":
            shares: dict[Any, int] = {
                (row["fixmedins_code"], row["month"], row["item"] or ""): row["units"] * row["points_e4"]
                for row in mine
            }
            parts = split(money[pool, line_of(track)]["line_fen"], shares)
        for row in mine:
            if track["kind"] == "outpatient" and track["form"] == "points":
                units, paid = row["units"], parts[row["fixmedins_code"], row["month"], row["item"] or ""]
                standard = paid
            elif track["kind"] == "outpatient":
                units, paid = row["units"], row["units"] * row["price_fen"]
                standard = paid
            elif track["kind"] == "outside_budget":
                units = 1
                standard = paid = row["amount_fen"]
            else:
                units, standard = 1, row["saved_fen"]
                paid = half_up(Fraction(row["saved_fen"] * row["share_e4"], E4))
            own = account(pool, track, row["fixmedins_code"])
            own["units"] += units
            own["fund_fen"] += paid
            own["standard_fen"] = (own["standard_fen"] or 0) + standard

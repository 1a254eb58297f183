"""The budget of a pool in plain Python, from docs/rules.md section 5, and pools drawn at random.

A drawn pool: method, last_by_disease_fen, last_total_fen, growth_rate, lines (name, kind, amount_fen or share, track)
and changes (date, reason, line, amount_fen, other).
"""

from __future__ import annotations

from fractions import Fraction
from random import Random

from twins.codes import Row
from twins.draw import chance, some
from twins.engine import yuan
from twins.exact import half_up, number

KINDS = ["carve_out", "reserve", "adjustment", "out_of_region", "paid_apart"]
RESERVE = ("reserve", "adjustment")


def state(pool: Row, changes: int) -> dict[str, int]:
    """Fen of every line, of what is left over and of the by-disease total after the first changes by date."""
    done = sorted(pool["changes"], key=lambda change: change["date"])[:changes]

    def moved(name: str) -> int:
        more = sum(change["amount_fen"] for change in done if change["line"] == name)
        return more - sum(change["amount_fen"] for change in done if change["other"] == name)

    fen: dict[str, int] = {}
    for line in pool["lines"]:
        if line["kind"] == "income":
            fen[line["name"]] = line["amount_fen"] + moved(line["name"])
    income = sum(fen.values())
    for line in pool["lines"]:
        if line["kind"] != "income":
            of_plan = line["amount_fen"]
            if line["share"] is not None:
                of_plan = half_up(number(line["share"]) * income)
            fen[line["name"]] = of_plan + moved(line["name"])
    left = income
    for line in pool["lines"]:
        left -= 0 if line["kind"] == "income" else fen[line["name"]]
    if pool["method"] == "items":
        disease = left
    elif pool["method"] == "share":
        disease = half_up(income * Fraction(pool["last_by_disease_fen"], pool["last_total_fen"]))
        disease += moved("by_disease")
    else:
        disease = half_up(pool["last_by_disease_fen"] * (1 + number(pool["growth_rate"])))
        disease += moved("by_disease")
    return {**fen, "left_over": left - disease, "by_disease": disease}


def final(pool: Row) -> dict[str, int]:
    """The amounts after all changes."""
    return state(pool, len(pool["changes"]))


def fund_of(pool: Row) -> int:
    return final(pool)["by_disease"]


def sums_of(pool: Row) -> dict[str, int]:
    """The sums by kind that the table of pools shows."""
    fen = final(pool)
    kinds = {line["name"]: line["kind"] for line in pool["lines"]}
    income = sum(fen[name] for name, kind in kinds.items() if kind == "income")
    reserve = fen["left_over"] + sum(fen[name] for name, kind in kinds.items() if kind in RESERVE)
    out = sum(fen[name] for name, kind in kinds.items() if kind != "income" and kind not in RESERVE)
    return {"income_fen": income, "reserve_fen": reserve, "carved_out_fen": out}


def table_of(pool: Row) -> list[tuple[str, str, int, int, int]]:
    """Line, kind, planned, changed, left after it, as the table of the budget shows them."""
    plan, fen = state(pool, 0), final(pool)
    rows = [(line["name"], line["kind"]) for line in pool["lines"]]
    rows += [] if pool["method"] == "items" else [("left_over", "left_over")]
    found, left = [], 0
    for name, kind in [*rows, ("by_disease", "by_disease")]:
        left += fen[name] if kind == "income" else -fen[name]
        found.append((name, kind, plan[name], fen[name] - plan[name], left))
    return found


def sound(pool: Row) -> bool:
    """Whether there is money enough on every day of the year."""
    for changes in range(len(pool["changes"]) + 1):
        fen, left = state(pool, changes), 0
        if min(fen.values()) < 0:
            return False
        for line in pool["lines"]:
            left += fen[line["name"]] if line["kind"] == "income" else -fen[line["name"]]
            if left < 0:
                return False
    return True


def plain_pool(income_fen: int) -> Row:
    """A pool with nothing but income."""
    line = {"name": "income", "kind": "income", "amount_fen": income_fen, "share": None, "track": None}
    return {"method": "items", "lines": [line], "changes": [], **dict.fromkeys(METHOD_KEYS)}


METHOD_KEYS = ("last_by_disease_fen", "last_total_fen", "growth_rate")


def drawn_pool(rng: Random, income: int, year: int) -> Row:
    """Lines of one pool that leave a by-disease total of zero or more, a method, changes that can be."""
    pool = plain_pool(income)
    if chance(rng, 0.3):
        pool["lines"].append({**pool["lines"][0], "name": "more", "amount_fen": rng.randint(0, 10**6)})
        income += pool["lines"][1]["amount_fen"]
    left = income
    for place, kind in enumerate(some(rng, [*KINDS, "carve_out"], 5, 0)):
        taken = rng.choice([rng.randint(0, left), rng.randint(0, left // 9)])
        share = None
        if income and chance(rng, 0.4):
            # Rounded down, so that the share fits; with few decimals it often ends in half a fen.
            scale = 10 ** rng.randint(1, 6)
            share = f"{taken * scale // income / scale:.6f}"
            taken = half_up(number(share) * income)
        left -= taken
        track = rng.choice([None, f"track{place}"]) if kind == "carve_out" else None
        line = {"name": f"{kind}{place}", "kind": kind, "track": track}
        pool["lines"].append({**line, "amount_fen": None if share else taken, "share": share})
    method = rng.choice(["items", "items", "share", "growth"])
    if method == "share" and income:
        whole = rng.choice([income, rng.randint(1, 10**6), 2, 8])
        pool |= {"method": method, "last_total_fen": whole, "last_by_disease_fen": whole * left // income}
    if method == "growth":
        rate = rng.choice(["0", "0.05", "-0.125", "-1", f"{rng.randint(-900, 900) / 10_000:.4f}"])
        last = int(rng.randint(0, left) / (1 + number(rate))) if rate != "-1" else 7
        pool |= {"method": method, "last_by_disease_fen": last, "growth_rate": rate}
    if not sound(pool):
        # A share that was rounded up may lack a fen.
        return plain_pool(income)
    for _ in range(rng.choice([0, 0, 1, 2, 4])):
        change = drawn_change(rng, pool, year)
        pool["changes"].append(change)
        if not sound(pool):
            pool["changes"].pop()
    return pool


def drawn_change(rng: Random, pool: Row, year: int) -> Row:
    """A change of income by itself, or of money that moves between two lines."""
    fen = final(pool)
    incomes = [line["name"] for line in pool["lines"] if line["kind"] == "income"]
    others = [name for name in fen if name not in incomes]
    if pool["method"] == "items":
        others.remove("left_over")
    sides = rng.choice([incomes, others, others])
    alone = sides is incomes and (len(incomes) < 2 or chance(rng, 0.6))
    names = some(rng, sides, 1 if alone else 2, 1 if alone else 2)
    name, other = names[0], names[1] if len(names) == 2 else None
    amount = rng.randint(1, max(fen[name], fen[other or name], 1)) * rng.choice([1, -1])
    date = f"{year}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    if other is None and sides is others:
        # Nothing to move to: a change that takes nothing.
        name, other = incomes[0], None
    return {"date": date, "reason": "drawn", "line": name, "amount_fen": amount, "other": other}


def signed(fen: int) -> str:
    return ("-" if fen < 0 else "") + yuan(abs(fen))


def written(name: str, pool: Row) -> Row:
    """The pool as budget.toml has it."""
    lines = [
        {
            **{key: line[key] for key in ("name", "kind", "share", "track")},
            "amount": None if line["amount_fen"] is None else yuan(line["amount_fen"]),
        }
        for line in pool["lines"]
    ]
    changes = []
    for change in pool["changes"]:
        fen = change["amount_fen"]
        row = {key: change[key] for key in ("date", "reason", "line")} | {"amount": signed(fen)}
        changes.append(row | {"from" if fen > 0 else "to": change["other"]})
    last = {key: pool[f"{key}_fen"] for key in ("last_by_disease", "last_total")}
    return {
        "id": name,
        "method": pool["method"],
        **{key: None if fen is None else yuan(fen) for key, fen in last.items()},
        "growth_rate": pool["growth_rate"],
        "lines": lines,
        "change": changes,
    }

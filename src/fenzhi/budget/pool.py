"""One pool of the budget: its lines from income to the by-disease total, and the changes within the year."""

from __future__ import annotations

import datetime
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from pydantic import Field

from fenzhi.money import round_half_up, yuan_to_fen
from fenzhi.policy.base import Model

Kind = Literal["income", "carve_out", "reserve", "adjustment", "out_of_region", "paid_apart"]
Method = Literal["items", "share", "growth"]

#: What a change may name besides the lines: the by-disease total, and what ``share`` and ``growth`` leave above it.
BY_DISEASE, LEFT_OVER = "by_disease", "left_over"
#: Kinds whose money stays with the pool, in its reserve; the other kinds but income pay for other care.
RESERVES: tuple[Kind, ...] = ("reserve", "adjustment")
CARVE_OUTS: tuple[Kind, ...] = ("carve_out", "out_of_region", "paid_apart")


class Line(Model):
    """One line: ``income`` adds, every other kind takes away.

    ``reserve``: risk reserve (风险金); ``adjustment``: money for adjustment at the end of the year (区域调节金);
    ``out_of_region``: care elsewhere (异地就医); ``paid_apart``: items paid apart (除外支付); ``carve_out``: other
    tracks and whatever else. ``amount``: yuan with at most two decimals, as text; or ``share``: of the pool's
    income, as text. ``title``: shown instead of the name. ``track``: the track that a carve-out funds.
    """

    name: str = Field(min_length=1)
    kind: Kind
    amount: Decimal | None = Field(default=None, ge=0)
    share: Decimal | None = None
    title: str = ""
    track: str | None = Field(default=None, min_length=1)
    cite: str = ""

    def planned_fen(self, income_fen: int) -> int:
        """Return the amount in fen, without changes, in a pool of this income."""
        if self.share is not None:
            return round_half_up(Fraction(self.share) * income_fen)
        return yuan_to_fen(self.amount or 0)


class Change(Model):
    """A change within the year: ``line`` gets ``amount`` yuan more (below zero: less).

    The money comes ``from`` another line or goes ``to`` it, so that the total stays; only a line of income may
    change without the other side. ``line``, ``from``, ``to``: names of lines, ``by_disease`` or ``left_over``.
    """

    date: datetime.date
    reason: str = Field(min_length=1)
    line: str
    amount: Decimal
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None
    cite: str = ""

    @property
    def source(self) -> str:
        """Return why the money moves, with the document if one is named."""
        return f"{self.reason} ({self.cite})" if self.cite else self.reason

    def moves(self) -> list[tuple[str, int]]:
        """Return what it does: name and fen of each side."""
        fen = yuan_to_fen(self.amount)
        other = self.from_ or self.to
        return [(self.line, fen)] + ([] if other is None else [(other, -fen)])


class PoolBudget(Model):
    """The lines of one pool, in the order in which they are subtracted, and how the by-disease total comes about.

    ``items``: income minus the lines. ``share``: income x ``last_by_disease`` / ``last_total``, both of the year
    before. ``growth``: ``last_by_disease`` x (1 + ``growth_rate``). What the lines leave above the total of the
    last two goes to the reserve.
    """

    id: str
    method: Method = "items"
    last_by_disease: Decimal | None = Field(default=None, ge=0)
    last_total: Decimal | None = Field(default=None, gt=0)
    growth_rate: Decimal | None = Field(default=None, ge=-1)
    lines: tuple[Line, ...] = Field(min_length=1)
    change: tuple[Change, ...] = ()

    def changes(self) -> list[Change]:
        """Return the changes by date, of one day in the order of the file."""
        return sorted(self.change, key=lambda change: change.date)

    def amounts(self, changes: int | None = None) -> dict[str, int]:
        """Return fen of each line, of ``left_over`` and ``by_disease``, after the first so many changes (all: None).

        What is computed from the income (shares of lines, the total by ``share``) follows it when it changes.
        """
        moved: Counter[str] = Counter()
        for change in self.changes()[:changes]:
            for name, fen in change.moves():
                moved[name] += fen
        incomes = [line for line in self.lines if line.kind == "income"]
        income = sum(line.planned_fen(0) + moved[line.name] for line in incomes)
        found = {line.name: line.planned_fen(income) + moved[line.name] for line in self.lines}
        left = 2 * income - sum(found.values())
        total = left
        if self.method != "items":
            total = self._method_total(income) + moved[BY_DISEASE]
        return found | {LEFT_OVER: left - total, BY_DISEASE: total}

    def _method_total(self, income_fen: int) -> int:
        last = yuan_to_fen(self.last_by_disease or 0)
        if self.method == "share":
            return round_half_up(Fraction(last * income_fen, yuan_to_fen(self.last_total or 0)))
        return round_half_up(last * (1 + Fraction(self.growth_rate or 0)))

    def total_fen(self, kind: Kind) -> int:
        """Return the sum of the lines of a kind in fen, with all changes."""
        amounts = self.amounts()
        return sum(amounts[line.name] for line in self.lines if line.kind == kind)

    @property
    def fund_fen(self) -> int:
        """Return the by-disease total, with all changes."""
        return self.amounts()[BY_DISEASE]

    @property
    def reserve_fen(self) -> int:
        """Return what the budget puts into the pool's reserve: its lines, and what lies above the total."""
        return sum(self.total_fen(kind) for kind in RESERVES) + self.amounts()[LEFT_OVER]

    @property
    def carved_out_fen(self) -> int:
        """Return what pays for other care: income minus reserve and by-disease total."""
        return sum(self.total_fen(kind) for kind in CARVE_OUTS)

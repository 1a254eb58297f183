"""What every explained step is made of: the stay that is paid, its run and rules, and the comparison with the run."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from fenzhi.errors import ConservationError
from fenzhi.money import SCALE, round_half_up, step_of
from fenzhi.policy.base import Section
from fenzhi.policy.models import Policy
from fenzhi.region import Region


@dataclass(frozen=True)
class Step:
    """One step: what it is (Chinese, English), its figures in a formula, its result, and where the rule comes from."""

    zh: str
    en: str
    formula: str
    result: str
    cite: str


@dataclass(frozen=True)
class Paid:
    """A stay that points pay: its row of cases.parquet, its run's folder and manifest, its region and pool."""

    case: dict[str, Any]
    run: Path
    manifest: dict[str, Any]
    region: Region
    pool: dict[str, Any]

    @property
    def policy(self) -> Policy:
        """Return the region's policy."""
        return self.region.policy

    @property
    def weight(self) -> Fraction:
        """Return the weight times the auxiliary coefficient, at 1/10,000."""
        return Fraction(self.case["rw_e4"] * self.case["auxiliary_e4"], SCALE)

    def rounded(self, points: Fraction) -> int:
        """Return points rounded as the policy says, at least 0."""
        return max(0, round_half_up(points, step_of(self.policy.points.decimals)))


def cite(policy: Policy, section: str) -> str:
    """Return the source of a section and how sure it is."""
    return source(getattr(policy, section))


def source(part: Section) -> str:
    """Return the source of a part of the policy and how sure it is."""
    return f"{part.cite} [{part.confidence}]" if part.cite else f"docs/rules.md [{part.confidence}]"


def require(name: str, run: int | None, again: int | None) -> None:
    """Raise unless the replay gives what the run gave."""
    if run != again:
        raise ConservationError(
            f"the replay gives other {name} than the run", field=name.split()[0], value=(run, again)
        )

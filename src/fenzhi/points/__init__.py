"""Points of one case."""

from fenzhi.points.readmission import readmitted_days
from fenzhi.points.score import PAID, base_points, score

__all__ = ["PAID", "base_points", "readmitted_days", "score"]

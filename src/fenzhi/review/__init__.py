"""Special review: eligibility, quota and rank, decisions, what is published."""

from fenzhi.review.apply import apply_decisions
from fenzhi.review.decisions import require_fitting
from fenzhi.review.eligibility import assess
from fenzhi.review.publication import publication
from fenzhi.review.ranking import discharges, quotas, ranked

__all__ = ["apply_decisions", "assess", "discharges", "publication", "quotas", "ranked", "require_fitting"]

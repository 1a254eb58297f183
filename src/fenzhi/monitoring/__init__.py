"""Monitoring: indices per hospital, how well groups explain cost."""

from fenzhi.monitoring.indices import hospital_indices
from fenzhi.monitoring.riv import Riv, reduction_in_variance

__all__ = ["Riv", "hospital_indices", "reduction_in_variance"]

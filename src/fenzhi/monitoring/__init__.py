"""Monitoring: indices per hospital."""

from fenzhi.monitoring.indices import hospital_indices

__all__ = ["hospital_indices"]

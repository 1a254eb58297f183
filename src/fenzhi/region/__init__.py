"""The region's year on disk, and the demo region."""

from fenzhi.region.load import Pool, Region, load_region

__all__ = ["Pool", "Region", "load_region"]

"""The region's year on disk, and the demo region."""

from fenzhi.region.load import Region, load_region
from fenzhi.region.pools import Pool

__all__ = ["Pool", "Region", "load_region"]

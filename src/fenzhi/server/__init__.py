"""A local page on a finished run: shows what other rooms compute, computes nothing itself; see docs/architecture.md."""

from fenzhi.server.start import Served, serve

__all__ = ["Served", "serve"]

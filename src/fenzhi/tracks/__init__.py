"""Other tracks: who is in and what they are paid, beside the points. Frames in, frames out."""

from fenzhi.tracks.pay import Close, LineMoney, TracksPaid, pay_tracks
from fenzhi.tracks.who import Setup, taken

__all__ = ["Close", "LineMoney", "Setup", "TracksPaid", "pay_tracks", "taken"]

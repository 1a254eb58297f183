"""Read the next file set while the one before is worked on; results come in the order asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(reads: Sequence[Callable[[], T]]) -> Iterator[T]:
    """Yield what each of ``reads`` returns; while one is worked on, the next one runs in a thread.

    At most two results are alive at a time if the caller drops each before it asks for the next. An error of a read
    is raised when its turn comes.
    """
    if not reads:
        return
    with ThreadPoolExecutor(max_workers=1) as worker:
        pending = worker.submit(reads[0])
        for following in reads[1:]:
            done = pending.result()
            pending = worker.submit(following)
            yield done
            del done
        yield pending.result()

"""Writing without accidents: aside first, then renamed; readable by the owner only; neutral cells."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fenzhi.errors import FenzhiError, OutputError

OWNER_FILE = 0o600
OWNER_DIR = 0o700


def neutral(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: a leading ``= + - @`` gets an apostrophe."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


_ASIDE = re.compile(r"^\..+\.(\d+)-[0-9a-f]{8}\.part$")
_DAY_SECONDS = 24 * 3600
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
# What this process is writing now.
_half_written: set[Path] = set()


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")


def make_dirs(folder: Path) -> None:
    """Create a folder and the missing ones above it, each for its owner only."""
    for missing in reversed([folder, *folder.parents]):
        if not missing.is_dir():
            missing.mkdir(mode=OWNER_DIR, exist_ok=True)


def _system_error(error: BaseException) -> OSError | None:
    """Return the operating system's error behind an exception, None if there is none.

    polars says it in the text of an error (of its own, or an OSError without number), xlsxwriter in the first
    argument of one.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error
    if error.args and isinstance(error.args[0], OSError):
        return error.args[0]
    found = _OS_ERROR.search(str(error))
    if found:
        return OSError(int(found[1]), os.strerror(int(found[1])))
    return error if isinstance(error, OSError) else None


@contextmanager
def _said_as_output_error(path: Path, aside: Path) -> Iterator[None]:
    """Turn what goes wrong while writing into :class:`OutputError` about ``path``."""
    try:
        yield
    except OutputError as error:
        # Written inside a folder that is itself aside: its final name says more.
        if error.file is None or not Path(error.file).is_relative_to(aside):
            raise
        raise OutputError(
            error.message,
            code=error.code,
            file=path / Path(error.file).relative_to(aside),
            remedy=error.remedy,
        ) from error
    except FenzhiError:
        raise
    except Exception as error:
        reason = _system_error(error)
        if reason is None:
            raise
        raise OutputError(
            f"cannot write: {reason.strerror or reason}",
            code="OUTPUT_WRITE",
            file=path,
            remedy="free some space or choose another folder, then run again",
        ) from error


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def sweep(folder: Path) -> list[Path]:
    """Remove what killed processes left half-written in ``folder``; return what was removed.

    Something is left over if its process is gone, or (where that cannot be asked) if it is more than a day old.
    """
    removed = []
    for entry in folder.iterdir() if folder.is_dir() else ():
        found = _ASIDE.match(entry.name)
        if not found:
            continue
        # os.kill(pid, 0) asks on POSIX but ends the process on Windows.
        stale = (
            not _is_running(int(found[1]))
            if os.name == "posix"
            else time.time() - entry.stat().st_mtime > _DAY_SECONDS
        )
        if stale:
            shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)
            removed.append(entry)
    return removed


def require_new_file(path: Path, endings: tuple[str, ...] = ()) -> None:
    """Raise :class:`OutputError` if ``path`` exists, or has none of the ``endings``: before long work, not after it."""
    if endings and path.suffix.lower() not in endings:
        raise OutputError(
            f"results cannot be written in the format {path.suffix or 'without ending'!r}",
            code="OUTPUT_FORMAT",
            file=path,
            remedy=f"give a name that ends in {' or '.join(endings)}",
        )
    if path.exists():
        raise OutputError(
            "the file exists already",
            code="OUTPUT_EXISTS",
            file=path,
            remedy="give another name or remove it first",
        )


def require_new_dir(path: Path) -> None:
    """Raise :class:`OutputError` if ``path`` is anything but a new or an empty folder: before long work."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OutputError(
            "the folder exists already and is not empty",
            code="OUTPUT_EXISTS",
            file=path,
            remedy="give another name or remove it first",
        )


def remove_half_written() -> None:
    """Remove what this process is writing, for one that must end at once."""
    for entry in tuple(_half_written):
        shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)


@contextmanager
def new_file(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it into place when the block ends well.

    An existing file is not overwritten unless ``replace``. After an error nothing remains.
    """
    if not replace:
        require_new_file(path)
    aside = _aside(path)
    _half_written.add(aside)
    try:
        with _said_as_output_error(path, aside):
            make_dirs(path.parent)
            yield aside
            aside.chmod(OWNER_FILE)
            aside.replace(path)
    finally:
        if aside.exists():
            aside.unlink()
        _half_written.discard(aside)


@contextmanager
def new_dir(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``path``; rename it into place when the block ends well.

    An existing folder is never overwritten (an empty one may be used). After an error nothing remains.
    """
    require_new_dir(path)
    aside = _aside(path)
    _half_written.add(aside)
    try:
        with _said_as_output_error(path, aside):
            make_dirs(path.parent)
            aside.mkdir(mode=OWNER_DIR)
            yield aside
            for folder, _, names in os.walk(aside):
                Path(folder).chmod(OWNER_DIR)
                for name in names:
                    (Path(folder) / name).chmod(OWNER_FILE)
            if path.exists():
                path.rmdir()
            aside.rename(path)
    finally:
        if aside.exists():
            shutil.rmtree(aside, ignore_errors=True)
        _half_written.discard(aside)

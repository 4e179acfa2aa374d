"""Stamps of files: a text that differs once a file was changed, replaced or deleted.

What pages keep of a file has the file's stamp in its key, so that a page shows what is on the disk.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISDIR

from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.dicom.source import split_series

# Formats of two files: a scan is known by one of them, and a change may be in the other.
_PARTNERS = {
    ".hdr": (".img",),
    ".img": (".hdr",),
    ".mhd": (".raw", ".zraw"),
    ".nhdr": (".raw", ".raw.gz"),
}
_MISSING = "missing"


def stamp(paths: Iterable[Path]) -> str:
    """One stamp of several files, in 16 hexadecimal digits; one that is missing counts as such.

    Looked at are size, the time of the last change of the content, and that of the entry on the
    disk: a copy that keeps size and time of the content is seen as well. A folder stands for all
    files in it.
    """
    digest = hashlib.blake2b(digest_size=8)
    for path in paths:
        for file in (path, *_partners(path)):
            digest.update(f"{file}\0{_facts(file)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def files_of(scan: Scan) -> tuple[Path, ...]:
    """All files that a scan is read from: image, mask, region, further images, its whole series.

    An image that is a folder (of a DICOM series) stands for the files in it.
    """
    named = (scan.image, scan.mask, scan.region, *scan.further.values())
    series = (path for pair in scan.series for path in pair)
    # Of a path that chooses one of several series (`FOLDER#2`), the folder or file itself.
    there = (split_series(path)[0] for path in (*named, *series) if path is not None)
    every = (file for path in there for file in (_below(path) if path.is_dir() else (path,)))
    return tuple(dict.fromkeys(every))


def scan_stamp(scan: Scan) -> str:
    """The stamp of all files of a scan."""
    return stamp(files_of(scan))


def scans_stamp(scans: Iterable[Scan]) -> str:
    """The stamp of all files of several scans."""
    return stamp(dict.fromkeys(path for scan in scans for path in files_of(scan)))


def _partners(path: Path) -> Iterator[Path]:
    for suffix in _PARTNERS.get(path.suffix.lower(), ()):
        yield path.with_suffix(suffix)


def _facts(path: Path) -> str:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return _MISSING
    if S_ISDIR(found.st_mode):
        return stamp(_below(path))
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def _below(folder: Path) -> Iterator[Path]:
    """All files below a folder, in a fixed order; folders that are links are gone into."""
    seen = set[str]()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))

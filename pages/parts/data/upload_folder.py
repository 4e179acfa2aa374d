"""Uploaded files, folders and zips laid out as they were, and indexed as `ascnet index` does."""

import hashlib
import io
import re
import shutil
import stat
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ascnet_core.errors import UserError
from ascnet_core.file_names import file_name
from ascnet_core.files import read_json, write_json
from ascnet_core.imaging.cohort import files_of, read_manifest, write_manifest
from ascnet_core.imaging.image_format import suffix_of
from ascnet_core.imaging.index import Indexed, index_folder
from ascnet_core.places import MANIFEST
from ascnet_core.runs.create import manifest_rows
from pages.parts.data import uploads
from pages.parts.shared import access

ABOUT = "indexed.json"
"""What indexing an upload was unsure of and left out, beside its manifest."""

_DAY = 24 * 3600.0
_PIECE = 1 << 24
_HIDDEN = re.compile(r"(^|/)(\.[^./]|__MACOSX/)")  # what a Mac packs along
_LONGEST = 40  # characters of a cohort's name


class Part(NamedTuple):
    """A file of an upload: its path in it, and a way to write it (given the bytes it may have)."""

    path: PurePosixPath
    write: Callable[[Path, int], int]


def suggested_name(files: Sequence[Any]) -> str:
    """A name for the cohort: that of the folder or the zip that was uploaded."""
    tops = {PurePosixPath(str(file.name)).parts[0] for file in files if "/" in str(file.name)}
    zips = [Path(str(file.name)).stem for file in files if _is_zip(file)]
    if len(tops) == 1:
        return plain_name(tops.pop())
    if len(zips) == 1 and len(files) == 1:
        return plain_name(zips[0])
    return "upload"


def plain_name(text: str) -> str:
    """A text as a name of a cohort, which is the name of a file, too."""
    return file_name(text.strip())[:_LONGEST].strip(" .") or "upload"


def write_folder(files: Sequence[Any], name: str) -> Path:
    """Keep an upload in the app's cache as a cohort of its own, indexed; the manifest's path.

    `files` have a `name`, which may be a path, and `getvalue()`. Zips are unpacked. A manifest in
    the upload is taken instead of an index. The folder is named by the content and is there whole
    or not at all; the same upload under the same name is the same cohort. Raises UserError where
    it unpacks to too much, a zip is damaged, or nothing in it is recognised.
    """
    name = plain_name(name)
    folder = access.uploads_folder() / f"upload-{_digest(files, name)}"
    manifest = folder / f"{name}.csv"
    if uploads.is_whole(manifest):
        return manifest
    with uploads.writing_aside(folder) as aside:
        _sweep(folder.parent)
        inside = aside / name
        try:
            _lay_out(_parts(files), inside)
            _describe(inside, aside / f"{name}.csv")
        except UserError as error:  # nobody knows the folder that it is written to
            raise UserError(str(error).replace(str(inside), name)) from error
    return manifest


def looked_through(manifest: Path) -> Indexed | None:
    """What indexing an upload was unsure of and left out; None where it was not indexed."""
    kept = read_json(manifest.parent / ABOUT)
    if not isinstance(kept, dict):
        return None
    pairs = {
        key: [(Path(str(path)), str(text)) for path, text in kept.get(key, [])]
        for key in ("left_out", "unsure")
    }
    return Indexed([], str(kept.get("layout", "")), pairs["left_out"], pairs["unsure"])


def _digest(files: Sequence[Any], name: str) -> str:
    digest = hashlib.sha256(f"folder {name}\n".encode("utf-8", "surrogatepass"))
    for file in files:
        named = str(file.name).encode("utf-8", "surrogatepass")
        content = hashlib.sha256(file.getvalue()).hexdigest()
        digest.update(b"%b %b\n" % (content.encode(), named))
    return digest.hexdigest()[:24]


def _is_zip(file: Any) -> bool:
    return str(file.name).lower().endswith(".zip")


def _parts(files: Sequence[Any]) -> list[Part]:
    """The files of an upload, those of zips in a folder called as their zip."""
    found: list[Part] = []
    tops = {str(file.name).split("/")[0] for file in files if "/" in str(file.name)}
    common = len(tops) == 1 and all("/" in str(file.name) for file in files)
    for file in files:
        path = _safe(str(file.name).partition("/")[2] if common else str(file.name))
        if not _is_zip(file):
            found.append(Part(path, _writer(file)))
            continue
        inside = _parts_of_zip(file)
        alone = len(files) == 1
        found += [one if alone else Part(path.with_suffix("") / one.path, one.write)
                  for one in inside]  # fmt: skip
    return found


def _safe(name: str) -> PurePosixPath:
    """A path inside the upload: nothing leads out of it, and every part is taken by the disk."""
    parts = [part for part in re.split(r"[\\/]", name) if part.strip(". ")]
    parts = [part for part in parts if not re.fullmatch(r"[A-Za-z]:", part)]
    folders = [uploads.safe_file_name(part) for part in parts[:-1]]
    return PurePosixPath(*folders, uploads.safe_file_name(parts[-1] if parts else ""))


def _writer(file: Any) -> Callable[[Path, int], int]:
    def write(path: Path, most: int) -> int:
        return path.write_bytes(file.getvalue())

    return write


def _parts_of_zip(file: Any) -> list[Part]:
    """What a zip holds: plain files that are not hidden."""
    shown = access.shown(str(file.name))
    try:
        archive = zipfile.ZipFile(io.BytesIO(file.getvalue()))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise UserError(f"{shown} is no readable zip; pack it again.") from error
    found = []
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.is_dir() or kind not in (0, stat.S_IFREG) or _HIDDEN.search(entry.filename):
            continue
        if entry.flag_bits & 1:
            raise UserError(f"{shown} is locked by a password; pack it again without one.")
        found.append(Part(_safe(entry.filename), _unpacker(archive, entry, shown)))
    if sum(entry.file_size for entry in entries) > uploads.most_bytes():
        raise _too_much(shown)
    return found


def _unpacker(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, shown: str
) -> Callable[[Path, int], int]:
    def write(path: Path, most: int) -> int:
        size = 0
        try:
            with archive.open(entry) as packed, path.open("wb") as stream:
                while piece := packed.read(_PIECE):
                    size += len(piece)  # what the zip says of its sizes may be a lie
                    if size > most:
                        raise _too_much(shown)
                    stream.write(piece)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise UserError(
                f"{shown} is damaged at {access.shown(entry.filename)}; pack it again."
            ) from error
        return size

    return write


def _too_much(shown: str) -> UserError:
    return UserError(
        f"{shown} unfolds to more than {uploads.most_bytes() >> 20} MB; open it by its path on "
        "this machine, or upload a part of it."
    )


def _lay_out(parts: Sequence[Part], folder: Path) -> None:
    """Write the files; of two with one path, also but for capitals, the second lies in `2`."""
    taken: set[str] = set()
    left = uploads.most_bytes()
    for part in parts:
        path, number = part.path, 1
        while str(path).casefold() in taken:
            number += 1
            path = part.path.parent / str(number) / part.path.name
        taken.add(str(path).casefold())
        target = folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise UserError(
                f"{access.shown(str(part.path))} lies in a folder called as a file of the upload; "
                "rename one of them."
            ) from error
        left -= part.write(target, left)
        if left < 0:
            raise _too_much("The upload")
        ending = suffix_of(target).lower()
        if ending.endswith((".zip", ".gz")):
            with target.open("rb") as stream:
                uploads.check_unfolding(access.shown(part.path.name), ending, stream)


def _describe(inside: Path, manifest: Path) -> None:
    """Write the manifest of the files that were laid out, and what was unsure."""
    own = inside / MANIFEST
    if own.is_file():
        cohort = read_manifest(own)
        for scan in cohort.scans:
            for file in files_of(scan):
                if not file.resolve().is_relative_to(inside.resolve()):
                    raise UserError(
                        f"The {MANIFEST} of the upload names {access.shown(str(file.name))}, which "
                        "is not in it; upload the files with it."
                    )
        write_manifest(manifest, manifest_rows(cohort, manifest.parent))
        return
    if not any(inside.rglob("*")):
        raise UserError("The upload holds no file; choose files, a folder or a zip with scans.")
    found = index_folder(inside)
    write_manifest(manifest, found.rows)

    def named(pairs: Sequence[tuple[Path, str]]) -> list[tuple[str, str]]:
        return [(str(path.relative_to(inside.parent)), text) for path, text in pairs]

    about = {"left_out": named(found.left_out), "unsure": named(found.unsure)}
    write_json(manifest.parent / ABOUT, {"layout": found.layout, **about})


def _sweep(folder: Path) -> None:
    """Remove what uploads left that were cut off more than a day ago."""
    for path in folder.glob(f"{uploads.ASIDE}*"):
        if time.time() - path.stat().st_mtime > _DAY:
            shutil.rmtree(path, ignore_errors=True)

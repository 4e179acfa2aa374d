"""Uploaded files as a cohort of their own in the app's cache."""

import gzip
import hashlib
import io
import itertools
import re
import shutil
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.imaging import formats
from ascnet_core.imaging.cohort import read_manifest, write_manifest
from ascnet_core.imaging.dicom.source import ENDINGS, files_below, holds_dicom
from ascnet_core.imaging.image_format import either, suffix_of
from ascnet_core.imaging.layouts.contents import readable
from ascnet_core.imaging.layouts.dicom import Found, find_series
from ascnet_core.imaging.layouts.walk import LeftOut
from ascnet_core.places import MANIFEST
from pages.parts.shared import access
from pages.parts.shared.tables import counted

UNFOLDED = 4
"""Times the limit of an upload that a compressed one may unfold to."""

ASIDE = ".writing-"
"""What the name of a folder begins with that is not yet whole."""

LOOSE = "images/dicom"
"""Where DICOM files that were uploaded one by one lie together."""

_LONGEST = 120  # bytes of a name before its ending
_PIECE = 1 << 24
_WORDS = re.compile(r"[_-](mask|seg|label|lesion|flair|t2|t1|ct|image|img)\Z", re.IGNORECASE)


def write_uploads(images: Sequence[Any], masks: Sequence[Any]) -> Path:
    """Keep uploads in the app's cache as a cohort of their own; the manifest's path.

    The folder is named by the content, so the same files are the same cohort, also in a link. It
    is there whole or not at all. Raises UserError where a file is of no format that is read,
    unfolds to too much or cannot be written, and where it is not clear which mask is of which
    image.
    """
    digest = hashlib.sha256()
    for kind, uploads in (("image", images), ("mask", masks)):
        for file in uploads:
            _check(file)
            name = str(file.name).encode("utf-8", "surrogatepass")
            content = hashlib.sha256(file.getvalue()).hexdigest()
            digest.update(b"%b %b %b\n" % (kind.encode(), content.encode(), name))
    folder = access.uploads_folder() / f"upload-{digest.hexdigest()[:24]}"
    if not is_whole(folder / MANIFEST):
        with writing_aside(folder) as aside:
            _write(images, masks, aside)
    return folder / MANIFEST


@contextmanager
def writing_aside(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder` that takes its place once all is in it.

    The manifest's paths are relative, so it can be moved. Raises UserError, and leaves nothing,
    where the disk does not take it.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=folder.parent))
        try:
            yield aside
            shutil.rmtree(folder, ignore_errors=True)
            aside.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise UserError(
            f"The upload cannot be kept in {folder.parent} ({error.strerror}); make room there, or "
            "set ASCNET_CACHE to another folder."
        ) from error


def is_whole(manifest: Path) -> bool:
    """Whether a manifest is there with all files that it names."""
    try:
        return bool(read_manifest(manifest).scans)
    except UserError:
        return False


def _write(images: Sequence[Any], masks: Sequence[Any], folder: Path) -> None:
    loose = [file for file in images if str(file.name).lower().endswith(ENDINGS)]
    if len(loose) < 2:
        loose = []
    files = [file for file in images if file not in loose]
    kept = save_uploads(files, folder / "images")
    if loose:  # slices of series, which their headers tell apart
        save_uploads(loose, folder / LOOSE)
        kept.append(folder / LOOSE)
    mask_paths = save_uploads(masks, folder / "masks")
    pairs = pair_masks(kept, mask_paths)
    lonely = set(mask_paths) - set(pairs.values())
    if lonely:
        raise UserError(
            f"The mask {sorted(lonely)[0].name} fits no image by its name; name it like its image, "
            "with _mask behind."
        )
    names = Counter(path.name.casefold() for path in kept)
    contents = Counter(file.getvalue() for file in files)
    subjects = subjects_of(kept)
    taken = {subject.casefold() for subject in subjects}
    scans = Counter(subject.casefold() for subject in subjects)
    rows: list[dict[str, Any]] = []
    for number, (path, subject) in enumerate(zip(kept, subjects, strict=True)):
        twins, mask = names[path.name.casefold()], pairs[path]
        same = contents[files[number].getvalue()] if number < len(files) else 1
        notes = [
            f"{twins} uploads are called {path.name}" if twins > 1 else "",
            "its mask is taken by the order of the uploads: check it" if twins > 1 and mask else "",
            "another upload has the same content" if same > 1 else "",
        ]
        said = "; ".join(filter(None, notes))
        alone = scans[subject.casefold()] == 1
        found = _scans_of(path, subject, alone, taken)
        rows += [row | {"mask": mask, "notes": said} for row in found]
    write_manifest(folder / MANIFEST, rows)


def _scans_of(path: Path, subject: str, alone: bool, taken: set[str]) -> list[dict[str, Any]]:
    """A row for each series of a zip or a folder, for another file one.

    A subject is who the headers say is one. Names that are `taken` are not given again; a scan is
    called as its subject where that has no other, in this file or (`alone`) in others.
    """
    if path.is_dir() and not holds_dicom(path):
        raise UserError("No file of the upload is DICOM, whatever their names say; copy them anew.")
    found: list[Found] = []
    if path.suffix.lower() == ".zip" or path.is_dir():
        found, _ = find_series(path.parent, files_below(path), [])
    if not found:
        scan = subject if alone else _free(subject, taken)
        return [{"subject": subject, "scan": scan, "image": path}]
    patients = dict.fromkeys(one.subject for one in found)
    rows = []
    for patient in patients:
        own = [one for one in found if one.subject == patient]
        name = subject if len(patients) == 1 else _free(subject, taken)
        for one in own:
            only = len(own) == 1 and (alone or len(patients) > 1)
            scan = name if only else _free(name, taken)
            row = {"subject": name, "scan": scan, "modality": one.modality}
            rows.append(row | {"image": one.image})
    return rows


def _free(name: str, taken: set[str], first: int = 1) -> str:
    """The name with the first number that makes it another than those taken; it is added."""
    numbered = (f"{name}_{number}" for number in itertools.count(first))
    free = next(one for one in numbered if one.casefold() not in taken)
    taken.add(free.casefold())
    return free


def _check(file: Any) -> None:
    """Raise a UserError on an upload of no format that is read, or that unfolds to too much."""
    name = access.shown(str(file.name))
    if formats.format_of(Path(safe_file_name(str(file.name)))) is None:
        known = either(one.long for one in formats.FORMATS)
        raise UserError(f"{name} is of no format read here; give {known}.")
    ending = suffix_of(Path(str(file.name))).lower()
    if ending.endswith((".zip", ".gz")):
        check_unfolding(name, ending, io.BytesIO(file.getvalue()))


def check_readable(files: Sequence[Any]) -> None:
    """Raise a UserError where none of the uploads can be read, with what is wrong with the first.

    DICOM files are looked at when they are put together.
    """
    problems: LeftOut = []
    with tempfile.TemporaryDirectory() as folder:
        for path in save_uploads(files, Path(folder)):
            if path.name.lower().endswith(ENDINGS) or readable(path, problems):
                return
    for path, reason in problems[:1]:
        raise UserError(f"{access.shown(path.name)} {reason}.")


def most_bytes() -> int:
    """How much an upload may hold once it is unpacked: a few times what one file may have."""
    return UNFOLDED * int(st.get_option("server.maxUploadSize")) << 20


def check_unfolding(name: str, ending: str, content: BinaryIO) -> None:
    """Raise a UserError on a zip or gz, called `name`, that unfolds to too much."""
    most = most_bytes()
    if _unfolded(ending, content, most) > most:
        raise UserError(
            f"{name} unfolds to more than {most >> 20} MB; open it by its path on this machine."
        )


def _unfolded(ending: str, content: BinaryIO, most: int) -> int:
    """Bytes that a compressed file unfolds to, counted until they are more than `most`."""
    size = 0
    try:
        if ending.endswith(".zip"):
            with zipfile.ZipFile(content) as archive:
                return sum(one.file_size for one in archive.infolist())
        if ending.endswith(".gz"):
            with gzip.GzipFile(fileobj=content) as stream:
                while size <= most and (piece := stream.read(_PIECE)):
                    size += len(piece)
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile):
        return 0  # Whoever reads it says that it is damaged.
    return size


def save_uploads(files: Sequence[Any], folder: Path) -> list[Path]:
    """Write uploaded files (with `name` and `getvalue()`) into a folder; their paths.

    Of several with one name, also where only capitals differ, the second lies in a folder `2`, and
    so on. Their names stay, but for what no file system takes.
    """
    seen: Counter[str] = Counter()
    paths = []
    for file in files:
        name = safe_file_name(str(file.name))
        seen[name.casefold()] += 1
        number = seen[name.casefold()]
        path = folder / name if number == 1 else folder / str(number) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.getvalue())
        paths.append(path)
    return paths


def safe_file_name(name: str) -> str:
    """The last part of an upload's name (it must not choose its folder), short and printable."""
    last = re.split(r"[\\/]", name)[-1]
    last = "".join(c if c.isprintable() and c not in '<>:"|?*' else "-" for c in last).rstrip(". ")
    at = len(last) - len(suffix_of(Path(f"x{last}")))
    stem = last[:at].strip(". ").encode()[:_LONGEST].decode(errors="ignore").rstrip(". ")
    return (stem or "upload") + last[at:][:_LONGEST]


def subjects_of(paths: Sequence[Path]) -> list[str]:
    """A subject for each image: its stem, with a number where another file has the same name."""
    taken = {stem_of(path).casefold() for path in paths}
    seen: Counter[str] = Counter()
    subjects = []
    for path in paths:
        subject, name = stem_of(path), path.name.casefold()
        seen[name] += 1
        subjects.append(subject if seen[name] == 1 else _free(subject, taken, seen[name]))
    return subjects


def pair_masks(paths: Sequence[Path], masks: Sequence[Path]) -> dict[Path, Path | None]:
    """Which mask belongs to which image by their names; a single one to a single one by any.

    Where several images have one name, and as many masks have one, they go by their order. Raises
    UserError where their numbers differ, or several masks fit an image.
    """
    if len(paths) == 1 and len(masks) == 1:
        return {paths[0]: masks[0]}
    pairs: dict[Path, Path | None] = {}
    stems = {stem_of(path) for path in paths}
    for path in paths:
        stem = stem_of(path)
        fitting = [mask for mask in masks if stem_of(mask) == stem]
        twins = [other for other in paths if other.name == path.name]
        if not fitting:  # Capitals may differ, but where another image has the mask's very name.
            others = [mask for mask in masks if stem_of(mask) not in stems]
            fitting = [mask for mask in others if stem_of(mask).casefold() == stem.casefold()]
            twins = [other for other in paths if other.name.casefold() == path.name.casefold()]
        of_one_name = len({mask.name.casefold() for mask in fitting}) <= 1
        if fitting and (len(fitting) != len(twins) or not of_one_name):
            raise UserError(
                f"{counted(len(twins), 'image')} called {path.name} and "
                f"{counted(len(fitting), 'mask')} belong together by their names; rename them, so "
                "that each mask is named like one image."
            )
        pairs[path] = fitting[twins.index(path)] if fitting else None
    return pairs


def stem_of(path: Path) -> str:
    """A file's name without suffixes and without words such as _mask or _flair at its end."""
    name = whole = formats.stem_of(path)
    while (shorter := _WORDS.sub("", name)) not in (name, ""):
        name = shorter
    return name or whole

"""Cohorts: a manifest (CSV) that names the scans of a study."""

import csv
import io
import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ascnet_core import files
from ascnet_core.errors import UserError
from ascnet_core.imaging import formats

COLUMNS = (
    "subject", "scan", "image", "mask", "region", "modality", "channel", "label", "series", "group",
    "fold", "notes",
)  # fmt: skip
GROUPS = ("normal", "anomalous")
FURTHER = "image:"
_PATHS = ("image", "mask", "region")
_OTHER_MASKS = 32
OtherMasks = tuple[tuple[Path, ...], tuple[Path, ...]]
"""Masks of a subject, and of a cohort."""

Series = tuple[tuple[Path, Path | None], ...]


@dataclass(frozen=True)
class Scan:
    """One row of a manifest; None or "" where a cell is empty.

    `subject` is the patient, by whom folds and mean Dice go, `scan` the name of this scan, unique
    in the cohort. `further` are images on the same grid by name (the columns `image:NAME`),
    `channel` is that of a colour picture that holds the modality, from 0, `label` which labels of
    the mask are the lesion (none: all). Where pictures are the slices of one volume, `series` has
    all its rows' (image, region), lowest first: they are scaled together and know their place.
    `other_masks` are a few of the subject's and a few of all, to be asked what background is where
    the scan's own does not tell.
    """

    subject: str
    scan: str
    image: Path
    mask: Path | None = None
    region: Path | None = None
    modality: str = ""
    further: Mapping[str, Path] = field(default_factory=dict)
    group: str | None = None
    fold: str | None = None
    notes: str = ""
    channel: int | None = None
    label: tuple[int, ...] = ()
    series: Series = ()
    other_masks: OtherMasks = field(default=((), ()), repr=False, compare=False)


@dataclass(frozen=True)
class Cohort:
    """The scans of a manifest, in its order."""

    name: str
    manifest: Path
    scans: tuple[Scan, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects in the order of their first scan."""
        return tuple(dict.fromkeys(scan.subject for scan in self.scans))

    def scans_of(self, subject: str) -> tuple[Scan, ...]:
        """Return the scans of one subject."""
        return tuple(scan for scan in self.scans if scan.subject == subject)

    def scan(self, name: str) -> Scan:
        """Return the scan of that name, or raise a UserError if the cohort has none."""
        for scan in self.scans:
            if scan.scan == name:
                return scan
        raise UserError(f"{self.manifest} has no scan {name!r}; choose one of its rows.")


def files_of(scan: Scan) -> tuple[Path, ...]:
    """Return all files that a scan is read from, once each; see `formats.files_of`."""
    named = [scan.image, scan.mask, scan.region, *scan.further.values()]
    named += [path for pair in scan.series for path in pair]
    several = (formats.files_of(path) for path in named if path is not None)
    return tuple(dict.fromkeys(itertools.chain.from_iterable(several)))


def read_manifest(path: str | Path) -> Cohort:
    """Read a manifest (CSV), with paths relative to it; a folder stands for its `manifest.csv`.

    The cohort is called after the file, or after the folder if the file is called manifest.csv.

    Raises a UserError if something is missing, two scans have one name, or a group is unknown.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "manifest.csv"
    if not path.is_file():
        raise UserError(f"{path} is not there; give a manifest (CSV), or make one with `index`.")
    rows = _rows(path)
    for column in ("subject", "image"):
        if column not in rows[0]:
            raise UserError(f"{path} has no column {column!r}; name it in the first line.")
    if any("\0" in cell for row in rows for cell in row.values()):
        raise UserError(f"{path} holds zero bytes, which no table does; save it as 'CSV UTF-8'.")
    names = _scan_names(path, rows)
    try:
        series = _series(path, rows)
        scans = tuple(
            _scan(path, number, row, name, series.get(row.get("series", ""), ()))
            for number, (row, name) in enumerate(zip(rows, names, strict=True), start=2)
        )
    except OSError as error:  # a name that is too long, say; files that are not there raise none
        raise UserError(
            f"{path} names a file that cannot be looked for ({error.strerror}); mend its paths."
        ) from error
    name = path.absolute().parent.name if path.stem.lower() == "manifest" else path.stem
    return Cohort(name, path, _with_other_masks(scans))


def _with_other_masks(scans: tuple[Scan, ...]) -> tuple[Scan, ...]:
    """Let each scan know some masks of its subject, and some of all."""
    masks: dict[str, list[Path]] = {}
    for scan in scans:
        if scan.mask:
            masks.setdefault(scan.subject, []).append(scan.mask)
    some = _some([mask for of_one in masks.values() for mask in of_one])
    own = {subject: _some(of_one) for subject, of_one in masks.items()}
    return tuple(replace(scan, other_masks=(own.get(scan.subject, ()), some)) for scan in scans)


def _some(masks: list[Path]) -> tuple[Path, ...]:
    return tuple(masks[:: -(-len(masks) // _OTHER_MASKS) or 1])


def _rows(path: Path) -> list[dict[str, str]]:
    text = files.text_of(path)
    first = text.partition("\n")[0]
    if first.lower().startswith("sep="):  # Excel's own line
        text = text.partition("\n")[2]
        first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise UserError(f"{path} is no CSV table ({error}); save it again as CSV.") from error
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if lines and not {"subject", "image"} & {cell.strip().lower() for cell in lines[0]}:
        raise UserError(
            f"{path} is no manifest: its first line names no columns subject and image; make one "
            "with `index`."
        )
    if len(lines) < 2:
        raise UserError(f"{path} lists no scans; add a row for each.")
    header = [cell.strip().lower() for cell in lines[0]]
    twice = [name for name, count in Counter(header).items() if name and count > 1]
    if twice:
        raise UserError(f"{path} has the column {twice[0]!r} twice; remove one.")
    for number, line in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in line[len(header) :]):
            raise UserError(
                f"{path}, row {number}: it has more cells than columns; quote cells that contain "
                f"{separator!r}."
            )
    return [
        {name: cell.strip() for name, cell in zip(header, line, strict=False) if name}
        for line in lines[1:]
    ]


def _scan_names(path: Path, rows: list[dict[str, str]]) -> list[str]:
    """Return each row's scan: as given, or the subject, numbered where it has several rows."""
    count = Counter(row.get("subject", "") for row in rows)
    seen: Counter[str] = Counter()
    names = []
    for row in rows:
        subject = row.get("subject", "")
        seen[subject] += 1
        number = str(seen[subject]).zfill(len(str(count[subject])))
        default = subject if count[subject] == 1 else f"{subject}_{number}"
        names.append(row.get("scan") or default)
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise UserError(f"{path} names two scans {twice[0]!r}; give each row a scan of its own.")
    return names


def _series(path: Path, rows: list[dict[str, str]]) -> dict[str, Series]:
    """Return the files of each series in the order of its rows."""
    found: dict[str, Series] = {}
    for row in rows:
        if row.get("series") and row.get("image"):
            region = row.get("region")
            pair = (_file(path, row["image"]), _file(path, region) if region else None)
            found[row["series"]] = (*found.get(row["series"], ()), pair)
    return found


def _holds_file(column: str) -> bool:
    return column in _PATHS or column.startswith(FURTHER)


def _file(manifest: Path, cell: str) -> Path:
    return files.file_named(manifest.parent, cell)


def _scan(path: Path, number: int, row: dict[str, str], name: str, series: Series) -> Scan:
    where = f"{path}, row {number}"
    for column in ("subject", "image"):
        if not row.get(column):
            raise UserError(f"{where}: the cell {column!r} is empty; fill it.")
    given = {c: _file(path, row[c]) for c in (*_PATHS, *row) if _holds_file(c) and row.get(c)}
    for file in given.values():
        if not formats.is_there(file):
            raise UserError(f"{where}: {file} is not there; mend the path or remove the row.")
        try:
            if file.is_dir():
                formats.check_file(file)  # one of a DICOM series is an image
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
    group = row.get("group", "").lower() or None
    if group not in (None, *GROUPS):
        raise UserError(f"{where}: group {group!r} is unknown; write normal or anomalous.")
    channel = row.get("channel", "")
    if channel and not re.fullmatch(r"\d{1,9}", channel):
        raise UserError(f"{where}: channel {channel!r} is no number; write 0, 1 or 2.")
    labels = [label for label in re.split(r"[;,\s]+", row.get("label", "")) if label]
    if not all(re.fullmatch(r"-?\d{1,18}", label, re.ASCII) for label in labels):
        raise UserError(
            f"{where}: label {row['label']!r} is no number; write one, or several as 1;2."
        )
    return Scan(
        subject=row["subject"],
        scan=name,
        image=given["image"],
        mask=given.get("mask"),
        region=given.get("region"),
        modality=row.get("modality", ""),
        further={c.removeprefix(FURTHER): f for c, f in given.items() if c.startswith(FURTHER)},
        group=group,
        fold=row.get("fold") or None,
        notes=row.get("notes", ""),
        channel=int(channel) if channel else None,
        label=tuple(map(int, labels)),
        series=series,
    )


def write_manifest(path: str | Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows (column -> value) as a manifest, whole or not at all; see `manifest_text`.

    Raises a UserError if there is no row, or the file cannot be written.
    """
    path = Path(path)
    rows = list(rows)
    if not rows:
        raise UserError(f"{path} would list no scans; give at least one.")
    files.write_text(path, manifest_text(rows, path.parent))


def manifest_text(rows: Iterable[Mapping[str, Any]], folder: Path) -> str:
    """Return rows (column -> value) as the text of a manifest that is meant for `folder`.

    Columns that no row fills are left out. Files (absolute paths, or `Path` objects) are written
    relative to the folder.
    """
    rows = [dict(row) for row in rows]
    filled = dict.fromkeys(
        key for row in rows for key, cell in row.items() if cell not in (None, "", ())
    )
    order = [c for c in COLUMNS if c in filled]
    at = order.index("modality") + 1 if "modality" in order else len(order)
    order[at:at] = sorted(c for c in filled if c.startswith(FURTHER))
    order += [c for c in filled if c not in order]
    # The csv module of Python 3.11 leaves a lone carriage return of a name unquoted.
    odd = any("\r" in str(cell) for row in rows for cell in row.values())
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text, order, lineterminator="\n", quoting=csv.QUOTE_ALL if odd else csv.QUOTE_MINIMAL
    )
    writer.writeheader()
    folder = folder.absolute()
    for row in rows:
        writer.writerow({column: _cell(row.get(column), column, folder) for column in order})
    return text.getvalue()


def _cell(value: Any, column: str, folder: Path) -> str:
    if value is None:
        return ""
    if _holds_file(column) and (isinstance(value, Path) or Path(value).is_absolute()):
        return _relative(Path(value), folder)
    if column == "label" and not isinstance(value, str):
        return ";".join(map(str, value))
    return str(value)


def _relative(file: Path, folder: Path) -> str:
    """Return a file's path as a manifest in `folder` has it."""
    cell = os.path.relpath(file, folder)
    if not (folder / cell).exists() and file.exists():
        # ".." of a folder that is a link leads elsewhere
        cell = os.path.relpath(file, folder.resolve())
    cell = cell.replace(os.sep, "/")
    # Cells are read without blanks at their ends, which a name may have.
    return cell if cell == cell.strip() else f"./{cell}"

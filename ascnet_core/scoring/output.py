"""What an evaluation reads and writes beside the manifest."""

from pathlib import Path

from ascnet_core.errors import UserError
from ascnet_core.files import write_json, write_text
from ascnet_core.imaging.cohort import Cohort, read_manifest
from ascnet_core.scoring.evaluation import EvaluationResult


def write_evaluation(result: EvaluationResult, folder: Path, slices: bool = False) -> list[Path]:
    """Write `subjects.csv` and `summary.json` (and `slices.csv` on request) into a folder.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    UserError
        If the folder can't be written.
    """
    tables = {"subjects.csv": result.rows} | ({"slices.csv": result.slices} if slices else {})
    for name, table in tables.items():
        write_text(folder / name, table.to_csv(index=False, float_format="%.6g"))
    write_json(folder / "summary.json", result.summary)
    return [folder / name for name in (*tables, "summary.json")]


def reference_cohort(cohort: Cohort, reference: str) -> Cohort:
    """Return the scans that count as normal, for rules that need a reference.

    Parameters
    ----------
    reference : str
        `normal` (the manifest's normal group), `lesion-free` (the cohort's own slices without
        lesion), or the path of another manifest.

    Raises
    ------
    UserError
        If there is no normal group, no mask to tell lesion-free slices by, or no such manifest.
    """
    if reference == "normal":
        scans = tuple(scan for scan in cohort.scans if scan.group == "normal")
        if not scans:
            raise UserError(
                f"{cohort.manifest} has no scan of group 'normal'; fill its group column or choose "
                "another reference."
            )
        return Cohort(f"{cohort.name} (normal)", cohort.manifest, scans)
    if reference == "lesion-free":
        scans = tuple(scan for scan in cohort.scans if scan.mask or scan.group == "normal")
        if not scans:
            raise UserError(
                f"{cohort.manifest} has no masks that tell which slices are free of lesions; "
                "choose another reference."
            )
        return Cohort(f"{cohort.name} (lesion-free slices)", cohort.manifest, scans)
    return read_manifest(Path(reference))

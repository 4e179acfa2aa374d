"""What an evaluation reads and writes beside the manifest."""

from pathlib import Path

from ascnet_core.errors import UserError
from ascnet_core.files import write_json, write_text
from ascnet_core.imaging.cohort import Cohort, read_manifest
from ascnet_core.names import OWN_REFERENCES
from ascnet_core.scoring.evaluation import EvaluationResult


def write_evaluation(result: EvaluationResult, folder: Path, slices: bool = False) -> list[Path]:
    """Write `subjects.csv`, `summary.json` and on request `slices.csv`; return their paths."""
    tables = {"subjects.csv": result.rows} | ({"slices.csv": result.slices} if slices else {})
    for name, table in tables.items():
        write_text(folder / name, table.to_csv(index=False, float_format="%.6g"))
    write_json(folder / "summary.json", result.summary)
    return [folder / name for name in (*tables, "summary.json")]


def reference_cohort(cohort: Cohort, reference: str) -> Cohort:
    """Return the scans that count as normal, for rules that need a reference.

    `reference` is "normal" (the manifest's normal group), "lesion-free" (the cohort's own slices
    without lesion), or the path of another manifest. Raises `UserError` if there are none such.
    """
    if reference not in OWN_REFERENCES:
        return read_manifest(Path(reference))
    free = reference == "lesion-free"
    scans = tuple(s for s in cohort.scans if s.group == "normal" or (free and s.mask))
    if scans:
        title = "lesion-free slices" if free else "normal"
        return Cohort(f"{cohort.name} ({title})", cohort.manifest, scans)
    if free:
        raise UserError(
            f"{cohort.manifest} has no masks that tell which slices are free of lesions; "
            "choose another reference."
        )
    raise UserError(
        f"{cohort.manifest} has no scan of group 'normal'; fill its group column or choose "
        "another reference."
    )

"""How a cohort is scored, against which reference, and whether that can be done at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort, Scan, read_manifest
from ascnet_core.methods.base import Method
from ascnet_core.names import OWN_REFERENCES, RangeKind, Scope, Side, Unit
from ascnet_core.segmentation.rules import needs_reference
from ascnet_core.segmentation.steps import Step


@dataclass(frozen=True)
class Plan:
    """How a cohort is scored.

    `rules` are the threshold rules asked for: each method takes what suits it beside its own.
    `side`, `scope`, `range` and `unit` are as in `ascnet_core.names`. The steps `post` are for all
    methods and rules alike. `oracle` adds rows chosen with the masks, labelled so;
    `shapes` measures surface distances and lesions too, the slow part. `seed` is the bootstrap's.
    """

    rules: tuple[str, ...] = ()
    side: Side = "bright"
    scope: Scope = "subject"
    post: tuple[str, ...] = ()
    range: RangeKind = "raw"
    unit: Unit = "subject"
    oracle: bool = True
    shapes: bool = True
    seed: int = 0

    def name(self, scan: Scan) -> str:
        """Return the unit that a scan belongs to."""
        return scan.subject if self.unit == "subject" else scan.scan


def check(
    cohort: Cohort,
    methods: Sequence[Method],
    plan: Plan,
    steps: Sequence[Step],
    reference: Cohort | None,
) -> list[tuple[Method, tuple[str, ...]]]:
    """Return each method with its rules; complain before the long work, not after it.

    Raises `UserError` if there is nothing to score, a rule can't be read or lacks its reference,
    or a scan does not have the modality of a gate.
    """
    if not cohort.scans:
        raise UserError(f"{cohort.manifest} has no scans to evaluate.")
    if not methods:
        raise UserError("There is no method to evaluate; name a run or a baseline.")
    for step in (step for step in steps if step.modality):
        for scan in cohort.scans:
            if step.modality.lower() not in (name.lower() for name in scan.further):
                raise UserError(
                    f"Step '{step}' needs a column image:{step.modality} in {cohort.manifest}, "
                    f"and scan {scan.scan} has none; fill it or leave the step out."
                )
    asked = [(m, m.rules(plan.side, plan.rules, reference is not None)) for m in methods]
    for rule in (rule for _, rules in asked for rule in rules):
        if needs_reference([rule]) and reference is None:
            raise UserError(
                f"Rule '{rule}' needs a normal reference; name one (a manifest, the normal group, "
                "or lesion-free slices)."
            )
    return asked


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

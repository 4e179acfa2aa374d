"""Ways from a map to a mask that hold for some subjects of a call."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ascnet_core.names import RangeKind
from ascnet_core.segmentation.pieces import Edit
from ascnet_core.segmentation.threshold import Threshold
from ascnet_core.settings.tables import Segmentation


@dataclass(frozen=True)
class Way:
    """Map, side and steps, what levels stand for, and whose masks are made so (None: all).

    The thresholds are `given` by subject; where none are, the rule of `segmentation` finds them,
    and reads all scans of the call. `pieces` are edits of the masks' pieces, by scan.
    """

    segmentation: Segmentation
    range: RangeKind = "raw"
    subjects: frozenset[str] | None = None
    given: Mapping[str, Threshold] = field(default_factory=dict)
    pieces: Mapping[str, tuple[Edit, ...]] = field(default_factory=dict)

    def holds_for(self, subject: str) -> bool:
        """Whether a subject's masks are made so."""
        return self.subjects is None or subject in self.subjects

    def reads(self, subject: str) -> bool:
        """Whether a subject's scans are needed: for its own mask, a range or a threshold."""
        return not self.given or self.range == "cohort" or self.holds_for(subject)

"""The six stops of the lessons: title, paragraph, view."""

from collections.abc import Callable
from dataclasses import dataclass

from pages.parts.lessons import views


@dataclass(frozen=True)
class Stop:
    """One lesson. `view` draws what is looked at and gives the sentence of what to notice."""

    title: str
    text: str
    view: Callable[[], str]


STOPS = (
    Stop(
        "Why a raw histogram fails",
        "A threshold needs a gap. In a scan's own histogram there is none: bright cortex, fat, "
        "noise and coil shading fill every level between tissue and lesion (paper, Fig. 3). "
        "ASC-Net makes another image of the same slice, the reduced reconstruction I_ro, whose "
        "histogram falls apart into a few peaks. **Move the one threshold** and compare both "
        "masks with the blue outline, the true lesion.",
        views.histograms,
    ),
    Stop(
        "Two cuts, and what each peak holds",
        "The network cuts a slice in two. The fence cut should look like a normal image, the wild "
        "cut holds what the fence cannot; a reconstructor of three numbers makes I_ro from both "
        "(paper, Fig. 2). So each peak of I_ro is a kind of pair: this much fence, that much wild. "
        "**Choose a peak** and see its voxels light up in all four images.",
        views.two_cuts,
    ),
    Stop(
        "Clicking the peak",
        "The method's last step is a person's: which peak is the anomaly? **Click a peak** of the "
        "histogram, or anywhere between two, or drag the line; the mask follows in three "
        "planes. The paper keeps what is at or above the rightmost peak; the valley to its left "
        "keeps the whole peak. Dice beside it compares with the true mask, knowledge that a user "
        "does not have.",
        views.the_click,
    ),
    Stop(
        "Stopping too early and too late",
        "When is training done? The paper looks at the histogram: three or four separated peaks, "
        "which come and go, while longer training tears holes (Figs. 9 and 10). **Move through the "
        "run**: first one hump, then peaks. The advisor writes the same down as rules: separated, "
        "stable from cycle to cycle, few holes, and more than brightness. Compare a slow run, one "
        "hump for nine cycles, and the paper's own losses, where the discriminator soon sends "
        "nothing.",
        views.too_early,
    ),
    Stop(
        "One threshold for all, or one for each",
        "The paper takes one level for a whole test set and notes that another suits some "
        "subjects better (Fig. 12). **Move the level for all**: some subjects gain, others lose. "
        "A rule that reads each subject's own histogram adapts, but may fail where a lesion is "
        "small and its peak hidden. The open diamonds need the true masks: no method may claim "
        "them.",
        views.one_or_each,
    ),
    Stop(
        "When it fails",
        "Nothing in the paper's losses asks the wild cut to hold the anomaly. Disjoint cuts may as "
        "well share out brightness, and then I_ro only sorts grey levels anew: bright lesions are "
        "found, others are lost, and peaks may trade places (Fig. 8). The control is the rank "
        "correlation with the input; the rival to beat is a plain threshold. **Compare both "
        "runs.** On real heads it was no loss that mended it, but what M learns from: blobs that "
        "look like lesions (run lgg-flair).",
        views.when_it_fails,
    ),
)

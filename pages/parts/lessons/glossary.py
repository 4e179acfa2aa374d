"""The field's terms, each in a sentence or two; in a text they are explained on hover and focus."""

import html
import re
from typing import NamedTuple


class Term(NamedTuple):
    """A term, what it means, and other words that texts use for it."""

    name: str
    meaning: str
    also: tuple[str, ...] = ()


TERMS = (
    Term("I_in", "The input: one axial slice of a scan, its brightness scaled to 0 to 1."),
    Term(
        "reference",
        "Images that you know to be normal. They alone tell the network what normal means.",
        ("references", "reference images"),
    ),
    Term(
        "fence cut",
        "The part of the input that should look like a normal image (I_fc). A lesion should be "
        "missing from it.",
        ("fence",),
    ),
    Term(
        "wild cut",
        "What the fence cut cannot hold (I_wc), the anomaly among it.",
        ("wild",),
    ),
    Term(
        "I_ro",
        "The reduced reconstruction: both cuts put together again by three numbers. Its histogram "
        "should have a few peaks with gaps between them, and it is the image that is thresholded.",
        ("reduced reconstruction",),
    ),
    Term(
        "residual",
        "Input minus fence cut: what the network took away to make the slice look normal.",
    ),
    Term(
        "M",
        "The network that is trained to cut: an encoder, a decoder for each of the two cuts, and "
        "the reconstructor R.",
    ),
    Term(
        "R",
        "The reconstructor: a weight for the fence cut, one for the wild cut and an offset. From "
        "them it makes I_ro.",
        ("reconstructor",),
    ),
    Term(
        "D",
        "The discriminator: a second network that is trained to tell fence cuts from reference "
        "images. The shipped variant does without it.",
        ("discriminator",),
    ),
    Term(
        "blob",
        "A patch that training lays over a normal slice, brighter or darker than what lies there. "
        "The fence cut must become the clean slice, the wild cut the blob.",
        ("blobs",),
    ),
    Term(
        "adversary",
        "D as M's opponent: M is paid for fence cuts that D takes for normal images.",
    ),
    Term(
        "cycle",
        "One turn of training: first D, then M. After each the run keeps a snapshot.",
        ("cycles",),
    ),
    Term(
        "snapshot",
        "Cuts and histograms of a few watched slices, kept after each cycle.",
        ("snapshots",),
    ),
    Term(
        "histogram",
        "How many pixels there are of each grey level, 0 to 255.",
        ("histograms",),
    ),
    Term(
        "peak",
        "A grey level that many pixels have, higher than its surroundings in the histogram. Peaks "
        "are numbered from dark to bright.",
        ("peaks",),
    ),
    Term("valley", "The lowest place of the histogram between two peaks.", ("valleys",)),
    Term(
        "separation index",
        "How well the peaks stand apart: 0 where the valley is as high as the lower peak, 1 where "
        "it is empty.",
    ),
    Term(
        "threshold",
        "A grey level: what is brighter (or, on the dark side, darker) belongs to the mask.",
        ("thresholds",),
    ),
    Term("mask", "The set of pixels that are called anomalous.", ("masks",)),
    Term(
        "true mask",
        "What a person drew as the lesion. Training and mask-free rules never see it.",
        ("truth", "true masks"),
    ),
    Term(
        "mask-free",
        "A threshold or a sign that was found without any true mask, as in real use.",
    ),
    Term(
        "oracle",
        "Chosen or computed with the true masks: a ceiling that nobody reaches in practice, not a "
        "result.",
    ),
    Term(
        "Dice",
        "Overlap of two masks, from 0 (none) to 1 (the same): twice what they share, divided by "
        "the sum of their sizes.",
    ),
    Term(
        "rank correlation",
        "Whether I_ro puts the pixels in the same order of brightness as the input: 1 is the same "
        "order. Near 1, I_ro is only the input with fewer grey levels.",
    ),
    Term(
        "baseline",
        "A method without training, on the same scans: here a threshold of the plain input.",
        ("baselines",),
    ),
    Term(
        "variant",
        "Here: two cuts trained by denoising, without an adversary. The networks are the paper's, "
        "the losses are not.",
    ),
)
_BY_WORD = {word: term for term in TERMS for word in (term.name, *term.also)}
_WORDS = re.compile(
    # code, links and what is already HTML stay as they are
    r"`[^`]*`|\[[^\]]*\]\([^)]*\)|<[^>]*>|(?<![\w-])("
    + "|".join(re.escape(word) for word in sorted(_BY_WORD, key=len, reverse=True))
    + r")(?![\w-])"
)


def marked(text: str, place: str) -> str:
    """Markdown with the first use of each term marked; its meaning shows on hover and on focus.

    `place` keeps the marks of several texts of a page apart, and is a part of their ids.
    """
    seen: set[str] = set()

    def mark(found: re.Match[str]) -> str:
        term = _BY_WORD.get(found[1] or "")
        if term is None or term.name in seen:
            return found[0]
        seen.add(term.name)
        tip = f"{place}-term-{len(seen)}"
        # a button by its role, as screen readers don't stop at plain text
        return (
            f'<span class="term" tabindex="0" role="button" aria-describedby="{tip}">{found[0]}'
            f'<span class="meaning" role="tooltip" id="{tip}">{html.escape(term.meaning)}</span>'
            "</span>"
        )

    return _WORDS.sub(mark, text)

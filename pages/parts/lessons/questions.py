"""Questions that students ask, with honest answers, at the stop (by its file) where they arise.

Figures are those of README.md and checkpoints/README.md; Dice is the mean over held-out patients.
"""

from pages.parts.lessons.stop import Question

NO_COMMON_GAP = (
    Question(
        "Where is the gap?",
        "Not in the scan: the network makes it. Between two peaks of I_ro lies a valley, levels "
        "that few pixels have. On the synthetic FLAIR cohort the valley left of the brightest "
        "peak gives Dice .78; the best mask-free rule on the plain input gives .38.",
    ),
    Question(
        "Would it not help to equalise the histograms first?",
        "It makes levels of two patients comparable, but keeps the order of brightness within "
        "each: what is as bright as the lesion stays as bright. With a threshold chosen with the "
        "masks (an *oracle*) the input of 70 patients with skull gives Dice .164, equalised .178; "
        "I_ro of the same patients, at its own oracle, .60.",
    ),
)

REBUILDING = (
    Question(
        "Why not a U-Net with masks?",
        "If you have enough masks of the lesion you look for, from your scanner: use one, it will "
        "be better. Here is what one can do without any mask, and for anomalies that nobody "
        "thought of before. The price is seen in the figures: .54 ± .02 on 70 patients with "
        "glioma, skull in the picture. A U-Net was not measured here.",
    ),
    Question(
        "Does a bigger autoencoder not solve it?",
        "It rebuilds normal tissue better, but lesions, too. The one here is small and was trained "
        "for minutes, so take it for the idea, not for the best that the idea can do.",
    ),
)

TWO_CUTS = (
    Question(
        "What is M?",
        "The network that cuts. One encoder reads the slice, one decoder draws the fence cut, a "
        "second one the wild cut, and the reconstructor R joins them by three numbers: a weight "
        "for each cut and an offset. At the paper's width it has 10.8 million weights, here 0.7 "
        "million.",
    ),
    Question(
        "What is normal, and who chose it?",
        "You did, by the reference: images that you say are normal. Whatever they have in common "
        "counts as normal, the scanner and the age of the people too. Here it is 36 synthetic "
        "subjects without a lesion; with real patients it is their lesion-free slices, for which "
        "somebody had to say that they are. When 30 % of the slices with a lesion were left in "
        "the reference, the wild cut inside lesions fell from .78 to .53 (*oracle* thresholds).",
    ),
    Question(
        "What does the discriminator do?",
        "In the paper D tells fence cuts from reference images, and M is paid for deceiving it. "
        "The shipped variant has no D: M learns from normal slices with blobs laid over them, the "
        "fence must be the clean slice and the wild cut the blob.",
    ),
)

THE_CLICK = (
    Question(
        'What do "separation" and "Rank corr." beside the picture say?',
        "Separation: how empty the valley before the brightest peak is, from 0 (no valley) to 1 "
        "(no voxel in it). Rank correlation with I_in: whether I_ro keeps the scan's order of "
        "brightness; at 1 it is only the scan with other grey levels.",
    ),
    Question(
        "Who chooses the peak when there is no mask?",
        "You, by looking: which peak lights up what does not belong there? Or a rule that reads "
        "the histogram alone, such as `rightmost-valley`. It holds one piece of knowledge: that "
        "the anomaly is bright. On synthetic FLAIR the rule has .78, the best level that any mask "
        "could find (*oracle*) .79; on glioma with skull .54 and .60.",
    ),
    Question(
        "Why the valley, if the paper takes the peak?",
        "At the level of the peak about half of the peak's own pixels are lost. On 70 patients the "
        "paper's `rightmost-peak` has .45 ± .03, the valley .54 ± .02, on the same maps.",
    ),
    Question(
        "And if the anomaly is dark?",
        "Choose the dark side: then what lies below the line is kept, and the leftmost valley is "
        "its rule. On synthetic CT that gives .64 (mean of three seeds), the best mask-free rule "
        "on the plain input .40.",
    ),
)

ONE_OR_EACH = (
    Question(
        "Which of the two should I take?",
        "One level for all where the scans were made and scaled alike; it also works for a patient "
        "without a lesion, who has no peak of one. A level for each where brightness differs from "
        "patient to patient; then look at each, as *Tuning* lets you.",
    ),
    Question(
        "Why is the best level of each patient no result?",
        "It is found by trying all levels and comparing with the true mask. Who has that mask "
        "needs no method. It says how good a threshold could be at most, and is called *oracle* "
        "everywhere here.",
    ),
)

TRADING_SIDES = (
    Question(
        "Why does fluid change to the other end?",
        "Nothing in the losses says which cut has to be bright where. R weighs both cuts, and a "
        "kind of tissue that is brighter in another contrast can land at another end of I_ro. The "
        "shipped recipe ties anomalies to the bright end, for the contrast it was trained on.",
    ),
    Question(
        "How would I notice without a mask?",
        "Look at what a peak is made of, on *Cuts*: a box in the histogram lights its pixels up. A "
        "brightest peak that lights up normal anatomy is not the lesion. And the app says so where "
        "a scan has another contrast than those the run was trained on.",
    ),
)

ANOTHER_SEED = (
    Question(
        "How much does the seed matter?",
        "With the shipped recipe little: .783, .769 and .759 on synthetic FLAIR. With the paper's "
        "losses very much: .401, .108 and .102 on the same subjects. That is why every claim in "
        "this project's tables names its seeds.",
    ),
    Question(
        "Can one average several trainings?",
        "Their masks can be combined, but their levels can't be compared: each run has a scale of "
        "its own. What the app can average is one run over a scan and its mirror image.",
    ),
)

ONE_CYCLE_MORE = (
    Question(
        "Why not train until the loss stops falling?",
        "Because the loss is not the aim. In one of our runs Dice on synthetic FLAIR fell from .65 "
        "after 600 steps to .63 after 1500 (at its *oracle* threshold from .75 to .71): M had "
        "grown too sure of what an anomaly looks like, and left faint ones in the fence cut.",
    ),
    Question(
        "Can I trust the advisor that says stop?",
        "As far as it sees: separated peaks, a mask that no longer changes, few holes. A run can "
        "meet all of its rules with the lesion left white in the fence cut. When it says stop, "
        "look whether the fence cut still shows the lesion, and whether the wild cut does.",
    ),
)

WHEN_IT_FAILS = (
    Question(
        "Does the adversary matter at all?",
        "With the paper's losses not where we measured it. On synthetic FLAIR no gradient reached "
        "the fence cut after the first cycles. On glioma without skull it was alive; with it "
        "switched off Dice was .71 as before. It can matter: where the two cuts share the slice "
        "and taking out has a price (preset `conserved-cuts`), it alone fills the wild cut, on "
        "heads with skull to a mean Dice of .47.",
    ),
    Question(
        "Is it then more than a threshold?",
        "It depends on the data. Where lesions are simply bright, hardly: on glioma without skull "
        "the paper's losses give .71 ± .01, a plain threshold .70. Where other things are as "
        "bright, yes: with skull .54 ± .02 against .14, by the variant. On the liver it is below a "
        "plain threshold (.53 against .58).",
    ),
)

REAL_PATIENTS = (
    Question(
        "Could a clinic use this?",
        "No. It is for research and teaching, no medical device. A third of these patients stay "
        "under Dice .5, and on a healthy brain this run marked 54 ml, all of it wrong.",
    ),
    Question(
        "How good is it on patients it never saw?",
        "On 70 patients, two folds, three seeds: .54 ± .02 without any mask, .63 ± .03 if only the "
        "largest piece is kept; the plain input's best rule has .14. On four patients with "
        "multiple sclerosis it failed (.31 ± .31, the plain input .23).",
    ),
    Question(
        "Whose scans are these, and may I use them?",
        "Patients of TCGA-LGG, as prepared by Buda, Saha and Mazurowski (2019), under CC BY-NC-SA "
        "4.0: with attribution, not for commercial use, passed on under the same licence. The "
        "run's `card.md` has the full words.",
    ),
)

QUESTIONS: dict[str, tuple[Question, ...]] = {
    "no_common_gap": NO_COMMON_GAP,
    "rebuilding": REBUILDING,
    "two_cuts": TWO_CUTS,
    "the_click": THE_CLICK,
    "one_or_each": ONE_OR_EACH,
    "trading_sides": TRADING_SIDES,
    "another_seed": ANOTHER_SEED,
    "one_cycle_more": ONE_CYCLE_MORE,
    "when_it_fails": WHEN_IT_FAILS,
    "real_patients": REAL_PATIENTS,
}

"""The speaker's notes of each stop (Markdown), by the name of its file: a minute for each."""

NOTES: dict[str, str] = {
    "no_common_gap": """
- **Ask first**: "Where would you put the line?" Let somebody name a level, and set it.
- Two patients, one level: move it until the first mask is good, then point at the second.
- Change the image to **I_ro** and leave the level: now both masks are good. Move it slowly: on the
  scan 30 levels decide between good and bad, on I_ro the second mask hardly minds.
- Blue is the true lesion. Say now that training never sees it.
""",
    "rebuilding": """
- The idea before ASC-Net: what a network cannot rebuild must be abnormal.
- Point at the output: **the lesion is still in it**. Point at the residual: a soft cloud over
  the whole brain, in the first patient no brighter in the lesion than elsewhere.
- In patients 006 and 008 it is brighter in the lesion, and still no level gives the lesion alone:
  elsewhere in the head normal tissue is as bright.
- Move the level once from left to right. No place gives the lesion alone.
- Be fair: this autoencoder is small. Bigger ones are better, with the same weakness.
""",
    "two_cuts": """
- Draw it in the air: one slice goes in, **two** images come out, and three numbers join them.
- Start at the fence cut ("does it look normal?"), then the wild cut ("is the lesion there?").
- Then I_ro: click through, and show what each peak holds.
- If asked who says what is normal: you do, by the reference.
""",
    "the_click": """
- **Let somebody from the audience click.** Then click the brightest peak and drag the line left
  into the valley.
- The number that matters to a user is the volume; Dice needs the true mask, which a user lacks.
- Peaks are numbered from dark to bright, as `peak:1`, `peak:2` are on the command line.
""",
    "one_or_each": """
- FLAIR first: the patient's own level fails, because a faint lesion makes no peak. Read out the two
  Dice values. In the chart the blue points lie on the orange ones or below them.
- Then T2: here the patient's own level is better, and so are most blue points, by a little.
- Open diamonds are *oracle*: say that nobody may claim them.
""",
    "trading_sides": """
- Same head, same network, another contrast. Choose the darkest peak on FLAIR: fluid.
- Most of its pixels lie at the other end on T2, beside the lesion, which stays bright. The rule
  keeps both and does not know it.
- Message: a run belongs to the contrast it was trained on.
""",
    "another_seed": """
- Only the seed differs. Compare a cut: not alike. Compare the masks: they lie in the same places.
- Say that Dice is low here: four slices with small lesions, of which each mask holds a part.
- The grey patch of Seed 2 is what people ask about first: healthy, and below the level.
- Read out the levels: they differ, so a level of one run means nothing in another.
- Message: three seeds before a claim. With the paper's losses Dice was .40, .11 and .10.
""",
    "one_cycle_more": """
- Move one cycle at a time; pink is a hole. Stripes come from a level between two bright peaks.
- Go on to the end, on slice 3 of the real heads: no hole any more, and a mask of three times the
  tumour. On synthetic T2 slice 1 has holes to the end: not every run closes them.
- Ask: "Would you have stopped here?" and take hands before you go on.
- Nothing on this screen needs a true mask, but for the Dice that is called *oracle*.
- Say what the signs cannot tell: that the lesion was found.
""",
    "when_it_fails": """
- Upper row: the paper's losses. The lesion is **dark** in the wild cut.
- The chart: D is soon sure of everything, and then nothing reaches the fence cut.
- The honest rival is a threshold on the plain scan. Here it wins against the upper row.
- On glioma without skull the paper's losses do work, with D switched off as well.
""",
    "real_patients": """
- Pause: these are people. Read the licence's line aloud once.
- Move through the training from the start; the tumours come late.
- Read out one held-out figure: .54 without a mask, where a plain threshold has .14.
- End with: research and teaching, no medical device.
""",
}

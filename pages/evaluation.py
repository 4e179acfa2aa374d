"""Evaluation: a cohort through a run and the baselines; table, box plot, CSV, and every subject."""

import shlex
from pathlib import Path

import pandas as pd
import streamlit as st

from ascnet_core import names
from ascnet_core.errors import UserError
from ascnet_core.figures.basics import PLAIN, dice_boxes
from ascnet_core.places import COMMAND, cache_folder
from ascnet_core.runs.folder import find_run
from ascnet_core.runs.suspicion import Remark
from ascnet_core.segmentation.rules import needs_reference, rule_menu
from ascnet_core.segmentation.steps import step_menu
from ascnet_core.settings.methods import METHODS
from pages.parts.shared import access, cohorts, feedback, forms, jobs, remarks, runs, state, tables
from pages.parts.shared.sidebar import sidebar
from pages.parts.shared.state import View

RESULT = "summary.json"
SHIPPED = "evaluation"  # in a run's folder: a finished evaluation of the demo cohort


def results_parent() -> Path:
    """Where evaluations are kept."""
    return cache_folder() / "evaluations"


def choose(view: View) -> tuple[list[str], Path]:
    """The form: what is scored, and by which rules; the command's arguments and their folder."""
    cohort = cohorts.load_cohort(view.cohort)
    advised = runs.run_settings(view.run).segmentation
    has_normal = any(scan.group == "normal" for scan in cohort.scans)
    one, two, three, four = st.columns([1.3, 1.6, 0.8, 0.8])
    labels = {one.name: one.label for one in runs.run_settings(view.run).method.maps}
    maps = one.multiselect(
        "Maps",
        list(labels),
        default=[view.map if view.map in labels else advised.map],
        format_func=labels.__getitem__,
        help="The paper thresholds the reconstruction I_ro (section 3.4).",
    )
    chosen = view.rule or advised.rule
    rules = two.multiselect(
        "Threshold rules, mask-free",
        rule_menu([chosen, advised.rule]),
        default=[chosen],
        accept_new_options=True,
        help="Each is scored by itself; type any other (peak:2, 170, band:100:200). Baselines "
        "use those that suit them, and their own.",
    )
    side = three.selectbox(
        "Anomaly is",
        names.SIDES,
        index=names.SIDES.index(view.side or advised.side),
        help="Bright keeps what is above the threshold, dark what is below.",
    )
    scope = four.selectbox(
        "One threshold a",
        names.SCOPES,
        index=names.SCOPES.index(view.scope or advised.scope),
        help="Whether a rule reads the histogram of each subject or of the whole cohort.",
    )
    one, two, three = st.columns([1.6, 1.3, 1.1], vertical_alignment="bottom")
    steps = list(view.post if view.post is not None else advised.post)
    post = one.multiselect(
        "Post-processing, in this order",
        step_menu(steps),
        default=steps,
        accept_new_options=True,
        help="The same for the run and for all baselines.",
    )
    references = {"": "none"}
    if has_normal:
        references["normal"] = "normal group of the cohort"
    references["lesion-free"] = "lesion-free slices of the cohort"
    reference = two.selectbox(
        "Reference for reference-quantile",
        list(references),
        format_func=references.__getitem__,
        index=1 if has_normal and needs_reference(rules) else 0,
        help="Scans known to be normal: the rule takes the level that only 1 - Q of their pixels "
        "exceed.",
    )
    fast = three.checkbox(
        "Without surface distances and lesion counts",
        value=True,
        help="HD95, mean surface distance and lesion-wise scores take the most time.",
    )
    flip = three.checkbox(
        "Average with mirror image",
        value=view.flip,
        help="The run cuts each scan and its left-right mirror image and takes the mean: twice "
        "the time. Baselines stay as they are.",
    )
    if not maps:
        raise UserError("Choose a map to evaluate.")
    manifest = cohorts.manifest_of(view.cohort)
    arguments = forms.evaluation_arguments(
        str(manifest), view.run, view.cycle, maps, rules, side, scope, post, reference, fast, flip
    )
    stamps = cohorts.cohort_stamp(cohort), runs.run_stamp(view.run, view.cycle)
    label = f"{cohorts.cohort_label(view.cohort)} through {Path(view.run).name}"
    return arguments, jobs.folder_for(results_parent(), label, arguments, stamps)


def show(folder: Path) -> None:
    """Tables and chart of a finished evaluation."""
    rows, summary = tables.read_results(folder)
    said = summary["settings"]
    st.markdown(
        f"**{feedback.plain(said['cohort'])}** · side {said['side']} · scope {said['scope']} · "
        f"post-processing {' '.join(said['post']) or 'none'} · "
        "Dice over the whole volume on the original grid"
    )
    if failed := summary.get("failed"):
        st.warning(
            f"Every mean is without {tables.counted(len(failed), 'scan')} that could not be read. "
            + feedback.plain(" ".join(f"{one['scan']}: {one['sentence']}" for one in failed[:5])),
            icon=":material/warning:",
        )
    said_of = [Remark(one["sentence"], one["scans"]) for one in summary.get("remarks", ())]
    for remark in said_of:
        if remark.of_training:
            st.info(feedback.plain(str(remark)), icon=":material/info:")
    remarks.show([str(one) for one in said_of if not one.of_training], "these scans")
    table = tables.score_table(summary)
    st.dataframe(
        table.style.apply(oracle_style, axis=1),
        hide_index=True,
        height=min(40 + 35 * len(table), 355),
        key=f"scores {folder.name}",
        column_config={
            name: st.column_config.TextColumn(help=help_)
            for name, help_ in tables.SCORE_HELP.items()
        },
    )
    shares = [row["prevalence"] for row in summary["rows"] if row.get("prevalence") is not None]
    prevalence = f"{100 * shares[0]:.1f} %" if shares else "unknown"
    st.caption(
        "Mask-free: the rule saw no mask. *Oracle* (hatched, own column): chosen with the masks, "
        "which nobody has in practice: a ceiling, not a result. Baselines are training-free, on "
        "the same subjects, region and post-processing. AUPRC is inside the region; its chance "
        f"level is the prevalence, {prevalence}."
    )
    left, right = st.columns([1.15, 1], gap="medium")
    with left:
        st.markdown("**Dice of each subject**")
        scored = tables.once(rows[rows["dice"].notna() & (rows["truth_ml"] > 0)])
        if scored.empty:
            st.info(
                "No subject of this cohort has a lesion in its mask, so there is no Dice to draw; "
                "the table says how many predictions are empty as they should be."
            )
        else:
            st.plotly_chart(
                dice_boxes(scored),
                config=PLAIN,
                alt="Dice of all subjects as a box for each method and rule; the table has the "
                "means",
            )
    with right:
        subjects(rows, folder)
    files = (
        ("Subjects (CSV)", (folder / "subjects.csv").read_bytes(), "subjects.csv", "text/csv"),
        ("Summary (JSON)", (folder / RESULT).read_bytes(), RESULT, "application/json"),
        ("Summary (CSV)", table.to_csv(index=False).encode(), "summary.csv", "text/csv"),
    )
    for column, file in zip(st.columns(3), files, strict=True):
        column.download_button(*file, icon=":material/download:", width="stretch")


def oracle_style(row: pd.Series) -> list[str]:
    """Italic and grey for oracles (chosen with the masks), bold for the network."""
    if row["kind"] == "oracle":
        return ["font-style: italic; color: #7F7F7F"] * len(row)
    learned = row["method"].split(" ")[0] in METHODS
    return ["font-weight: 700" if learned else ""] * len(row)


def subjects(rows: pd.DataFrame, folder: Path) -> None:
    """The table by subject, worst first; a click opens the subject in Threshold."""
    st.markdown(
        "**By subject**, worst first: Dice, 0 to 1. Click a row to open it in Threshold.",
        help="Subjects without lesion come last: 1 for an empty mask, 0 for any other; they are "
        "not in the means above.",
    )
    table = tables.subject_table(rows)
    if table.empty:
        st.info("There is no Dice: the cohort has no masks. The CSV holds the volumes.")
        return
    chosen = tables.choose_row(
        table,
        f"by subject {folder.name}",
        height=430,
        column_config={
            name: st.column_config.NumberColumn(format="%.3f", width=165)
            for name in table.columns
            if name not in ("subject", "true lesion, ml")
        },
    )
    if chosen is not None:
        networks = rows["run"].notna() & (rows["kind"] != "oracle")
        scored = rows.loc[networks, ["map", "rule", "side", "scope"]]
        how = scored.iloc[0].to_dict() if len(scored) else {}
        subject = str(table["subject"].iloc[chosen])
        state.open_page("pages/threshold.py", scan=subject, **how)


def shipped(view: View, arguments: list[str]) -> Path | None:
    """The evaluation that came with the run, where it is what the form asks for."""
    run = find_run(view.run)
    if view.cohort != state.DEFAULT.cohort or run is None:
        return None
    command = run / SHIPPED / COMMAND
    made = shlex.split(command.read_text("utf-8")) if command.is_file() else []
    # both name the demo cohort by a path of their own
    return run / SHIPPED if made[-len(arguments) + 1 :] == arguments[1:] else None


def page() -> None:
    view = sidebar(subject=False)
    st.title(
        "Evaluation",
        anchor=False,
        help="Every scan of a cohort through a run and through methods without training, compared "
        "with the masks. The unit is the subject.",
    )
    with feedback.show_user_errors():
        arguments, folder = choose(view)
    job = jobs.read(folder, RESULT)
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left.expander("The same from a terminal"):
        st.code(
            forms.command_line("evaluate", [*arguments, "-o", "scores"]),
            language="bash",
            wrap_lines=True,
        )
    if right.button(
        "Evaluate again" if job.status == "done" else "Evaluate",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=job.status == "running",
    ):
        from ascnet_core.scoring.evaluation import TABLES  # with scipy and more

        for name in TABLES:
            (folder / name).unlink(missing_ok=True)
        jobs.start("evaluate", arguments, folder)
        st.rerun()
    if job.status == "running":
        feedback.follow_job(folder, RESULT, "Evaluating")
    elif job.status == "failed":
        st.error(feedback.plain(job.text), icon=":material/error:")
    elif job.status == "cancelled":
        st.info("Cancelled. Evaluate starts it again.")
    if job.status == "done":
        with feedback.show_user_errors(stop=False):
            show(folder)
        return
    if job.status == "none" and (made := shipped(view, arguments)):
        with feedback.show_user_errors(stop=False):
            st.caption(
                "This evaluation was made before, by the command above, and is shipped with the "
                "run. Evaluate makes it anew on this machine."
            )
            show(made)
        return
    # They may be of folders that others opened: whom the server lets in from outside sees none.
    found = [] if access.listens_to_others() else results_parent().glob(f"*/{RESULT}")
    newest_first = sorted(found, key=lambda path: -path.stat().st_mtime)
    if others := [path.parent for path in newest_first]:
        chosen = st.selectbox(
            "Earlier evaluations on this machine",
            [None, *others],
            format_func=lambda path: "choose one to show" if path is None else path.name,
        )
        if chosen:
            with feedback.show_user_errors(stop=False):
                show(chosen)
    elif job.status == "none":
        st.info(
            "Nothing has been evaluated yet. Choose cohort and run in the sidebar, maps and rules "
            "above, then Evaluate: a table by subject, mean ± SD and the baselines follow."
        )


page()

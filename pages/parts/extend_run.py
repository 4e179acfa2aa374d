"""Going on with a finished run: further cycles of its last stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.parts import forms, new_run

if TYPE_CHECKING:
    from ascnet_core.training.settings import Settings


def extend_arguments(run: str, settings: Settings, further: int) -> list[str]:
    """What follows `python -m ascnet_core train` for so many further cycles of the last stage."""
    stage = last_stage(settings)
    cycles = cycles_of(settings, stage) + further
    return ["--resume", run, "--set", f"schedule.stage_{stage}={cycles}"]


def last_stage(settings: Settings) -> int:
    """The stage that a schedule ends with."""
    return 2 if settings.schedule.stage_2 else 1


def cycles_of(settings: Settings, stage: int) -> int:
    """How many cycles a stage has."""
    return settings.schedule.stage_2 if stage == 2 else settings.schedule.stage_1


def extend_popover(run: str, settings: Settings, processes: int) -> None:
    """The box of a finished run: how many cycles more, the command, the button."""
    with st.popover("Go on for longer", icon=":material/more_time:", width="stretch"):
        stage = last_stage(settings)
        now = cycles_of(settings, stage)
        further = st.number_input(
            f"Further cycles of stage {stage}",
            min_value=1,
            value=max(1, now // 2),
            step=1,
            key=f"further cycles of {run}",
            help="The run goes on from its last step; what it has kept stays.",
        )
        arguments = extend_arguments(run, settings, further)
        st.caption(
            f"Stage {stage} has had {now}, and will have {now + further}."
            + (
                " The learning rate had fallen at the end of the schedule (`schedule.cooling`); it "
                "rises again, and falls at the new end."
                if settings.schedule.cooling
                else ""
            )
        )
        st.code(forms.command_line("train", arguments, processes), language="bash", wrap_lines=True)
        if st.button("Go on", type="primary", icon=":material/play_arrow:", key=f"extend {run}"):
            new_run.start(arguments, run, processes)

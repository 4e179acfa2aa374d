"""What the processes beside the first do: train on their part of each batch, nothing else."""

import numpy as np

from ascnet_core.imaging.reference import SliceSet
from ascnet_core.runs.requests import signals_noted
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import from_toml, to_toml
from ascnet_core.training.distributed import any_of, share, share_array, this_process
from ascnet_core.training.state import TrainingState, restore_state, state_tensors
from ascnet_core.training.trainer import train


def hand_out(
    settings: Settings, inputs: SliceSet, reference: SliceSet, state: TrainingState
) -> None:
    """Send the other processes the settings, the state and both sets; nothing if there are none."""
    if this_process().size == 1:
        return
    share((to_toml(settings), *state_tensors(state)))
    for one in (inputs, reference):
        share_array(one.images)
        share_array(one.positions)


def follow(device: str) -> None:
    """Train along with process 0 until it stops.

    Nothing is read, written or printed. SIGINT or SIGTERM stop all processes at the next step.
    """
    text, tensors, counters = share()
    settings = from_toml(text)
    state = restore_state(settings, device, tensors, counters)
    inputs, reference = _handed_out(), _handed_out()
    nothing = inputs.images[:0]
    with signals_noted() as signalled:
        for _ in train(state, settings, inputs, reference, nothing, lambda: any_of(signalled())):
            pass


def _handed_out() -> SliceSet:
    """A set with images and positions, which is all that training reads."""
    images, positions = share_array(), share_array()
    count = len(images)
    no, unknown = np.zeros(count, bool), np.full(count, "")
    return SliceSet(images, positions, unknown, unknown, np.zeros(count, np.int64), no, no)

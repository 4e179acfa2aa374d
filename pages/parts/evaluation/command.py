"""What the Evaluation page asks the command line for."""

from __future__ import annotations


def arguments_of(
    manifest: str,
    run: str,
    cycle: int | None,
    maps: list[str],
    rules: list[str],
    side: str,
    scope: str,
    post: list[str],
    reference: str,
    fast: bool,
    flip: bool = False,
) -> list[str]:
    """What follows `python -m ascnet_core evaluate` for a form's content."""
    arguments = [manifest, "--run", run, "--map", *maps]
    if rules:
        arguments += ["--threshold", *rules]
    arguments += ["--side", side, "--scope", scope]
    if post:
        arguments += ["--post", *post]
    if cycle is not None:
        arguments += ["--cycle", str(cycle)]
    if reference:
        arguments += ["--reference", reference]
    if fast:
        arguments += ["--fast"]
    if flip:
        arguments += ["--flip"]
    return arguments

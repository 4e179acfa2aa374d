"""`run`: list runs, note something on one, tag, rename, delete, export, import."""

import argparse
import sys
from pathlib import Path

from ascnet_core import places
from ascnet_core.commands.options import PROGRAM, add_action, add_flag, add_out, add_overwrite
from ascnet_core.commands.progress import Progress
from ascnet_core.errors import UserError
from ascnet_core.names import Tell

SUMMARY = "list, note, tag, rename, delete, export or import runs"
DESCRIPTION = "Lists runs, notes something on one, tags, renames, deletes, exports or imports them."
EXAMPLES = f"""\
examples:
  {PROGRAM} run list                              every run under checkpoints/
  {PROGRAM} run list checkpoints/crossval/plan/runs
  {PROGRAM} run note first                        prints the note
  {PROGRAM} run note first three clean peaks      writes it
  {PROGRAM} run note first --clear
  {PROGRAM} run tag first                         prints the tags
  {PROGRAM} run tag first lecture skull           adds them
  {PROGRAM} run tag first skull --remove
  {PROGRAM} run list --tag lecture
  {PROGRAM} run rename first teaching-seed-0
  {PROGRAM} run delete teaching-seed-0            asks first
  {PROGRAM} run delete first second --yes
  {PROGRAM} run export first                      writes first.zip
  {PROGRAM} run export first -o small.zip --no-training --no-snapshot-networks
  {PROGRAM} run import first.zip --name first-of-anna

RUN is a folder or a name under checkpoints/. A note is free text in the run's note.md, its
tags are the lines of tags.txt. An exported
run is one ZIP file with the SHA-256 of everything in it; import checks them all and unpacks only
what belongs to a run. The data are not in it: going on with the training elsewhere needs them at
the same relative path. A run that comes with the project, or is being trained, is neither renamed
nor deleted.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    one = add_action(actions, "list", "print a table of runs", _list)
    one.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="where (default: checkpoints/)"
    )

    one.add_argument(
        "--tag", action="append", default=[], metavar="TAG", help="only runs that have this tag"
    )

    one = add_action(actions, "note", "print a run's note, or write it", _note)
    one.add_argument("run", metavar="RUN")
    one.add_argument("text", nargs="*", metavar="TEXT", help="the new note; nothing: print it")
    add_flag(one, "--clear", "take the note away")

    one = add_action(actions, "tag", "print a run's tags, add or remove some", _tag)
    one.add_argument("run", metavar="RUN")
    one.add_argument("tags", nargs="*", metavar="TAG", help="what to add; nothing: print them")
    add_flag(one, "--remove", "take these tags away instead")

    one = add_action(actions, "rename", "give a run another name", _rename)
    one.add_argument("run", metavar="RUN")
    one.add_argument("name", metavar="NAME", help="the new name; the run stays in its folder")

    one = add_action(actions, "delete", "remove runs with all their files", _delete)
    one.add_argument("runs", nargs="+", metavar="RUN")
    add_flag(one, "--yes", "do not ask")

    one = add_action(actions, "export", "write a run into one file", _export)
    one.add_argument("run", metavar="RUN")
    add_out(one, "FILE.zip", "where to write it (default: NAME.zip in this folder)")
    add_overwrite(one)
    add_flag(one, "--no-training", "leave out what only going on with the training needs")
    add_flag(
        one,
        "--no-snapshot-networks",
        "leave out the networks of kept cycles; their pictures and histograms stay",
    )

    one = add_action(actions, "import", "unpack an exported run", _import)
    one.add_argument("file", type=Path, metavar="FILE.zip")
    one.add_argument("--name", metavar="NAME", help="what to call it (default: as it was)")


def run(options: argparse.Namespace) -> None:
    """Do what the action says."""
    from ascnet_core.runs.folder import resolve_run

    if "run" in options:
        options.run = resolve_run(options.run)
    options.do(options)


def _list(options: argparse.Namespace) -> None:
    from ascnet_core.runs.folder import Run, list_runs
    from ascnet_core.runs.manage import in_words, size_of
    from ascnet_core.runs.summary import summary_of

    folder = options.folder or places.RUNS
    if options.folder and not folder.is_dir():
        raise UserError(f"{folder} is no folder; give one that holds runs.")
    from ascnet_core.runs.tags import read_tags

    paths = list_runs(options.folder)
    if not paths:
        print(f"There is no run in {folder}; `{PROGRAM} train` makes one.")
        return
    tagged = [path for path in paths if set(options.tag) <= set(read_tags(path))]
    if not tagged:
        raise UserError(f"No run in {folder} has the tag {' and '.join(options.tag)}.")
    heads = ("run", "preset", "status", "cycles", "peaks of I_ro", "size", "tags", "note")
    rows: list[tuple[str, ...]] = [heads]
    for path in tagged:
        one = summary_of(Run(path))
        peaks = "" if one.peaks is None else " ".join(map(str, one.peaks)) or "none"
        size = in_words(size_of(path))
        about = (one.name, one.preset, one.status, one.cycles, peaks, size)
        rows.append((*about, ", ".join(one.tags), one.note))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def _note(options: argparse.Namespace) -> None:
    from ascnet_core.runs.manage import read_note, write_note

    if options.clear and options.text:
        raise UserError("Give the note's text or --clear, not both.")
    if options.text or options.clear:
        write_note(options.run, " ".join(options.text))
    else:
        print(read_note(options.run) or f"There is no note on {options.run.name}.")


def _tag(options: argparse.Namespace) -> None:
    from ascnet_core.runs.tags import check_tag, read_tags, write_tags

    before, given = set(read_tags(options.run)), {check_tag(tag) for tag in options.tags}
    if options.remove and (missing := given - before):
        raise UserError(f"{options.run.name} has no tag {', '.join(sorted(missing))}.")
    if options.remove and not given:
        raise UserError("Name the tags that --remove is to take away.")
    if given:
        write_tags(options.run, before - given if options.remove else before | given)
    print(", ".join(read_tags(options.run)) or f"There is no tag on {options.run.name}.")


def _rename(options: argparse.Namespace) -> None:
    from ascnet_core.runs.manage import rename_run

    print(f"renamed to {rename_run(options.run, options.name)}")


def _delete(options: argparse.Namespace) -> None:
    from ascnet_core.runs.folder import resolve_run
    from ascnet_core.runs.manage import delete_run, in_words, size_of, why_kept

    # All are looked at first: a mistyped second name must not cost the first run.
    runs = [resolve_run(name) for name in options.runs]
    for run in runs:
        reason = why_kept(run, "delete")
        if reason is not None:
            raise UserError(reason)
    if not options.yes and not sys.stdin.isatty():
        raise UserError("Without a terminal nobody can be asked; add --yes to delete for good.")
    for run in runs:
        size = in_words(size_of(run))
        if options.yes or _agreed(f"Delete {run}, {size}, for good? [y/N] "):
            delete_run(run)
            print(f"deleted {run}, {size}")
        else:
            print(f"kept {run}")


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def _in_megabytes(bar: Progress) -> Tell:
    return lambda done, total: bar(done // 10**6, total // 10**6)


def _export(options: argparse.Namespace) -> None:
    from ascnet_core.outputs import writing
    from ascnet_core.runs.export import export_run
    from ascnet_core.runs.manage import in_words

    out: Path = options.out or Path(f"{options.run.resolve().name}.zip")
    if out.suffix.lower() != ".zip" or out.is_dir():
        raise UserError(f"-o {out} takes a file whose name ends in .zip.")
    training, networks = not options.no_training, not options.no_snapshot_networks
    with (
        writing(out.parent, [out.name], "run export", (), options.overwrite) as aside,
        Progress("MB") as bar,
    ):
        done = export_run(options.run, aside / out.name, training, networks, _in_megabytes(bar))
    files = len(done.contents.members)
    print(f"{out} holds {files} files of {options.run.name}, {in_words(done.size)}")
    for name in done.left_out:
        print(f"left out, no part of a run: {name}")


def _import(options: argparse.Namespace) -> None:
    from ascnet_core.runs.export import import_run

    with Progress("MB") as bar:
        run = import_run(options.file, options.name, _in_megabytes(bar))
    print(f"{run} is there, every file as its SHA-256 says")

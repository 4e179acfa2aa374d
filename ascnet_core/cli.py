"""The command line: `ascnet VERB ...`, or `python -m ascnet_core VERB ...` in a checkout.

Exit status 0: done; 1: a failure of this program; 2: something the user can mend, said in one line
on stderr; 143: ended by a signal. Nothing heavy is imported here, so that `--help` comes at once.
"""

import argparse
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from types import ModuleType
from typing import Any, NoReturn

from ascnet_core import __version__
from ascnet_core.commands import (
    app,
    crossval,
    demo,
    evaluate,
    index,
    report,
    run,
    segment,
    study,
    train,
)
from ascnet_core.commands.options import PROGRAM, Formatter, add_flag
from ascnet_core.commands.surroundings import (
    TERMINATED,
    ending_cleanly,
    let_go_of_output,
    open_streams,
)
from ascnet_core.errors import UserError, shortened
from ascnet_core.files import mendable
from ascnet_core.runs.launch import launched

_DESCRIPTION = """\
ASC-Net Explorer: find anomalies in medical images without ever showing a network a mask.

A network learns to cut every slice in two: a fence, which looks like the normal images
that you give as reference, and a wild cut, which holds the rest. From both it makes a
reconstruction whose histogram falls into peaks; one of these peaks is the anomaly.
"""

_EXAMPLES = f"""\
a first walk, about ten minutes on two processor cores:
  {PROGRAM} demo demo
  {PROGRAM} train demo/manifest.csv --name first --preset teaching
  {PROGRAM} segment first demo/manifest.csv -o masks
  {PROGRAM} evaluate demo/manifest.csv --run first -o scores

{PROGRAM} VERB --help explains a verb. Research software, not a medical device.
"""


VERBS = (demo, index, train, segment, evaluate, study, crossval, report, run, app)


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line.

    A verb's parser adds its options once it parses, since some import what other verbs don't need.
    """

    verb: ModuleType | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self.verb is not None:
            add_flag(self, "--debug", "show where in the program an error arose")
            self.set_defaults(run_verb=self.verb.run)
            self.verb.add(self)
            self.verb = None
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {shortened(message)}; see `{self.prog} --help`.\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog=PROGRAM, description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Formatter
    )
    parser.add_argument("--version", action="version", version=f"ASC-Net Explorer {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in VERBS:
        verbs.add_parser(
            verb.__name__.rpartition(".")[2],
            help=verb.SUMMARY,
            description=verb.DESCRIPTION,
            epilog=verb.EXAMPLES,
            formatter_class=Formatter,
        ).verb = verb
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: this process's) and return its exit status."""
    open_streams()
    debug = False
    try:
        options = _parsed(sys.argv[1:] if arguments is None else list(arguments))
        debug = options.debug
        count = launched()[1]
        if options.verb != "train" and count > 1:
            raise UserError(f"`{options.verb}` is one process's work; start it without torchrun.")
        # Of several processes the launcher ends all; each may be waiting for another, deaf to it.
        with ending_cleanly() if count == 1 else nullcontext(), warnings.catch_warnings():
            if not debug:
                warnings.simplefilter("ignore")  # words of libraries, which help no user
            status = int(options.run_verb(options) or 0)
        sys.stdout.flush()
    except SystemExit as exit_:
        status = int(exit_.code or 0)
        if status == TERMINATED:
            status = _complain("error: ended by a signal.", status, debug)
    except UserError as error:
        status = _complain(f"error: {error}", 2, debug)
    except KeyboardInterrupt:
        status = _complain("error: interrupted.", 1, debug)
    except BrokenPipeError:  # the reader of our output has gone, which is no error of anybody
        status = 1
    except Exception as error:
        sentence = mendable(error)
        if sentence is not None:
            status = _complain(f"error: {sentence}", 2, debug)
        else:
            text = f"error: {type(error).__name__}: {str(error).strip() or 'no further word'}"
            status = _complain(f"{text} (a fault of this program; --debug shows where).", 1, debug)
    let_go_of_output()
    return status


def _parsed(arguments: list[str]) -> argparse.Namespace:
    """The options of a command line; SystemExit where the parser has answered itself."""
    parser = build_parser()
    if not arguments:
        parser.print_help()
        raise SystemExit(2)
    try:
        options = parser.parse_args(arguments)
    finally:
        sys.stdout.flush()  # help that cannot be printed is an error of its own
    options.command_line = [*PROGRAM.split(), *arguments]
    return options


def _complain(line: str, status: int, debug: bool) -> int:
    with suppress(OSError, ValueError):  # stderr has no reader, or lies on a full disk
        if debug:
            traceback.print_exc()
        print(" ".join(shortened(line).split()), file=sys.stderr)
    return status

"""`app`: open the pages in a browser."""

import argparse
import importlib.util
import ipaddress
import os
import re
import sys
import tomllib
from pathlib import Path

from ascnet_core import places
from ascnet_core.commands.options import PROGRAM, add_flag
from ascnet_core.errors import UserError

HERE = "127.0.0.1"
SUMMARY = "open the app in a browser"
DESCRIPTION = f"""\
Serves the pages until Ctrl-C, on this machine alone unless --address says otherwise.
Runs land in {places.RUNS}.

On this machine alone whoever opens the pages may open every file that you may read; a path in a
link is asked about first. With --data, and always with another --address, nothing opens but the
demos, uploads, your runs, and the folders named by --data. There is no login: put the pages behind
one before you let others in.
"""
EXAMPLES = f"""\
examples:
  {PROGRAM} app                     on http://127.0.0.1:8501
  {PROGRAM} app --port 8600 --no-browser
  {PROGRAM} app --address 0.0.0.0 --data /data/study /data/controls
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--port", type=int, default=8501, metavar="N", help="port to serve on (default: 8501)"
    )
    parser.add_argument(
        "--address",
        default=HERE,
        metavar="IP",
        help="address to serve on; 0.0.0.0 for all of the machine's (default: this machine alone)",
    )
    parser.add_argument(
        "--data",
        nargs="+",
        action="extend",
        default=[],
        type=Path,
        metavar="FOLDER",
        help="open these folders and nothing else; may be given several times",
    )
    add_flag(parser, "--no-browser", "serve only; open the address yourself")


def run(options: argparse.Namespace) -> None:
    """Replace this process by the server."""
    if not 1 <= options.port <= 65535:
        raise UserError(f"--port is {options.port}; choose one from 1 to 65535.")
    _check_address(options.address)
    if importlib.util.find_spec("streamlit") is None:
        raise UserError("The app needs streamlit; install it by `pip install streamlit`.")
    command = [sys.executable, "-m", "streamlit", "run", str(places.APP / "app.py")]
    command += ["--server.port", str(options.port), "--server.address", options.address]
    command += ["--server.headless", "true" if options.no_browser else "false"]
    variables = {**os.environ, **_configuration()}
    if options.data:
        variables[places.OPEN_FOLDERS] = os.pathsep.join(map(_open_folder, options.data))
    os.execve(sys.executable, command, variables)


def _open_folder(folder: Path) -> str:
    """A folder of `--data` as the pages take it. Raises UserError where it is none."""
    if not folder.is_dir():
        raise UserError(f"--data {folder} is no folder; name one that holds scans.")
    if os.pathsep in str(folder.resolve()):
        raise UserError(f"--data {folder} has {os.pathsep!r} in its path; rename the folder.")
    return str(folder.resolve())


def _check_address(address: str) -> None:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        if address != "localhost":
            raise UserError(
                f"--address is {address!r}; give an IP address such as {HERE} or 0.0.0.0."
            ) from None


def _configuration() -> dict[str, str]:
    """The app's configuration as variables: Streamlit looks for the file in the current folder."""
    tables = tomllib.loads((places.APP / ".streamlit" / "config.toml").read_text("utf-8"))
    variables = {}
    for table, values in tables.items():
        for key, value in values.items():
            name = re.sub("([A-Z])", r"_\1", f"streamlit_{table}_{key}").upper()
            variables[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return variables

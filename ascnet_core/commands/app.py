"""`app`: open the pages in a browser."""

import argparse
import importlib.util
import os
import re
import sys
import tomllib

from ascnet_core import places
from ascnet_core.commands.options import PROGRAM, add_flag
from ascnet_core.errors import UserError

SUMMARY = "open the app in a browser"
DESCRIPTION = (
    f"Serves the pages on this machine alone (127.0.0.1) until Ctrl-C. Runs land in {places.RUNS}."
)
EXAMPLES = f"""\
examples:
  {PROGRAM} app                     on http://127.0.0.1:8501
  {PROGRAM} app --port 8600 --no-browser
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--port", type=int, default=8501, metavar="N", help="port to serve on (default: 8501)"
    )
    add_flag(parser, "--no-browser", "serve only; open the address yourself")


def run(options: argparse.Namespace) -> None:
    """Replace this process by the server."""
    if not 1 <= options.port <= 65535:
        raise UserError(f"--port is {options.port}; choose one from 1 to 65535.")
    if importlib.util.find_spec("streamlit") is None:
        raise UserError("The app needs streamlit; install it by `pip install streamlit`.")
    command = [sys.executable, "-m", "streamlit", "run", str(places.APP / "app.py")]
    command += ["--server.port", str(options.port)]
    command += ["--server.headless", "true" if options.no_browser else "false"]
    os.execve(sys.executable, command, {**os.environ, **_configuration()})


def _configuration() -> dict[str, str]:
    """The app's configuration as variables: Streamlit looks for the file in the current folder."""
    tables = tomllib.loads((places.APP / ".streamlit" / "config.toml").read_text("utf-8"))
    variables = {}
    for table, values in tables.items():
        for key, value in values.items():
            name = re.sub("([A-Z])", r"_\1", f"streamlit_{table}_{key}").upper()
            variables[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return variables

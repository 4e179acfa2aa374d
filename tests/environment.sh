# Sourced by tests/run, tests/javascript/run and .ci/run from the project's folder. Makes sure of an
# environment with the test requirements and of a browser, and sets `python`.
# shellcheck shell=bash

say() { printf '%s\n' "tests: $*" >&2; }

# need COMMAND PACKAGE...: a command that is missing comes from the system's package manager.
need() {
    local wanted="$1" as_root=()
    shift
    command -v "$wanted" >/dev/null && return
    say "installing $*"
    if [[ "$(id -u)" != 0 ]]; then
        command -v sudo >/dev/null || { say "$wanted is missing; install it as root."; exit 2; }
        as_root=(sudo)
    fi
    command -v apt-get >/dev/null || { say "$wanted is missing; install it."; exit 2; }
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    command -v "$wanted" >/dev/null || { say "$wanted could not be installed."; exit 2; }
}

# --- environment: the active one, the project's own, or a new one ----------------------------------
if [[ -n "${VIRTUAL_ENV:-}" ]]; then
    environment="$VIRTUAL_ENV"
elif [[ -x .venv/bin/python ]]; then
    environment=.venv
else
    environment=.venv-tests
fi
if [[ ! -x "$environment/bin/python" ]]; then
    python="$(command -v python3.11 || command -v python3 || true)"
    [[ -n "$python" ]] || { say "Python 3.11 or newer is needed; install it."; exit 2; }
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { say "$python is older than Python 3.11; install 3.11 or newer."; exit 2; }
    say "making $environment"
    "$python" -m venv "$environment" ||
        { say "python3-venv may be missing: apt-get install python3-venv."; exit 2; }
fi
python="$environment/bin/python"

# Installed once for each content of the requirements.
wanted="$(cat requirements.txt tests/requirements.txt | sha256sum | cut -d' ' -f1)"
mark="$environment/.requirements-$wanted"
if [[ ! -e "$mark" ]]; then
    say "installing the requirements"
    "$python" -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
    touch "$mark"
fi

# --- browser ---------------------------------------------------------------------------------------
need /usr/bin/chromium chromium

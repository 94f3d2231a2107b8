#!/usr/bin/env bash
# setup.sh VENV PIP-ARGUMENTS...: makes the virtual environment VENV and installs into it.
# What only apt can install is installed where this user may, else the command to type is printed.
set -euo pipefail

venv=$1
shift

say() { printf 'setup: %s\n' "$*" >&2; }

suitable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if suitable "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is missing: sudo apt install python3 (Debian 12 or newer)"
    exit 1
}

# apt_install NEED PACKAGE...: the first package that this system knows; fails where it cannot be installed.
apt_install() {
    local why=$1 as=()
    shift
    if ! command -v apt-get >/dev/null; then
        say "$why is missing and this system has no apt: install it with its own package manager"
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            as=(sudo)
        else
            say "$why is missing; type: sudo apt update && sudo apt install $1"
            return 1
        fi
    fi
    say "installing $why with apt"
    "${as[@]}" apt-get update -qq >&2 || say "apt-get update failed; going on with the lists at hand"
    for package in "$@"; do
        if DEBIAN_FRONTEND=noninteractive "${as[@]}" apt-get install -y -qq --no-install-recommends "$package" >&2; then
            return 0
        fi
    done
    say "$why could not be installed; type: sudo apt install $1"
    return 1
}

python=$(find_python)
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    apt_install "Python's venv module" "python$version-venv" python3-venv
fi
# Without perf the kernel's own accounting counts; a sweep says so, so this is no reason to stop.
command -v perf >/dev/null || apt_install "perf" linux-perf linux-tools-generic || true

pmu() { compgen -G '/sys/bus/event_source/devices/cpu*' || compgen -G '/sys/bus/event_source/devices/armv8_*'; } >/dev/null

# Without hardware counters caches are simulated: QEMU runs the programs, valgrind where QEMU cannot, and the compiler
# makes their plugins. Without them too a sweep still times, so again this is no reason to stop.
simulators() {
    command -v "qemu-$(uname -m)" >/dev/null || apt_install "QEMU's user emulation" qemu-user
    command -v valgrind >/dev/null || apt_install "valgrind" valgrind
    command -v cc >/dev/null || apt_install "a C compiler" gcc
    [ -e /usr/include/stdio.h ] || apt_install "the C library's headers" libc6-dev
}
if [ -n "${WITH_SIMULATORS:-}" ] || ! pmu; then simulators || true; fi

# One test boots a machine with a PMU; without these it is skipped with the reason.
virtual_machine() {
    command -v qemu-system-aarch64 >/dev/null || apt_install "QEMU's machine emulation" qemu-system-arm
    command -v fdtput >/dev/null || apt_install "the device tree compiler" device-tree-compiler
    command -v cpio >/dev/null || apt_install "cpio" cpio
    [ -x /sbin/mke2fs ] || apt_install "the file system's tools" e2fsprogs
}
if [ -n "${WITH_VIRTUAL_MACHINE:-}" ]; then virtual_machine || true; fi

# The tests of a report's page need a browser; without one they are skipped with the reason.
browser() {
    local name
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null; then return; fi
    done
    apt_install "a browser" chromium chromium-browser
}
if [ -n "${WITH_BROWSER:-}" ]; then browser || true; fi

# Reports are set as PDF files too; without LaTeX those tests are skipped.
if [ -n "${WITH_LATEX:-}" ] && ! { command -v pdflatex && kpsewhich booktabs.sty; } >/dev/null 2>&1; then
    apt_install "LaTeX" texlive-latex-recommended || true
fi

if [ ! -x "$venv/bin/python" ]; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
say "installing into $venv: $* (the first time this takes a few minutes)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"

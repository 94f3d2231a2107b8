"""pip, run here for another machine: `python pip_for_arch.py MACHINE PYTHON_VERSION PIP_ARGUMENT...`.

pip takes another machine's wheels if told to, but reads the conditions in their requirements ("only on aarch64", "only
before Python 3.12") as if they were for the interpreter that it runs in. Those conditions ask the functions of
`platform` (PEP 508), so these give the other machine's answers.
"""

import platform
import runpy
from sys import argv


def main(machine: str, version: str, *arguments: str) -> None:
    """Run pip with these arguments as if on a machine of this kind, with Python of this version."""
    answers = {
        "machine": lambda: machine,
        "python_version": lambda: version,
        "python_version_tuple": lambda: tuple(version.split(".")),
    }
    for name, answer in answers.items():
        setattr(platform, name, answer)
    argv[:] = ["pip", *arguments]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*argv[1:])

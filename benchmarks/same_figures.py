"""Whether this tree renders the committed studies with the same figures as another commit, to the last digit.

    python -m benchmarks.same_figures COMMIT

renders every study in runs/ and one comparison with both trees, prints what differs, and ends with status 1 if anything
does. Compared are the quantities of report.json, each row of the CSV files, and each number in the tables of report.md.
"""

import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
RUNS = HERE / "runs"
COMPARED = ("pi5-cat-dog-lab", "virtual-pi5", "x86-vm")
NUMBER = re.compile(r"[−-]?\d[\d,.]*(?: [A-Za-zµ%]+)?|n/a")
SHOWN = 20
"""Most differing lines of a file that are printed."""


def main(commit: str) -> int:
    """Print the differences between this tree's figures and those of `commit`; return the exit status, 0 or 1."""
    with tempfile.TemporaryDirectory() as folder:
        before, tree = Path(folder, "before"), Path(folder, "tree")
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, commit], cwd=HERE, check=True)
        try:
            render(tree, before)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=HERE, check=True)
        after = Path(folder, "after")
        render(HERE, after)
        names = sorted(files(before) | files(after))
        return int(sum(differs(before, after, name) for name in names) > 0)


def render(tree: Path, output: Path) -> None:
    """Write the reports of all studies, and of one comparison, as the code in `tree` makes them."""
    command = [sys.executable, "-P", "-m", "profiler.cli"]
    where = ["--runs", str(RUNS), "--output", str(output), "--format", "md,json,csv"]
    studies = sorted(path.name for path in RUNS.iterdir() if (path / "study.json").is_file())
    for words in (*(["report", study] for study in studies), ["compare", *COMPARED]):
        environment = os.environ | {"PYTHONPATH": str(tree)}
        subprocess.run([*command, *words, *where], cwd=tree, env=environment, check=True, stdout=subprocess.DEVNULL)


def files(folder: Path) -> set[str]:
    """Return the paths, within the folder, of the files that hold figures."""
    kinds = ("*/*.csv", "*/report.json", "*/report.md")
    return {str(path.relative_to(folder)) for kind in kinds for path in folder.glob(kind)}


def differs(before: Path, after: Path, name: str) -> bool:
    """Print where the figures of one file differ; return whether they do. A file that is missing has none."""
    old, new = (list(figures(folder / name)) if (folder / name).exists() else [] for folder in (before, after))
    lines = [line for line in difflib.unified_diff(old, new, "before", "after", "", "", 0) if line[0] in "+-"][2:]
    print(f"{name}: {len(new):,} lines of figures, {f'{len(lines)} differ' if lines else 'the same'}")
    print("".join(f"  {line[:160]}\n" for line in lines[:SHOWN]), end="")
    return bool(lines)


def figures(path: Path) -> Iterator[str]:
    """Yield the figures of a file, a line for each quantity, row, or row of a table."""
    text = path.read_text()
    if path.suffix == ".csv":
        yield from text.splitlines()
    elif path.suffix == ".json":
        yield from (json.dumps(quantity, sort_keys=True) for quantity in json.loads(text)["quantities"])
    else:
        yield from (" | ".join(NUMBER.findall(line)) for line in text.splitlines() if line.startswith("|"))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""`profiler check`: what a study's figures are worth."""

from pathlib import Path

import click

from profiler.cli.options import DEGRADED, INVALID, RUNS

_STATUSES = {"valid": 0, "degraded": DEGRADED, "invalid": INVALID}


@click.command()
@click.argument("study", required=False)
@RUNS
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--codes", is_flag=True, help="List all codes and what each means, and look at no study.")
def check(study: str | None, runs: Path, as_json: bool, codes: bool) -> int:
    """Say what the figures of STUDY, or of the newest study, are worth.

    Each run, case and study is valid, degraded or invalid; every finding has a code that does not change. Ends with
    status 0 where the study is valid, 4 where it is degraded, 5 where it is invalid, and 1 where it cannot be read.
    """
    if codes:
        _list_codes(as_json)
        return 0
    from profiler import store
    from profiler.analysis.study_analysis import analyse
    from profiler.cli.terminal import show_verdict
    from profiler.validity.grade import judge
    from profiler.validity.model import plain

    found, made = store.load(store.find(runs, study))
    validity = judge(found, made, analyse(found, made))
    if as_json:
        _print_json({"study": found.name, **plain(validity)})
    else:
        show_verdict(found.name, validity)
    return _STATUSES[validity.grade]


def _list_codes(as_json: bool) -> None:
    from profiler.cli.terminal import show_codes
    from profiler.validity.codes import CODES

    if as_json:
        _print_json({name: code._asdict() for name, code in CODES.items()})
    else:
        show_codes(CODES)


def _print_json(document: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=1))

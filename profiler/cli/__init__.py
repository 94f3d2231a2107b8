"""The command line: parsing and printing, nothing else. What a command needs is imported when it runs."""

import sys
from typing import Any, NoReturn

import click

from profiler import __version__
from profiler.cli.cameras import cameras
from profiler.cli.check import check
from profiler.cli.compare import compare
from profiler.cli.export import export
from profiler.cli.live import live
from profiler.cli.models import models
from profiler.cli.options import CANNOT, INTERRUPTED, RUNS_FAILED, complain
from profiler.cli.report import report
from profiler.cli.sweep import sweep
from profiler.cli.virtual import virtual
from profiler.errors import ProfilerError

__all__ = ["CANNOT", "INTERRUPTED", "RUNS_FAILED", "main"]


class _Group(click.Group):
    """Turns whatever the user can mend into one line of cause and remedy and an exit status, never a traceback."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        try:
            status = super().main(*arguments, **{**options, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "profiler"
            _end(f"{error.format_message().rstrip('.')}: see `{path} --help`", error.exit_code)
        except click.Abort:
            _end("stopped by Ctrl-C: nothing that was not finished is kept", INTERRUPTED)
        except ProfilerError as error:
            _end(str(error), CANNOT)
        except OSError as error:
            where = error.filename or "a file"
            _end(f"{where} cannot be used ({error.strerror}): make room on the disk, or use another folder", CANNOT)
        sys.exit(status if isinstance(status, int) else 0)


def _end(line: str, status: int) -> NoReturn:
    complain(line)
    sys.exit(status)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="profiler")
def main() -> None:
    """What a neural network costs the hardware, and why."""


main.add_command(sweep)
main.add_command(report)
main.add_command(live)
main.add_command(check)
main.add_command(compare)
main.add_command(export)
main.add_command(models)
main.add_command(virtual)
main.add_command(cameras)


@main.command()
@click.option("--events", default="lab", show_default=True, help="The event set to try.")
def doctor(events: str) -> None:
    """Say what this machine can count, what is in the way, and the command that mends it."""
    from profiler.cli.terminal import show_examination
    from profiler.measure.doctor import examine

    show_examination(examine(events))


@main.command()
@click.option("--core", help="A core of the catalogue instead of this machine's, such as cortex-a76.")
def events(core: str | None) -> None:
    """List the events of this machine's core: name, quality, meaning."""
    from profiler.cli.terminal import show_events
    from profiler.machine import events as catalogue
    from profiler.machine.host import describe

    known = catalogue.core(core or describe().uarch)
    show_events(known.title, catalogue.catalogue(known))

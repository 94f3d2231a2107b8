"""`profiler virtual`: boards that are emulated."""

import click


@click.group()
def virtual() -> None:
    """Virtual boards: a Raspberry Pi's own programs, emulated."""


@virtual.command("setup")
@click.argument("board")
@click.option("--keras", is_flag=True, help="With TensorFlow.")
def virtual_setup(board: str, keras: bool) -> None:
    """Set BOARD up (pi5, pi4, pi3) in this user's cache folder, for `profiler sweep --on`."""
    from profiler import virtual as boards

    made = boards.setup(board, keras, click.echo)
    click.echo(f"the virtual {made.title} is set up: `profiler sweep --on {made.key}`")


@virtual.command("list")
def virtual_list() -> None:
    """List the boards that are set up, what is in them and their size."""
    from profiler import virtual as boards
    from profiler.analysis.notation import size

    for board, size_bytes in boards.installed():
        packages = ", ".join(f"{name} {version}" for name, version in board.packages.items())
        click.echo(f"{board.key}: {board.title}, {board.cpu}, {size(size_bytes)}; {packages}")


@virtual.command("remove")
@click.argument("board", required=False)
def virtual_remove(board: str | None) -> None:
    """Remove BOARD, or all of them."""
    from profiler import virtual as boards
    from profiler.analysis.notation import size

    click.echo(f"{size(boards.remove(board))} freed")

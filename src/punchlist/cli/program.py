"""The command `punchlist` itself, which without a verb is `status`."""

import click

from punchlist.cli.commands import Punchlist, examples


@click.group(
    cls=Punchlist,
    name="punchlist",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "punchlist                             # what needs you, with the command to type",
        "punchlist demo                        # see the whole loop, without any key",
        "punchlist init                        # make this git repository a project",
        'punchlist do "Add CSV export"         # plan, show, ask, start, follow',
        "punchlist task create --file task.yaml && punchlist approve T1 && punchlist task start T1 --follow",
    ),
)
@click.option("--version", is_flag=True, help="Print the version, as the verb does.")
@click.pass_context
def punchlist(context: click.Context, *, version: bool) -> int | None:
    """Turn a spec into accepted commits by driving coding agents through plan, build, check, review and rework.

    A program, not a model, keeps the record: accepted means that the engine itself ran the checks in a clean checkout
    of the exact tree that it integrates. Without a verb: status.
    """
    if version:
        _version(context)
        return None
    if context.invoked_subcommand is not None:
        return None
    from punchlist.cli.look import status

    result: object = context.invoke(status)
    return result if isinstance(result, int) else None


def _version(context: click.Context) -> None:
    if context.invoked_subcommand is not None:
        raise click.UsageError("--version stands alone, without a verb", ctx=context)
    from punchlist.cli.about import version

    context.invoke(version)

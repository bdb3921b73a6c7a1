"""The one place where failures become a message and an exit code."""

import sys
from collections.abc import Sequence

import click

from punchlist.cli.session import Session, visible, write_json
from punchlist.errors import DefinitionError, PunchlistError

INTERRUPTED = 130
BROKEN_PIPE = 141  # what a shell reports of any program that SIGPIPE ended


def run(command: click.Group, arguments: Sequence[str]) -> int:
    """Run the command line `arguments` and return its exit code; every failure ends here, said once.

    Expected ones keep the exit code of their class, wrong usage is 2, ^C is 130; all else is a bug: 70 and a report.
    """
    session = Session()
    try:
        with command.make_context("punchlist", list(arguments), obj=session) as context:
            result: object = command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(session)
    except BrokenPipeError:
        return _unread()
    except click.ClickException as error:
        return _say(_usage(error), as_object=session.json or "--json" in arguments)
    except PunchlistError as error:
        return _say(error, as_object=session.json or "--json" in arguments)
    except Exception as error:  # noqa: BLE001 - the edge: whatever is not expected is a bug, and recorded
        return _say(_bug(error, session), as_object=session.json or "--json" in arguments)
    return result if isinstance(result, int) else 0


def _say(error: PunchlistError, *, as_object: bool) -> int:
    if as_object:
        from punchlist.render.failures import failure

        write_json({"ok": False, "error": failure(error)})
    else:
        click.echo(f"{click.style('error', fg='red', bold=True)}: {visible(str(error))}", err=True)
    return error.exit_code


def _usage(error: click.ClickException) -> PunchlistError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = error.format_message()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        message = f"which verb?\n\n{message}\n"
    found = DefinitionError(message, hint=f"Try: {context.command_path} --help" if context else "")
    found.code = "usage"
    return found


def _interrupted(session: Session) -> int:
    if session.attached:
        left = f"\n{visible(session.left)}" if session.left else ""
        click.echo(f"\ndetached: the run goes on; see it with: punchlist status{left}", err=True)
    elif session.left:
        click.echo(f"\ninterrupted: {session.left}", err=True)
    else:
        click.echo("\ninterrupted", err=True)
    return INTERRUPTED


def _unread() -> int:
    """Let go of a reader that went away (`punchlist events | head`), so that the interpreter ends in silence."""
    sys.stdout = None
    return BROKEN_PIPE


def _bug(error: Exception, session: Session) -> PunchlistError:
    from punchlist.service.crashes import reported

    return reported(error, start=session.directory, asked=f"argv: {sys.argv[1:]!r}")

"""Commands as all verbs are made: shared options before and after the verb, examples in the help, loaded when used."""

import importlib
import re
import shlex
from collections.abc import Iterable, Sequence
from typing import cast

import click

from punchlist.cli.session import Session
from punchlist.cli.verbs import SECTIONS, VERBS
from punchlist.errors import DefinitionError


def examples(*lines: str) -> str:
    """Return the epilog of a help text: commands that work as they stand, each with an optional `# remark`."""
    return "Examples:\n" + "\n".join(f"  {line}" for line in lines)


def _enter(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    """Go into a folder, from the one that another -C names, as git does."""
    if value is not None:
        session = context.ensure_object(Session)
        session.directory = session.directory / value
        if not session.directory.is_dir() and not context.resilient_parsing:
            raise click.UsageError(f"-C: there is no folder {session.directory}", ctx=context)


def _as_json(context: click.Context, _parameter: click.Parameter, value: object) -> None:
    if value:
        context.ensure_object(Session).json = True


def _quietly(context: click.Context, _parameter: click.Parameter, value: object) -> None:
    if value:
        context.ensure_object(Session).quiet = True


def _without_colour(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value:
        context.color = False


def _complete(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    """Answer the shell's completion script, which asks by environment variable (see `punchlist completion`)."""
    if value and not context.resilient_parsing:
        from click.shell_completion import shell_complete

        context.exit(shell_complete(context.command, {}, "punchlist", COMPLETE_VARIABLE, value))


COMPLETE_VARIABLE = "_PUNCHLIST_COMPLETE"
_WIDE = 200

SHARED: tuple[click.Option, ...] = (
    click.Option(
        ["-C", "directory"],
        metavar="DIR",
        type=click.Path(file_okay=False),
        callback=_enter,
        expose_value=False,
        help="Work as if called in DIR.",
    ),
    click.Option(["--json"], is_flag=True, callback=_as_json, expose_value=False, help="Print one JSON object."),
    click.Option(["-q", "--quiet"], is_flag=True, callback=_quietly, expose_value=False, help="Show no progress."),
)
_FROM_ENVIRONMENT = (
    click.Option(["--no-colour"], envvar="NO_COLOR", hidden=True, expose_value=False, callback=_without_colour),
    click.Option(
        ["--complete"], envvar=COMPLETE_VARIABLE, hidden=True, expose_value=False, callback=_complete, is_eager=True
    ),
)


class Verb(click.Command):
    """A command that also takes the shared options, and whose arguments are text."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; bytes that are no text are refused, but in the names of files."""
        ctx.meta[_TYPED] = tuple(args)
        left = super().parse_args(ctx, args)
        for each in () if ctx.resilient_parsing else self.get_params(ctx):
            _refuse_bytes(each, ctx)
        return left

    def invoke(self, ctx: click.Context) -> object:
        """Do what was asked; where a project must be named, the refusal gives the same line with each one's name."""
        try:
            return super().invoke(ctx)
        except DefinitionError as error:
            names: Sequence[str] = getattr(error, "names", ())
            if names:
                error.hint = f"Type: {', or '.join(self._with_project(ctx, each) for each in names[:_FEW])}"
            raise

    def _with_project(self, ctx: click.Context, name: str) -> str:
        typed = [shlex.quote(each) for each in ctx.meta[_TYPED]]
        optional = any("--project" in each.opts for each in self.params)
        return " ".join([ctx.command_path, *typed, "--project", name] if optional else [ctx.command_path, name, *typed])

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return its own parameters, then the shared ones."""
        return _with_shared(super().get_params(ctx))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write its own options, then the shared ones apart."""
        _write_options(super().get_params(ctx), ctx, formatter=formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they stand."""
        del ctx
        formatter.write(f"\n{self.epilog}\n")


class Nouns(click.Group):
    """A noun with verbs of its own, such as `task`."""

    command_class = Verb

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return its own parameters, then the shared ones."""
        return _with_shared(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the rest of the usage line."""
        return [*click.Command.collect_usage_pieces(self, ctx), "VERB ..."]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which they are written, which is that of a thing's life."""
        del ctx
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs, then the options."""
        self.format_commands(ctx, formatter)
        _write_options(super().get_params(ctx), ctx, formatter=formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs."""
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl([(name, each.get_short_help_str(_WIDE)) for name, each in self.commands.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they stand."""
        del ctx
        formatter.write(f"\n{self.epilog}\n")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with; an unknown one is refused with the nearest name."""
        known = self.list_commands(ctx)
        if not ctx.resilient_parsing and args and args[0] not in known:
            raise click.UsageError(_unknown(args[0], known), ctx=ctx)
        return super().resolve_command(ctx, args)


class Punchlist(Nouns):
    """The program: its verbs come from the table and are imported when they are used."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the shared options and what is read from the environment."""
        return [*super().get_params(ctx), *_FROM_ENVIRONMENT]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all verbs in the table's order."""
        del ctx  # the table is the same in every context
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a verb."""
        del ctx
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].place.partition(":")
        command: click.Command = getattr(importlib.import_module(f"punchlist.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs by section, from the table alone."""
        del ctx
        for section, verbs in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, verb.help) for name, verb in verbs.items()], col_max=12)


def _refuse_bytes(parameter: click.Parameter, ctx: click.Context) -> None:
    """Refuse a value with bytes that are not UTF-8: Python makes lone surrogates of them, which no record can hold."""
    given: object = ctx.params.get(parameter.name or "")
    for value in cast("Iterable[object]", given) if isinstance(given, list | tuple) else [given]:
        found = _NO_TEXT.search(value) if isinstance(value, str) else None
        if found is not None:
            byte = ord(found[0]) & 0xFF
            message = f"byte 0x{byte:02x} at position {found.start()} is not UTF-8; write the text as UTF-8"
            raise click.BadParameter(message, ctx=ctx, param=parameter)


_TYPED = "punchlist.typed"
_FEW = 3
_NO_TEXT = re.compile("[\ud800-\udfff]")


def _with_shared(own: list[click.Parameter]) -> list[click.Parameter]:
    return [*own[:-1], *SHARED, *own[-1:]]


def _write_options(own: Iterable[click.Parameter], ctx: click.Context, *, formatter: click.HelpFormatter) -> None:
    for title, parameters in (("Options", own), ("Options of every verb", SHARED)):
        options = [each for each in parameters if isinstance(each, click.Option)]
        records = [record for each in options if (record := each.get_help_record(ctx)) is not None]
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


def _unknown(word: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else " `--help` lists them."
    return f"no such verb: {word!r}.{hint}"

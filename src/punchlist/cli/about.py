"""What the program says of itself: `schema`, `completion`, `version`."""

import json

import click

from punchlist.cli.commands import COMPLETE_VARIABLE, Verb, examples
from punchlist.cli.session import Session
from punchlist.cli.views.seen import seen
from punchlist.errors import DefinitionError

SHELLS = ("bash", "zsh", "fish")


@click.command(
    cls=Verb,
    epilog=examples(
        "punchlist schema", "punchlist schema task-file > task.schema.json", "punchlist schema result --json"
    ),
)
@click.argument("name", required=False)
@click.pass_obj
def schema(session: Session, name: str | None) -> None:
    """Print the JSON Schema (2020-12) of a record, or the names of all records."""
    from punchlist.service import schemas

    answer = schemas.schema(name)
    if name is None:
        session.show(answer, lambda shown: "\n".join(seen(list[str], shown["schemas"])))
    else:
        session.show(answer, lambda _: json.dumps(answer["schema"], indent=2))


@click.command(
    cls=Verb,
    epilog=examples(
        'eval "$(punchlist completion bash)"                                          # in ~/.bashrc',
        'eval "$(punchlist completion zsh)"                                           # in ~/.zshrc',
        "punchlist completion fish > ~/.config/fish/completions/punchlist.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_obj
def completion(session: Session, shell: str) -> None:
    """Print the script that completes verbs, options, and the ids of tasks, steps, gates and runs."""
    from click.shell_completion import get_completion_class

    from punchlist.cli.program import punchlist

    kind = get_completion_class(shell)
    if kind is None:
        raise DefinitionError(f"no completion for {shell!r}; allowed: {', '.join(SHELLS)}")
    script = kind(punchlist, {}, "punchlist", COMPLETE_VARIABLE).source()
    session.show({"shell": shell, "script": script}, lambda _: script)


@click.command(cls=Verb, epilog=examples("punchlist version", "punchlist version --json"))
@click.pass_obj
def version(session: Session) -> None:
    """Print the version of this program, and of what it runs on."""
    from punchlist.service import about

    session.show(about.version(), lambda answer: "\n".join(f"{name} {value}" for name, value in answer.items()))

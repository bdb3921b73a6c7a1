"""`punchlist project`: create, list, show, edit."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from punchlist.cli import ids
from punchlist.cli.commands import Nouns, examples
from punchlist.cli.options import EXPECTED, KEY
from punchlist.cli.session import Session
from punchlist.cli.views import places as views
from punchlist.errors import DefinitionError

if TYPE_CHECKING:
    from punchlist.model.json import Json


@click.group(
    cls=Nouns,
    epilog=examples("punchlist project create acme-api --spec spec.md --repo ../acme-api", "punchlist project list"),
)
def project() -> None:
    """A project is a name, a spec and a git repository; tasks belong to one."""


@project.command(
    epilog=examples(
        "punchlist project create acme-api --spec spec.md",
        "punchlist project create acme-api --spec spec.md --repo ../acme-api --base main",
    )
)
@click.argument("name")
@click.option(
    "--spec", metavar="FILE", type=click.Path(path_type=Path), help="A markdown file that says what is wanted."
)
@click.option("--repo", metavar="DIR", help="Its git repository; without it one is made in repos/NAME.")
@click.option("--base", metavar="BRANCH", help="The branch that tasks start from; by default the one checked out.")
@click.option("--title", help="One line for people; by default the name.")
@KEY
@click.pass_obj
def create(
    session: Session,
    *,
    name: str,
    spec: Path | None,
    repo: str | None,
    base: str | None,
    title: str | None,
    key: str | None,
) -> None:
    """Add a project NAME (lower-case letters, digits, hyphens); set-up and test commands are detected and tried."""
    from punchlist.service import flows, inputs, projects

    text = inputs.text_file(session.directory / spec) if spec else ""
    with session.progress as say:
        answer = projects.create(
            session.service, name, spec=text, repo=_within(session, repo), base=base, title=title, key=key, say=say
        )
        flows.check_ahead(session.service)
    session.show(answer, views.created_project)


@project.command("list", epilog=examples("punchlist project list", "punchlist project list --json"))
@click.pass_obj
def listing(session: Session) -> None:
    """List all projects."""
    from punchlist.service import projects

    session.show(projects.listing(session.service), views.projects)


@project.command(epilog=examples("punchlist project show", "punchlist project show acme-api --json"))
@click.argument("name", metavar="[PROJECT]", required=False, shell_complete=ids.PROJECTS)
@click.pass_obj
def show(session: Session, name: str | None) -> None:
    """Show a project; its name may be left out when there is one."""
    from punchlist.service import projects

    session.show(projects.show(session.service, name), views.project)


@project.command(
    epilog=examples(
        "punchlist project edit --spec spec.md",
        "punchlist project edit acme-api --setup 'python3 -m venv .venv' --setup '.venv/bin/pip install -q pytest'",
        "punchlist project edit acme-api --base develop --path .venv/bin",
    )
)
@click.argument("name", metavar="[PROJECT]", required=False, shell_complete=ids.PROJECTS)
@click.option(
    "--spec", metavar="FILE", type=click.Path(path_type=Path), help="A markdown file that says what is wanted."
)
@click.option("--repo", metavar="DIR", help="Its git repository.")
@click.option("--base", metavar="BRANCH", help="The branch that tasks start from.")
@click.option("--title", help="One line for people.")
@click.option(
    "--setup", metavar="COMMAND", multiple=True, help="Makes a fresh folder able to run the checks; repeatable."
)
@click.option(
    "--path", metavar="DIR", multiple=True, help="Put before PATH for set-up, checks and builders; repeatable."
)
@EXPECTED
@KEY
@click.pass_obj
def edit(
    session: Session,
    *,
    name: str | None,
    spec: Path | None,
    repo: str | None,
    base: str | None,
    title: str | None,
    setup: tuple[str, ...],
    path: tuple[str, ...],
    expected_version: int | None,
    key: str | None,
) -> None:
    """Change what is given of a project and leave the rest; runs under way keep what they froze."""
    from punchlist.service import inputs, projects

    given: dict[str, Json] = {
        "spec": inputs.text_file(session.directory / spec) if spec else None,
        "repo": _within(session, repo),
        "base": base,
        "title": title,
        "setup": list(setup) or None,
        "path": list(path) or None,
    }
    changes: dict[str, Json] = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise DefinitionError("nothing to change", hint="Give at least one option, for example: --spec spec.md")
    answer = projects.edit(session.service, name, changes=changes, expected_version=expected_version, key=key)
    session.show(answer, views.project)


def _within(session: Session, folder: str | None) -> str | None:
    """Return a path of the command line as one that does not depend on the current folder."""
    return None if folder is None else str((session.directory / folder).resolve())

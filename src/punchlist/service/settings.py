"""The verb that shows every setting, and where its value came from."""

from typing import TYPE_CHECKING

import msgspec

from punchlist.model.json import plain
from punchlist.model.settings import BUILT_IN, Setting, note, resolved, worker_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from punchlist.model.records import Project
    from punchlist.service.context import Answer, Service


def config(service: "Service") -> "Answer":
    """Return every setting as `{key, value, source, note}`; what projects say of policy is the source `project ID`."""
    with service.store.read() as reader:
        projects = reader.projects()
    known = {each.id for each in projects}
    said = [_of_known(each, known) for each in resolved(service.settings)]
    found = [*said, *(each for project in projects for each in _of_project(project))]
    workers = [
        Setting(key=f"workers.{name}.type", value=worker_type(service.settings, name), source="default")
        for name in BUILT_IN
        if name not in service.settings.workers
    ]
    return {"settings": [plain(each) for each in (*found, *workers)]}


def _of_known(setting: Setting, projects: "Collection[str]") -> Setting:
    """Return a setting; one of a project that there is not says so."""
    table, _, rest = setting.key.partition(".")
    name = rest.partition(".")[0]
    if table != "projects" or name in projects:
        return setting
    return msgspec.structs.replace(setting, note=f"without effect: there is no project {name}")


def _of_project(project: "Project") -> "Iterator[Setting]":
    policy = plain(project.policy)
    for name, value in policy.items() if isinstance(policy, dict) else ():
        key = f"projects.{project.id}.policy.{name}"
        yield Setting(key=key, value=value, source=f"project {project.id}", note=note(key, value))

"""Many processes write documents at the same time, and none of them loses anything."""

from tests.installed import Workspace

MANY = 20


def test_twenty_tasks_created_at_once_are_twenty_tasks(workspace: Workspace) -> None:
    calls = [
        workspace.begun("task", "create", "--file", workspace.write(f"{number}.yaml", task(number)).name, "--json")
        for number in range(MANY)
    ]

    told = [call.communicate() for call in calls]

    assert [call.returncode for call in calls] == [0] * MANY, told
    tasks = workspace.ok("task", "list")["tasks"]
    assert {task["id"] for task in tasks} == {f"T{number}" for number in range(1, MANY + 1)}
    assert {task["title"] for task in tasks} == {f"Task {number}" for number in range(MANY)}
    assert workspace.ok("log", "verify")["problems"] == []
    assert workspace.ok("files", "check")["drift"] == []


def test_of_two_edits_of_the_same_version_one_is_refused(workspace: Workspace) -> None:
    workspace.ok("task", "create", "--file", "task.yaml")
    version = str(workspace.ok("task", "show", "T1")["task"]["version"])

    calls = [
        workspace.begun("task", "edit", "T1", "--title", title, "--expected-version", version)
        for title in ("One", "Other")
    ]
    told = [call.communicate() for call in calls]

    assert sorted(call.returncode for call in calls) == [0, 3], told
    assert workspace.ok("task", "show", "T1")["task"]["title"] in {"One", "Other"}


def task(number: int) -> str:
    return f"title: Task {number}\nsteps: [{{title: One, criteria: [It holds.]}}]\n"

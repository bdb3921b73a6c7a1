"""What an attempt's typed tools are started with, and held against."""

import msgspec
import pytest

from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Role
from punchlist.workers.access import ROLES, access_files, digest_of
from punchlist.workers.settings import Host

HOST = Host(python="/usr/bin/python3", path="/bin")


def files(role: Role) -> dict[str, bytes]:
    return access_files(AttemptId("A7"), role, io="/w/attempts/A7/io", token="secret", host=HOST)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_server_is_told_its_attempt_its_role_and_its_token(role: Role) -> None:
    server = msgspec.json.decode(files(role)["mcp.json"])["mcpServers"]["punchlist"]

    assert [server["command"], *server["args"]] == [
        "/usr/bin/python3", "-I", "-m", "punchlist", "mcp", "--role", role.value,
    ]  # fmt: skip
    assert server["env"] == {
        "PUNCHLIST_ROLE": role.value,
        "PUNCHLIST_ATTEMPT": "A7",
        "PUNCHLIST_ATTEMPT_DIR": "/w/attempts/A7/io",
        "PUNCHLIST_TOKEN": "secret",
    }


def test_what_the_server_is_held_against_does_not_hold_the_token_itself() -> None:
    access = files(Role.QA)["access.json"]

    assert b"secret" not in access
    assert msgspec.json.decode(access) == {
        "schema": "punchlist/access/1",
        "attempt": "A7",
        "role": "qa",
        "token": digest_of("secret"),
    }


@pytest.mark.parametrize("role", sorted(set(Role) - ROLES))
def test_a_role_without_tools_gets_no_server(role: Role) -> None:
    assert files(role) == {}

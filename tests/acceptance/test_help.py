"""What the installed command says of itself."""

import pytest

from tests.installed import Workspace


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["task", "--help"], ["task", "start", "-h"]], ids=" ".join)
def test_help_is_printed_by_the_installed_command(argv: list[str], folder: Workspace) -> None:
    call = folder.punchlist(*argv)

    assert call.code == 0
    assert call.out.startswith("Usage: punchlist")
    assert "Examples:" in call.out
    assert call.err == ""

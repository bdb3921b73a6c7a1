"""Install the wheel as people do, by pip, uv and pipx, into a folder that is thrown away, and run the demo from each.

Usage: try_installs.py UV_VERSION PIPX_VERSION — downloads; prints one line a way and ends with 1 if one does not work.
"""

import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent


def ways(folder: Path, wheel: Path) -> Mapping[str, tuple[Path, Sequence[str | Path]]]:
    """Return for each way the command that it leaves behind, and how it is installed."""
    tools = folder / "tools" / "bin"
    return {
        "pip": (folder / "pip" / "bin", [folder / "pip" / "bin" / "pip", "install", "--quiet", wheel]),
        "uv": (folder / "uv-bin", [tools / "uv", "tool", "install", "--quiet", wheel]),
        "pipx": (folder / "pipx-bin", [tools / "pipx", "install", "--quiet", wheel]),
    }


def main(arguments: Sequence[str]) -> int:
    """Try every way, and say which works."""
    uv, pipx = arguments
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = _wheel(folder)
        for each in ("tools", "pip"):
            venv.create(folder / each, with_pip=True)
        _run([folder / "tools" / "bin" / "pip", "install", "--quiet", f"uv=={uv}", f"pipx=={pipx}"], folder)
        worked = [_works(way, command, folder=folder) for way, command in ways(folder, wheel).items()]
    return 0 if all(worked) else 1


def _works(way: str, command: tuple[Path, Sequence[str | Path]], *, folder: Path) -> bool:
    where, install = command
    works = _run(install, folder) and _run([where / "punchlist", "demo", folder / f"demo-{way}", "-q"], folder)
    print(f"{way}: {'the demo runs' if works else 'FAILED'}")
    return works


def _wheel(folder: Path) -> Path:
    _run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder / "dist"],
        folder,
        cwd=ROOT,
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def _run(command: Sequence[str | Path], folder: Path, *, cwd: Path | None = None) -> bool:
    """Run a command whose tools keep all that they make in the folder; say whether it ended well."""
    settings = {
        "UV_TOOL_DIR": folder / "uv", "UV_TOOL_BIN_DIR": folder / "uv-bin", "UV_CACHE_DIR": folder / "uv-cache",
        "PIPX_HOME": folder / "pipx", "PIPX_BIN_DIR": folder / "pipx-bin", "PIPX_MAN_DIR": folder / "pipx-man",
    }  # fmt: skip
    words = [f"{name}={value}" for name, value in settings.items()]
    ran = subprocess.run(["env", *words, *command], cwd=cwd or folder, capture_output=True, check=False, text=True)
    if ran.returncode != 0:
        print(ran.stdout + ran.stderr)
    return ran.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

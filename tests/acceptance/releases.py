"""Source distributions of released packages, from the package registry by its ordinary client, kept in a cache."""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "releases"


def unpacked(name: str, version: str, *, sha256: str, into: Path) -> Path:
    """Unpack a release below `into` and return its folder; its archive is the one with that hash, or nothing is."""
    archive = CACHE / f"{sha256}.tar.gz"
    if not archive.exists():
        _fetch(f"{name}=={version}", name, to=archive)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert found == sha256, f"{name} {version}: the archive has sha256 {found}"
    into.mkdir(parents=True, exist_ok=True)
    # By the program: the module's filters are not in the Python of Debian 12, and later ones demand them.
    subprocess.run(["tar", "-xzf", archive, "-C", into], check=True)
    (folder,) = into.iterdir()
    return folder


def _fetch(requirement: str, name: str, *, to: Path) -> None:
    """Download one source distribution without installing anything."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent) as folder:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
        what = ["--no-deps", "--no-binary", name, "--dest", folder, requirement]
        subprocess.run([*pip, "download", *what], check=True)
        (file,) = Path(folder).iterdir()
        file.replace(to)

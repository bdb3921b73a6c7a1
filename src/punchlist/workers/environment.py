"""The environment of an attempt, built from nothing."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from punchlist.model.jobs import Role
from punchlist.ports import Launch

NETWORK = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
AGENTS = frozenset({Role.PLANNER, Role.BUILDER, Role.QA, Role.NODE})
MARK = "PUNCHLIST_ATTEMPT_DIR"
"""The variable that marks every process of an attempt: its value is a path, so it is unique across workspaces."""


def environment(launch: Launch, environ: Mapping[str, str], *, io: Path) -> dict[str, str]:
    """Return all that the process gets to see of any environment; `environ` is the engine's.

    PATH, LANG, TERM, HOME, PWD, proxies and certificates, the names passed through (as they were where the run was
    started, else as the engine has them; one that neither has is left out), the values set by the worker and then by
    the launch, secrets, and at last the engine's own PUNCHLIST_ names, which nothing overrides. TMPDIR is not set:
    sockets in a deep folder would break programs.
    """
    passed = {
        name: (launch.listed if name in launch.listed else environ)[name]
        for name in launch.invocation.pass_env
        if name in launch.listed or name in environ
    }
    return {
        "PATH": search_path(launch.path, launch.search or environ.get("PATH") or os.defpath, cwd=launch.cwd),
        "LANG": environ.get("LANG") or "C.UTF-8",
        "TERM": "dumb",
        **_home(launch, environ),
        **{name: environ[name] for name in (*NETWORK, *CERTIFICATES) if name in environ},
        **passed,
        **launch.invocation.env,
        **launch.env,
        **launch.secrets,
        "PWD": str(launch.cwd),
        **_own(launch, io),
    }


def search_path(before: Sequence[str], path: str, *, cwd: Path) -> str:
    """Return `path` with the entries of `before` put first, relative ones meaning folders of `cwd`."""
    return os.pathsep.join([*(str(cwd / entry) for entry in before), path])


def _home(launch: Launch, environ: Mapping[str, str]) -> dict[str, str]:
    if launch.home is not None:
        return {"HOME": str(launch.home)}
    return {"HOME": environ["HOME"]} if "HOME" in environ else {}


def _own(launch: Launch, io: Path) -> dict[str, str]:
    own = {"PUNCHLIST_ATTEMPT": launch.attempt, MARK: str(io)}
    if launch.role in AGENTS:
        own |= {
            "PUNCHLIST_ROLE": launch.role,
            "PUNCHLIST_PROMPT": str(io / "prompt.md"),
            "PUNCHLIST_PACK": str(io / "pack.json"),
            "PUNCHLIST_RESULT": str(io / "result.json"),
        }
    return own

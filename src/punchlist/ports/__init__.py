"""What the service and the runtime ask of the outside, as Protocols over model values."""

from punchlist.ports.engine import Engine, EngineStatus, Watch
from punchlist.ports.files import Files
from punchlist.ports.leftovers import Leftovers
from punchlist.ports.outside import Clock, Ids, Notifier, Programs
from punchlist.ports.store import Compare, Reader, Store, Writer
from punchlist.ports.workers import (
    Examinable,
    Examined,
    Exit,
    Invocation,
    Launch,
    Listed,
    Lost,
    Processes,
    Worker,
    WorkerRequest,
)
from punchlist.ports.workspace import Left, Merged, SetupNeed, Workspace

__all__ = [
    "Clock",
    "Compare",
    "Engine",
    "EngineStatus",
    "Examinable",
    "Examined",
    "Exit",
    "Files",
    "Ids",
    "Invocation",
    "Launch",
    "Left",
    "Leftovers",
    "Listed",
    "Lost",
    "Merged",
    "Notifier",
    "Processes",
    "Programs",
    "Reader",
    "SetupNeed",
    "Store",
    "Watch",
    "Worker",
    "WorkerRequest",
    "Workspace",
    "Writer",
]

"""Workers, each in its module behind one registry, and the one place that starts processes."""

from punchlist.workers.registry import TO_COME, WORKERS, make_worker, worker_type
from punchlist.workers.settings import Host

__all__ = ["TO_COME", "WORKERS", "Host", "make_worker", "worker_type"]

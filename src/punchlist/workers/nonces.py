"""What a wrapper alone is told, and says with its record, so that nothing else can say in its name how a command ended.

Three values, each the hash of the one before: the first is said with exit 0, the second with any other exit, and the
third, the digest, is in the log before the process starts. Who reads a record that says a failure cannot make a success
of it, and who reads the log can make neither.
"""

import hashlib
import hmac
from typing import NamedTuple

from punchlist.model.ids import AttemptId

_LENGTH = 32


class Nonces(NamedTuple):
    """What one wrapper says of a success and of a failure, and the digest by which both are known."""

    success: str
    failure: str
    digest: str


def nonces_of(key: bytes, attempt: AttemptId) -> Nonces:
    """Return the nonces of an attempt; `key` is the engine's own, and is nowhere but in its memory."""
    success = hmac.digest(key, attempt.encode(), "sha256").hex()[:_LENGTH]
    failure = _hash(success)
    return Nonces(success, failure, _hash(failure))


def is_known(nonce: str, *, code: int, digest: str) -> bool:
    """Say whether a record with this exit code is its wrapper's, by the digest that was recorded at the start."""
    failure = _hash(nonce) if code == 0 else nonce
    return hmac.compare_digest(_hash(failure), digest)


def _hash(nonce: str) -> str:
    return hashlib.sha256(nonce.encode()).hexdigest()[:_LENGTH]

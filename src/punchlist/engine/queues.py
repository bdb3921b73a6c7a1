"""The persistent queue: first in, first out, with entries that can be dropped from the middle."""

from collections.abc import Iterator
from typing import TypeVar

from punchlist.model.state import Queue

T = TypeVar("T")


def push(queue: Queue[T], entry: T) -> tuple[Queue[T], int]:
    """Return the queue with `entry` at its end, and the ticket that drops it."""
    return Queue(queue.entries.set(queue.last, entry), queue.first, queue.last + 1), queue.last


def insert(queue: Queue[T], ticket: int, *, entry: T) -> Queue[T]:
    """Return the queue with `entry` at the place of a ticket of one's own choice."""
    first = min(queue.first, ticket) if queue.entries else ticket
    return Queue(queue.entries.set(ticket, entry), first, max(queue.last, ticket + 1))


def drop(queue: Queue[T], ticket: int) -> Queue[T]:
    """Return the queue without the entry of `ticket`; the cost does not grow with the queue."""
    if ticket not in queue.entries:
        return queue
    entries = queue.entries.delete(ticket)
    first = queue.first
    while first < queue.last and first not in entries:
        first += 1
    return Queue(entries, first, queue.last)


def head(queue: Queue[T]) -> T | None:
    """Return the oldest entry, or None."""
    return queue.entries.get(queue.first)


def in_order(queue: Queue[T]) -> Iterator[tuple[int, T]]:
    """Yield tickets and entries, the oldest first; the cost grows with how far it is looked."""
    for ticket in range(queue.first, queue.last):
        if ticket in queue.entries:
            yield ticket, queue.entries[ticket]

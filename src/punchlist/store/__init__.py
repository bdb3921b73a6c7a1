"""The workspace's state in SQLite, and the hash-chained log in it."""

from punchlist.store.sqlite import SqliteStore, create_store, open_store

__all__ = ["SqliteStore", "create_store", "open_store"]

"""The one loop: take, decide, commit, perform, record; and the engine's lock, seen from inside and outside."""

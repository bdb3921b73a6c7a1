"""What each kind of node does, one module a kind."""

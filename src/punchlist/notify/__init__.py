"""Those outside who are told how runs fare."""

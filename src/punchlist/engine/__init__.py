"""The pure core: commands and outcomes in, sealed events out; state is a fold of them."""

"""How every bundled weight and sample was made: one command each."""

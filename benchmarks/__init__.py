"""Speed, measured; figures differ from machine to machine, so each command prints its own."""

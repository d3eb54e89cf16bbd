"""The paper's experiments, a command each: its tables on the data sets that it used."""

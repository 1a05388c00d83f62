"""What is kept: verdicts under their keys, the gradebook, the roster, how a run went."""

"""A class's submissions come in, here or on many machines; all of them leave marked and kept."""

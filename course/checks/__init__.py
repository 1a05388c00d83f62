"""The hidden checks, one module per lab; each defines a :class:`proctor.checks.Lab` named ``lab``."""

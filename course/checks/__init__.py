"""The hidden checks, one module a lab; each defines a :class:`proctor.checks.Lab` named ``lab``."""

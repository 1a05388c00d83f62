"""In: words on a command line. Out: what the rooms below make of them, said on a screen.

A module for each kind: ``author`` makes a lab, ``marking`` marks, ``telling`` hands the marks over.
"""

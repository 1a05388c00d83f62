"""What lies beneath ``utils.py`` and ``public_tests.py``: how a check asks, judges and tells.

One module per exercise (``softmax``, ``model``, ... ``photo``) holds its misconceptions and the table
``CHECKS`` of its public checks. Beneath them: ``findings`` (how a finding is told), ``words`` (values
as text), ``asking`` (calls of the student's code), ``student`` (whom a check asks), ``cells`` (code of
graded cells), ``inside`` (what is asked where the student's objects live), ``descriptions`` (models
as plain data). Beneath ``utils.py``: ``loading``, ``messages``, ``pictures``, ``drawing``, ``training``.
"""

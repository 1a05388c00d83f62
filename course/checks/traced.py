"""Runs in the student's kernel before the student's code: what of a library a function calls."""

import sys


def library_calls(function, names, arguments):
    """Call a function; return which functions of these names it called that are a library's.

    Under whatever name the student's code has them, and however it came by them.

    Returns
    -------
    list of str
        ``module.name`` of each, in the order of their calls.
    """
    found = []

    def look(frame, event, called):
        if event == "call" and frame.f_code.co_name in names:
            if "site-packages" in frame.f_code.co_filename:
                found.append(f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}")
        elif event == "c_call" and getattr(called, "__name__", "") in names:
            found.append(f"{called.__module__}.{called.__name__}")

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        function(*arguments)
    finally:
        sys.setprofile(before)
    return list(dict.fromkeys(found))

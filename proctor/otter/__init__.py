"""An otter-assign notebook comes in; the same as nbgrader's source notebook goes out."""

"""A master comes in; notebooks, releases, Gradescope's zip and tried checks go out."""

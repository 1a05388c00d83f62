"""What commands have imported and looked up before they begin, in the process that they are forked from."""

# ruff: noqa: F401  imported to be there

import nbgrader.apps.nbgraderapp
from sqlalchemy.orm import configure_mappers

import proctor.author.build
import proctor.classroom.grade
import proctor.cli
import proctor.nbgrader_plugin
import proctor.record.read_results
import proctor.tell.class_table
import proctor.tell.export_marks
import proctor.tell.report
from proctor.examine.versions import installed

configure_mappers()
installed()

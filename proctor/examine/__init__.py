"""A `Submission` comes in, a `Verdict` goes out, judged outside the student's process."""

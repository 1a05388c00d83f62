"""What people hand in and write, read: bytes come in, a `Submission`, a roster or a master's cells go out."""

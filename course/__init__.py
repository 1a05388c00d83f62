"""What is taught and how it is marked: the lab's master, its data, its hidden checks."""

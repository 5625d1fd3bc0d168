"""What holds a piece of work together: the files, and what they are."""

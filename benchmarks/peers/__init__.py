"""What is usually tried first, behind the contract of every recogniser, to be compared with."""

"""`python -m coldshelf.entrypoints` is the command line."""

from coldshelf.entrypoints.cli import main

if __name__ == "__main__":
    main()

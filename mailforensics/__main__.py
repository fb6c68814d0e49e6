"""``python -m mailforensics``: the same as the command ``mailforensics``."""

from mailforensics.cli import main

if __name__ == "__main__":
    main()

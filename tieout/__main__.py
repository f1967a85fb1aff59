"""python -m tieout"""

from __future__ import annotations


def main() -> None:
    """The command `tieout`."""
    from tieout.cli.main import run

    run()


if __name__ == "__main__":
    main()

"""A door to what has moved: python -m alerts [backtest] is python -m warehouse alerts, or backtest."""

import sys

from warehouse.__main__ import leave, main

if __name__ == "__main__":
    given = sys.argv[1:]
    command = given if given[:1] == ["backtest"] else ["alerts", *given]
    print(
        f"python -m alerts is now: python -m warehouse {command[0]}. The old name goes with the next release.",
        file=sys.stderr,
    )
    leave(main(command))

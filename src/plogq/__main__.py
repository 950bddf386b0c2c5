"""The command line, as `python -m plogq`."""

from plogq.cli import main

if __name__ == "__main__":  # a worker of another process imports this file under another name
    main()

"""`mien` as a program to be killed: it tells every step on stdout, saves every seventh, and waits for a line on stdin after the first
and before the last, so that it is there for as long as somebody needs it.
"""

import os
import sys

import torch

from mien.cli import main
from mien.train import Event, Every, Fitted, fit, session


def told(task, out, **settings) -> Fitted:
    def tell(event: Event) -> None:
        if event.kind == "step":
            print(event.step, file=sys.__stdout__, flush=True)  # sys.stdout is for the result alone
            if event.step in (1, settings["steps"] - 1):
                sys.stdin.readline()

    return fit(task, out, **settings | {"save": Every(steps=7), "on_event": tell})


if __name__ == "__main__":
    torch.set_num_threads(1)
    os.fsync = lambda _: None  # it is the process that dies, not the machine
    session.fit = told
    sys.exit(main(sys.argv[1:]))

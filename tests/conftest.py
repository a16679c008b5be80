"""Shared by all tests: one thread, no network, and the folder of real data where it exists."""

import os
import signal
from pathlib import Path

import pytest
import torch
from hypothesis import settings

ROOT = Path(__file__).parents[1]

settings.register_profile("mien", derandomize=True, deadline=None)  # the same cases every time, however slow the machine
settings.load_profile("mien")


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_works() -> None:
    """A shell starts background jobs with SIGINT ignored; tests that send it expect Python's own handler."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with real pictures, clips and data sets; the test is skipped where there is none."""
    places = [os.environ.get("MIEN_TEST_DATA"), ROOT.parent / "shared" / "data", ROOT / "shared" / "data"]
    for place in places:
        if place and Path(place).is_dir():
            return Path(place)
    pytest.skip("the folder of real data is not here (set MIEN_TEST_DATA)")

"""Frames that a driver sends while something happens to its simulated board."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hwgen.verify.board_sim import SimulatedBoard


def answers_while(accelerator: Any, codes: np.ndarray, disturb: Callable[[], None]) -> np.ndarray:
    """What ``accelerator`` answers to ``codes`` while ``disturb`` is at work."""
    answers: list[np.ndarray] = []
    work = threading.Thread(target=lambda: answers.append(accelerator.run_codes(codes)))
    work.start()
    disturb()
    work.join()
    return answers[0]


def press_reset_often(board: SimulatedBoard) -> None:
    """Three times, with some time in between to start a frame."""
    for _ in range(3):
        board.press_reset()
        time.sleep(0.05)

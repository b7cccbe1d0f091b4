"""A value that follows its target as a head follows a wish: without a jump and without overshoot."""

from __future__ import annotations

import math
from dataclasses import dataclass

STEP_S = 0.02


@dataclass(slots=True)
class Spring:
    """Critically damped, advanced by 20 ms. `pace` in 1/s: two thirds of the way are gone after some 2/pace seconds."""

    pace: float
    value: float = 0.0
    speed: float = 0.0
    """Per second; a step of the target by 1 makes it at most pace/e."""

    def towards(self, target: float) -> None:
        """20 ms later, exactly, had the target been there all the time."""
        away = self.value - target
        drive = (self.speed + self.pace * away) * STEP_S
        fade = math.exp(-self.pace * STEP_S)
        self.value = target + (away + drive) * fade
        self.speed = (self.speed - self.pace * drive) * fade

"""All written movement, registered: import from here and every label's functions are known."""

from __future__ import annotations

from training.render import (
    actions_body,
    actions_fight,
    actions_gym,
    actions_hands,
    actions_ride,
    actions_sport,
)
from training.render.actions import ACTIONS, Action, written

__all__ = ["ACTIONS", "MODULES", "Action", "written"]

MODULES = (actions_body, actions_fight, actions_gym, actions_hands, actions_ride, actions_sport)

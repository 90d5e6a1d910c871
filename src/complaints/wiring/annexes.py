"""The annexes of the program, with their settings from the environment."""

import os

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from complaints.api.feature import Annexes, Feature
from complaints.features.registry import FEATURES
from complaints.settings import Settings, describe_faults, describe_unknown
from complaints.tmf621.app import MESSAGE_FORMS
from complaints.wiring.not_ready import NotReady


def open_annexes(features: tuple[Feature, ...] = FEATURES) -> Annexes:
    """The annexes with their settings from the environment, and the forms that faces add to messages.

    Raises NotReady for a setting that is not valid.
    """
    kinds = [feature.settings for feature in features if feature.settings is not None]
    return Annexes(features, {kind: _read_settings(kind) for kind in kinds}, MESSAGE_FORMS)


def declared_annexes() -> Annexes:
    """The annexes without their settings: for what they declare."""
    return Annexes(FEATURES, message_forms=MESSAGE_FORMS)


def describe_unknown_settings(annexes: Annexes) -> list[str]:
    """A line for each variable of the environment that looks like a setting and is none."""
    return list(describe_unknown(os.environ, [Settings, *annexes.settings]))


def _read_settings(kind: type[BaseSettings]) -> BaseSettings:
    try:
        return kind()
    except ValidationError as error:
        raise NotReady(describe_faults(error, kind.model_config.get("env_prefix", ""))) from error

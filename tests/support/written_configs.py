"""This module reads the questions of configs that `init` has written, and answers them."""

from __future__ import annotations

import re
from typing import Any

import yaml

from rollsignal.config.settings import JobConfig
from rollsignal.config.writing import as_yaml

OPEN = re.compile(r"^ *(?!columns|table)(\w+):$", re.MULTILINE)
# What a setting is that nobody gives, by its key.
USUAL = {
    name.rpartition(".")[2]: as_yaml(value)
    for name, value in JobConfig(42, 5, "v1").plain_by_name().items()
    if name.partition(".")[0] not in ("checks", "evaluate")
}


def asked_about(text: str) -> dict[str, list[str]]:
    """Return the alternatives of each question of a config, by the key of the setting."""
    asked: dict[str, list[str]] = {}
    for line in re.findall(r"^ *#   (\w+: .*?) {4}\(", text, re.MULTILINE):
        for key, value in answers_in(yaml.safe_load(line)).items():
            asked.setdefault(key, []).append(value)
    return asked


def left_open(text: str) -> list[str]:
    """Return the settings without a value."""
    return OPEN.findall(text)


def answers_in(settings: dict[str, Any]) -> dict[str, str]:
    """Return the settings of a recipe by their keys, as YAML."""
    answers: dict[str, str] = {}
    for name, value in settings.items():
        inside = value if name in ("columns", "table") else {name: value}
        answers |= {key: as_yaml(each) for key, each in inside.items()}
    return answers


def answered(text: str, answers: dict[str, str], asked: dict[str, list[str]]) -> str:
    """Write the recipe's answers into a config: where a value is open, or as a comment."""
    for key in asked:
        if key in left_open(text):
            text = re.sub(rf"^( *){key}:$", rf"\1{key}: {answers[key]}", text, flags=re.MULTILINE)
            continue
        # As people do: without the sign of a comment, and without what is said of the value.
        line = rf"^( *)#   (.*\b{key}: {re.escape(answers[key])}}}?) {{4}}\(.*$"
        text = re.sub(line, r"\1\2", text, flags=re.MULTILINE)
    return text

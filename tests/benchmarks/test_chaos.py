"""The rules of the chaos proof: who is killed when, what a recovery is, and what compose gives to its processes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
import yaml

from benchmarks.chaos.rules import Shot, Success, plan_shots, recovery, share
from benchmarks.chaos.shape import COMPOSE, KINDS, given
from settings import Settings


def test_every_kind_is_shot_about_equally_often_and_the_same_seed_shoots_the_same() -> None:
    shots = list(plan_shots(KINDS, Random(7), seconds=600, pauses=(3, 7)))

    times = Counter(shot.kind for shot in shots)
    assert shots == list(plan_shots(KINDS, Random(7), seconds=600, pauses=(3, 7)))
    assert set(times) == set(KINDS)
    assert max(times.values()) - min(times.values()) <= 1
    assert all(3 <= later.at - earlier.at <= 7 for earlier, later in pairwise(shots))
    assert shots[-1].at < 600


def test_a_recovery_counts_only_what_was_begun_after_the_shot() -> None:
    successes = [Success(9, 10.5), Success(10.5, 14), Success(11, 12.5)]

    assert recovery(Shot(10, "web"), successes) == 2.5
    assert recovery(Shot(20, "web"), successes) is None
    assert [share([4, 1, 3, 2], part) for part in (0.5, 0.95, 1)] == [2, 4, 4]


REQUIRED = {
    "AFTERCARE_DATABASE_URL": "postgresql://aftercare@db/aftercare",
    "AFTERCARE_SECRET_KEY": "a key of 16 letters or more",
    "AFTERCARE_PUBLIC_URL": "https://service.example.com",
    "AFTERCARE_METRICS_TOKEN": "a-token-of-16-letters",
    "AFTERCARE_ALARM_ADDRESS": "json://alarms.example.com",
    "PREFECT_AUTH": "admin:secret",
}


def test_what_compose_requires_must_be_given_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    section = yaml.safe_load(COMPOSE.read_text("utf-8"))["x-aftercare"]

    for name, value in given(section, REQUIRED).items():
        monkeypatch.setenv(name, value)

    settings = Settings()
    assert settings.sms == "twilio"
    assert settings.sendgrid_from is None
    assert settings.smtp_port == 587
    for name in REQUIRED:
        with pytest.raises(KeyError):
            given(section, {other: value for other, value in REQUIRED.items() if other != name})

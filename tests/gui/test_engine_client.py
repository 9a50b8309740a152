"""The service's client, against a real process that speaks the protocol."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from napari_semimedref.engine_client import Answer, EngineClient

SERVICE = str(Path(__file__).with_name("small_service.py"))
PATIENCE = 20.0


@pytest.fixture
def client(tmp_path):
    client = EngineClient([sys.executable, SERVICE, str(tmp_path)], tmp_path / "service.log")
    yield client
    client.close()


def heard(client: EngineClient, count: int = 1) -> list[Answer]:
    answers: list[Answer] = []
    deadline = time.monotonic() + PATIENCE
    while len(answers) < count:
        assert time.monotonic() < deadline, "the service did not answer"
        answers += client.drain()
        time.sleep(0.005)
    return answers


def test_a_prediction_comes_back_with_its_arrays_and_its_file_is_gone(client, tmp_path):
    client.ask("predict", case="case_001", description="lower left lung")
    (answer,) = heard(client)
    assert answer.ok
    assert answer.request == {"case": "case_001", "description": "lower left lung"}
    assert answer.arrays["probability"].shape == (32, 32)
    assert answer.arrays["probability"][22, 6] > 0.5
    assert not list(client._exchange.glob("*.npz"))


def test_only_the_newest_of_many_requests_is_answered(client):
    client.ask("predict", case="a", description="slow")
    for number in range(5):
        client.ask("predict", case="a", description=f"words {number}")
    (answer,) = heard(client)
    assert answer.request["description"] == "words 4"
    assert not client.busy


def test_requests_of_other_kinds_do_not_replace_each_other(client):
    client.ask("predict", case="a", description="left")
    client.ask("views", case="a", partner=None, description="left", seed=0, epoch=0)
    client.ask("reload")
    assert sorted(answer.do for answer in heard(client, 3)) == ["predict", "reload", "views"]


def test_a_refusal_is_a_sentence(client):
    client.ask("predict", case="a", description="refuse")
    (answer,) = heard(client)
    assert not answer.ok
    assert answer.error == "There is no such case."


def test_a_killed_service_is_started_again_for_the_next_request(client):
    client.ask("predict", case="a", description="left")
    first = heard(client)[0].fields["process"]
    os.kill(first, signal.SIGKILL)
    client.ask("predict", case="a", description="right")
    (answer,) = heard(client)
    assert answer.ok
    assert answer.fields["process"] != first
    assert answer.arrays["probability"][22, 24] > 0.5


def test_a_request_that_was_under_way_when_the_service_was_killed_is_asked_again(client):
    client.ask("predict", case="a", description="left")
    first = heard(client)[0].fields["process"]
    client.ask("predict", case="a", description="slow")
    os.kill(first, signal.SIGKILL)
    (answer,) = heard(client)
    assert answer.ok
    assert answer.request["description"] == "slow"


def test_a_request_that_always_kills_the_service_ends_in_a_sentence(client):
    client.ask("predict", case="a", description="die")
    (answer,) = heard(client)
    assert "ended unexpectedly" in answer.error
    client.ask("predict", case="a", description="left")
    assert heard(client)[0].ok


def test_closing_ends_the_process_and_removes_the_exchange(client):
    client.ask("predict", case="a", description="left")
    heard(client)
    exchange, process = client._exchange, client.process_id
    client.close()
    assert not exchange.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_service_that_cannot_start_ends_in_a_sentence(tmp_path):
    client = EngineClient([sys.executable, "-c", "raise SystemExit(1)"], tmp_path / "log")
    client.ask("reload")
    (answer,) = heard(client)
    assert str(tmp_path / "log") in answer.error
    client.close()

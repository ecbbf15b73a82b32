"""What a load balancer asks."""

import pytest

pytestmark = pytest.mark.django_db


def test_a_living_process_says_so(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.content == b"alive\n"


def test_readiness_names_the_part_that_does_not_answer(client):
    answer = client.get("/readyz")  # In tests there is no broker.
    assert answer.status_code == 503
    assert answer.json() == {"database": "answers", "broker": "does not answer", "storage": "answers"}


def test_health_is_only_looked_at(client):
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405
    assert client.post("/readyz").status_code == 405

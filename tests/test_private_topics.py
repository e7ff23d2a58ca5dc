"""Names of private topics that policies and functions may mean."""

import pytest

from fixtures.private_topics import beginnings, topics_of

IDS = {"user": "u-1", "job": "j-1"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("realtime.topic() ~~ 'user:%'::text", "user:u-1"),
        ("split_part(realtime.topic(), ':'::text, 1) = 'user'::text", "user:u-1"),
        ("PERFORM realtime.send(x, 'job', 'jobs/' || NEW.job_id, true)", "jobs/j-1"),
        ("realtime.topic() ~~ '%-private'::text AND left(realtime.topic(), 4) = 'room'", "room-u-1"),
        ("split_part(realtime.topic(), '.', 2) = 'jobs'", "u-1.jobs"),
        ("extension = 'broadcast'", "u-1"),
    ],
)
def test_a_topic_is_made_of_the_literals(text: str, wanted: str) -> None:
    assert wanted in dict(topics_of([text], IDS))


def test_names_in_findings_hold_no_ids() -> None:
    assert dict(topics_of(["'user:%'"], IDS))["user:u-1"] == "user:{user}"


def test_what_is_no_name_begins_no_topic() -> None:
    assert beginnings(["'%'", "':'", "'two words'", "'it''s'"]) == []


def test_without_literals_there_is_no_topic() -> None:
    assert not list(topics_of(["true"], IDS))

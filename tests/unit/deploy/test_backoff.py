"""How long a restart waits."""

from deploy.local.backoff import Backoff


def test_the_wait_doubles_from_a_quarter_of_a_second_to_thirty() -> None:
    backoff = Backoff()
    assert [backoff.after(0.1) for _ in range(9)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_ten_seconds_of_health_starts_over() -> None:
    backoff = Backoff()
    for _ in range(4):
        backoff.after(0.1)
    assert [backoff.after(10.0), backoff.after(9.9)] == [0.25, 0.5]

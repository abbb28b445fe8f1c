"""Guessing passwords is slowed down by name and all together."""

from hub.jupyter.attempts import ALL_FAILURES, NAME_FAILURES, NAMES_KEPT, WINDOW_SECONDS, Attempts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_door_shuts_at_the_limit_and_not_before() -> None:
    attempts = Attempts(Clock())
    for _ in range(NAME_FAILURES - 1):
        attempts.failed("ana")
    assert not attempts.must_wait("ana")
    attempts.failed("ana")
    assert attempts.must_wait("ana")
    assert not attempts.must_wait("ben")


def test_it_opens_again_when_the_window_has_passed() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(NAME_FAILURES):
        attempts.failed("ana")
    clock.now += WINDOW_SECONDS - 1
    assert attempts.must_wait("ana")
    clock.now += 1
    assert not attempts.must_wait("ana")


def test_a_sign_in_forgets_the_failures_of_that_name() -> None:
    attempts = Attempts(Clock())
    for _ in range(NAME_FAILURES - 1):
        attempts.failed("ana")
    attempts.succeeded("ana")
    attempts.failed("ana")
    assert not attempts.must_wait("ana")


def test_one_password_tried_on_many_names_is_stopped_too() -> None:
    attempts = Attempts(Clock())
    for number in range(ALL_FAILURES):
        attempts.failed(f"name-{number}")
    assert attempts.must_wait("never-seen")


def test_the_common_limit_opens_again_too() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for number in range(ALL_FAILURES):
        attempts.failed(f"name-{number}")
    clock.now += WINDOW_SECONDS
    assert not attempts.must_wait("never-seen")


def test_names_do_not_fill_the_memory() -> None:
    attempts = Attempts(Clock())
    for number in range(NAMES_KEPT + 50):
        attempts.failed(f"name-{number}")
    assert len(attempts._by_name) == NAMES_KEPT

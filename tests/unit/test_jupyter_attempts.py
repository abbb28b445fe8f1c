"""Guessing at one account ends; nobody can shut the door for others."""

from hub.jupyter.attempts import CALM, KEPT, NAME_FAILURES, PAIR_FAILURES, SLOWEST_SECONDS, WINDOW_SECONDS, Attempts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def failed(attempts: Attempts, times: int, *, name: str = "ana", address: str = "198.51.100.1") -> None:
    for _ in range(times):
        attempts.failed(name, address)


def test_the_door_of_an_account_shuts_at_the_limit_and_not_before() -> None:
    attempts = Attempts(Clock())
    failed(attempts, PAIR_FAILURES - 1)
    assert not attempts.must_wait("ana", "198.51.100.1")
    failed(attempts, 1)
    assert attempts.must_wait("ana", "198.51.100.1")
    assert not attempts.must_wait("ben", "198.51.100.1")


def test_guessing_at_an_account_does_not_keep_its_person_out_elsewhere() -> None:
    attempts = Attempts(Clock())
    failed(attempts, PAIR_FAILURES * 5)
    assert not attempts.must_wait("ana", "203.0.113.9")


def test_guessing_from_ever_new_addresses_ends_too() -> None:
    attempts = Attempts(Clock())
    for number in range(NAME_FAILURES):
        failed(attempts, 1, address=f"198.51.100.{number}")
    assert attempts.must_wait("ana", "203.0.113.9")
    assert not attempts.must_wait("ben", "203.0.113.9")


def test_it_opens_again_when_the_window_has_passed() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    failed(attempts, PAIR_FAILURES)
    clock.now += WINDOW_SECONDS - 1
    assert attempts.must_wait("ana", "198.51.100.1")
    clock.now += 1
    assert not attempts.must_wait("ana", "198.51.100.1")


def test_a_sign_in_forgets_the_failures_from_there_and_no_others() -> None:
    attempts = Attempts(Clock())
    failed(attempts, PAIR_FAILURES - 1)
    attempts.succeeded("ana", "198.51.100.1")
    failed(attempts, 1)
    assert not attempts.must_wait("ana", "198.51.100.1")
    failed(attempts, NAME_FAILURES, address="192.0.2.7")
    attempts.succeeded("ana", "198.51.100.1")
    assert attempts.must_wait("ana", "198.51.100.1")


def test_thousands_of_failures_over_all_names_shut_nobody_out_but_slow_everyone_down() -> None:
    attempts = Attempts(Clock())
    for number in range(2_000):
        failed(attempts, 1, name=f"name-{number}", address=f"198.51.{number // 250}.{number % 250}")
    assert not attempts.must_wait("ana", "203.0.113.9")
    assert attempts.delay("203.0.113.9") == SLOWEST_SECONDS


def test_an_address_that_keeps_failing_becomes_slow_and_no_other() -> None:
    attempts = Attempts(Clock())
    for number in range(CALM):
        failed(attempts, 1, name=f"name-{number}")
    assert attempts.delay("198.51.100.1") == 0
    failed(attempts, 5, name="another")
    assert attempts.delay("198.51.100.1") == 0.5
    assert attempts.delay("203.0.113.9") == 0
    failed(attempts, 500, name="another")
    assert attempts.delay("198.51.100.1") == SLOWEST_SECONDS


def test_slowness_ends_with_the_window() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    failed(attempts, 500)
    clock.now += WINDOW_SECONDS
    assert attempts.delay("198.51.100.1") == 0


def test_names_and_addresses_do_not_fill_the_memory() -> None:
    attempts = Attempts(Clock())
    for number in range(KEPT + 50):
        failed(attempts, 1, name=f"name-{number}", address=str(number))
    assert (len(attempts._pairs), len(attempts._names), len(attempts._addresses)) == (KEPT, KEPT, KEPT)

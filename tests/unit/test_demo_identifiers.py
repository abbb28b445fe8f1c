"""The generated identifiers: right check digits, by published examples, and reserved ranges only."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.demo import identifiers as ids


@pytest.mark.parametrize(
    ("body", "check"),
    # The first is the district's own; the second the example that GB 11643 is usually explained with.
    [("99010719800101001", "2"), ("11010519491231002", "X")],
)
def test_citizen_check_digit_is_the_published_one(body: str, check: str) -> None:
    assert ids.citizen_check_digit(body) == check


@pytest.mark.parametrize(("body", "check"), [("91990107MA0000001", "M"), ("91350100M000100Y4", "3")])
def test_credit_check_character_is_the_published_one(body: str, check: str) -> None:
    assert ids.credit_check_character(body) == check


@pytest.mark.parametrize(("body", "check"), [("M000100Y", "4"), ("D2143569", "X")])
def test_organisation_check_character_is_the_published_one(body: str, check: str) -> None:
    assert ids.organisation_check_character(body) == check


@given(born=st.dates(min_value=date(1900, 1, 1), max_value=date(2026, 1, 1)), order=st.integers(1, 999))
def test_citizen_numbers_lie_in_the_reserved_area_and_carry_the_birth_date(born: date, order: int) -> None:
    number = ids.citizen_number(born=born, order=order)
    assert number[:14] == f"990107{born:%Y%m%d}"
    assert number[17] == ids.citizen_check_digit(number[:17])


@given(order=st.integers(1, 999))
def test_a_spoiled_number_differs_in_its_check_digit_alone(order: int) -> None:
    number = ids.citizen_number(born=date(1950, 2, 28), order=order)
    spoiled = ids.spoiled_citizen_number(number)
    assert spoiled[:17] == number[:17]
    assert spoiled[17] != number[17]


@given(serial=st.integers(0, 999_999))
def test_credit_codes_lie_in_the_reserved_area_and_both_checks_hold(serial: int) -> None:
    code = ids.credit_code(serial)
    assert code.startswith("91990107")
    assert code[16] == ids.organisation_check_character(code[8:16])
    assert code[17] == ids.credit_check_character(code[:17])


@given(serial=st.integers(0, 99_999_999))
def test_mobile_numbers_are_eleven_digits_that_no_carrier_hands_out(serial: int) -> None:
    number = ids.mobile_number(serial)
    assert (len(number), number[:3], number.isdigit()) == (11, "120", True)


@given(serial=st.integers(0, 34**5 - 1))
def test_plates_carry_the_letter_that_is_never_issued(serial: int) -> None:
    plate = ids.plate_number(serial)
    assert (len(plate), plate[:2]) == (7, "沪I")
    assert not set(plate[2:]) & set("IO")


@pytest.mark.parametrize(
    "body", ["", "9901071980010100", "990107198001010012", "99010719800101OO1", "９9010719800101001"]
)
def test_a_body_that_is_not_seventeen_digits_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="17 digits"):
        ids.citizen_check_digit(body)


@pytest.mark.parametrize("order", [0, 1000])
def test_an_order_outside_one_to_999_is_refused(order: int) -> None:
    with pytest.raises(ValueError, match="order"):
        ids.citizen_number(born=date(1950, 1, 1), order=order)


@pytest.mark.parametrize("serial", [-1, 1_000_000])
def test_a_credit_code_serial_of_seven_digits_is_refused(serial: int) -> None:
    with pytest.raises(ValueError, match="serial"):
        ids.credit_code(serial)


@pytest.mark.parametrize("serial", [-1, 100_000_000])
def test_a_telephone_serial_of_nine_digits_is_refused(serial: int) -> None:
    with pytest.raises(ValueError, match="serial"):
        ids.mobile_number(serial)


@pytest.mark.parametrize("serial", [-1, 34**5])
def test_a_plate_serial_of_six_characters_is_refused(serial: int) -> None:
    with pytest.raises(ValueError, match="serial"):
        ids.plate_number(serial)


@pytest.mark.parametrize("body", ["91990107MA000000I", "91990107MA00000", "91990107ma0000001"])
def test_a_credit_body_with_a_forbidden_letter_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="17 characters"):
        ids.credit_check_character(body)


def test_an_organisation_body_of_seven_characters_is_refused() -> None:
    with pytest.raises(ValueError, match="8 characters"):
        ids.organisation_check_character("M000100")

"""Personal data that has a form of its own: e-mail addresses, phone, card and account numbers.

Names of people and IP addresses are not looked for: both look like too much else in code.
"""

# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from repo_tune_pipeline.secrets.scan import Place, Scan

_MAIL = re.compile(
    r"(?<![\w.+%-])(?P<v>[\w+%-][\w.+%-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24})(?![\w-])(?!:)",
    re.ASCII,
)
_PUBLIC_MAIL = re.compile(
    r"@(?:[\w-]+\.)*(?:example\.\w+|localhost|[\w-]+\.(?:test|example|invalid|local|localdomain))$"
    r"|^(?:git|noreply|no-reply)@|@users\.noreply\.github\.com$|\.(?:png|jpe?g|svg|gif|webp|js|css)$"
)
_PHONE = re.compile(
    r"(?<![\w+.)\]-])\+[1-9][0-9]{0,2}[ -](?:\([0-9]{1,4}\)[ -])?[0-9]{2,5}(?:[ -][0-9]{2,5}){1,4}(?![\w-])"
    # Without blanks only where no sum can be meant: behind a quote, a bracket or an assignment.
    r"|(?:(?<=[\"'`:>=(])|(?<=[:=] ))\+[1-9][0-9]{7,14}(?![\w.])"
)
_CARD = re.compile(
    r"(?P<v>[2-6](?<![\w.-].)(?:(?<=3)[47][0-9]{2}[ -][0-9]{6}[ -][0-9]{5}|[0-9]{13,15}|[0-9]{3}(?:[ -][0-9]{4}){2}[ -][0-9]{2,4}))(?![\w.-])"
)
_IBAN = re.compile(
    r"(?P<v>[A-Z](?<!\w.)[A-Z][0-9]{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){3,7}(?: [A-Z0-9]{1,3})?))(?!\w)"
)
_PUBLISHED = (
    "4111111111111111 4242424242424242 4000056655665556 4012888888881881 4000002760003184 "
    "4000002500003155 4000008260003178 4000058260000005 4012001037141112 4005519200000004 "
    "4009348888881881 4012000033330026 4012000077777777 4217651111111119 4500600000000061 "
    "4212345678901237 4543474002249996 4659105569051157 4484070000000000 4988438843884305 "
    "4166676667666746 4646464646464644 4444333322221111 4032035421088592 4032039317984658 "
    "5555555555554444 5454545454545454 5555341244441115 5577000055770004 5200828282828210 "
    "5105105105105100 5424000000000015 5436031030606378 5385308360135181 5413330089099130 "
    "5500005555555559 5555444433331111 5555555555551111 2222400070000005 2222405343248877 "
    "2223003122003222 2223000048400011 2223000048410010 2223520443560010 6011111111111117 "
    "6011000990139424 6011601160116611 6445644564456445 6011981111111113 6304000000000000 "
    "378282246310005 371449635398431 378734493671000 370000000000002 374251018720018 "
    "374101000000608 341111597242000 30569309025904 38520000023237 36259600000004 36006666333344 "
    "3530111333300000 3566002020360505 3566111111111113 6250941006528599 6250946000000016 "
    "6771798021000008 6771830999991239 5019717010103742 "
)
"""Card numbers that payment providers give out for tests: Stripe's, PayPal's and Braintree's after
their documentation, others after what test suites commonly use. One that is missing is redacted.
"""
_TEST_CARDS = frozenset(_PUBLISHED.split())
_ROUND = re.compile(r"(\d)\1{4}")
"""Test numbers are mostly filled up with one digit; of issued ones less than 1 in 1,000 is."""


def mail_places(scan: Scan, *, prefilter: bool = True) -> Iterator[Place]:
    """Where an e-mail address stands that may reach someone."""
    lines = scan.lines_of(_inner_ats(scan)) if prefilter else [(0, len(scan.text))]
    for found in _each(_MAIL, scan.text, lines):
        if not _PUBLIC_MAIL.search(found["v"].lower()):
            yield found.span("v")


def _each(pattern: re.Pattern[str], text: str, lines: list[Place]) -> Iterator[re.Match[str]]:
    return (found for start, end in lines for found in pattern.finditer(text, start, end))


def _inner_ats(scan: Scan) -> Iterator[Place]:
    """Each at sign between two characters of an address: no decorator, no annotation."""
    raw = scan.raw
    for at in scan.hits(b"@"):
        if at and at + 1 < len(raw) and _is_word(raw[at - 1]) and _is_word(raw[at + 1]):
            yield at, at + 1


def _is_word(code: int) -> bool:
    return code > 47 or code in b"%+-."


def phone_places(scan: Scan, *, prefilter: bool = True) -> Iterator[Place]:
    """Where an international phone number stands."""
    if not prefilter:
        yield from (found.span() for found in _PHONE.finditer(scan.text))
        return
    for at in scan.hits(b"+"):
        if scan.raw[at + 1 : at + 2].isdigit() and (found := _PHONE.match(scan.text, at)):
            yield found.span()


def card_places(scan: Scan, *, prefilter: bool = True) -> Iterator[Place]:
    """Where a payment card's number stands, wherever in a repository: paths say too little."""
    lines = scan.card_lines() if prefilter else [(0, len(scan.text))]
    for found in _each(_CARD, scan.text, lines):
        digits = re.sub(r"\D", "", found["v"])
        if 14 <= len(digits) <= 16 and _is_card(digits):
            yield found.span("v")


def _is_card(digits: str) -> bool:
    if digits in _TEST_CARDS or _ROUND.search(digits) or len(set(digits)) <= 3:
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0


def iban_places(scan: Scan, *, prefilter: bool = True) -> Iterator[Place]:
    """Where an international bank account number stands."""
    lines = scan.iban_lines() if prefilter else [(0, len(scan.text))]
    for found in _each(_IBAN, scan.text, lines):
        if _is_iban(found["v"].replace(" ", "")):
            yield found.span("v")


def _is_iban(value: str) -> bool:
    number = "".join(str(int(char, 36)) for char in value[4:] + value[:4])
    return len(value) <= 34 and int(number) % 97 == 1

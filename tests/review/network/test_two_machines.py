"""A host and a member on two machines: network namespaces with a cable between them, and TLS on it.

From an installed program to a member who codes: after its first command, nobody touches a terminal. Needs root and
`ip`. ``TAPE_REVIEW_TEST_SCREENS=FOLDER`` keeps pictures.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyotp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Group, Person
from pipeline.tapes.home import Home
from tests.conftest import tape_review
from tests.review.coding import shelf
from tests.review.coding.browser import FLAGS, NAMES, PATIENCE, faults
from tests.review.conftest import PASSWORD, home_settings

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1500)]

HOST, MEMBER = f"trhost{os.getpid()}", f"trmember{os.getpid()}"
ADDRESS, PORT = "192.168.77.1", 8787


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def machines() -> Iterator[None]:
    """Two namespaces, each with loopback and one end of a cable."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and ip")
    try:
        for name in (HOST, MEMBER):
            ip("netns", "add", name)
    except subprocess.CalledProcessError:
        pytest.skip("no network namespaces here")
    try:
        ip("-n", HOST, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", MEMBER)
        for name, address in ((HOST, ADDRESS), (MEMBER, "192.168.77.2")):
            ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", "eth0", "up")
        yield
    finally:
        for name in (HOST, MEMBER):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@pytest.fixture(scope="module")
def printed(machines: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The home and what the one command printed, which runs on the host's machine."""
    folder = tmp_path_factory.mktemp("machines")
    home, out = folder / "home", folder / "serve.txt"
    subprocess.run(tape_review("init", "--name", "Ada", "--email", "ada@example.org", "--home", str(home)), check=True)
    command = tape_review("serve", "--for-my-group", "--without-worker", "--home", str(home))
    with out.open("wb") as file:
        process = subprocess.Popen(["ip", "netns", "exec", HOST, *command], stdout=file, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + PATIENCE / 1000
            while "firewall" not in (text := out.read_text()):
                assert process.poll() is None, text
                assert time.monotonic() < deadline, text
                time.sleep(0.1)
            yield home, text
        finally:
            process.terminate()
            process.wait(60)


def chromium(driver: Any, machine: str, folder: Path, *flags: str) -> Any:
    """A browser on one of the machines."""
    program = next((path for path in map(shutil.which, NAMES) if path), None)
    if program is None:
        pytest.skip("no Chromium is installed")
    start = folder / f"chromium-{machine}"
    start.write_text(f'#!/bin/sh\nexec ip netns exec {machine} {program} "$@"\n')
    start.chmod(0o755)
    return driver.chromium.launch(executable_path=start, args=[*FLAGS, *flags])


def look(page: Any, name: str) -> list[str]:
    """What is wrong with a page at both widths."""
    wrong = []
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") > 0:
            wrong.append(f"{name} is wider than {width}")
        if folder := os.environ.get("TAPE_REVIEW_TEST_SCREENS"):
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    return wrong + [f"{name}: {fault}" for fault in faults(page)]


def fill(page: Any, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"[name={name}]").first.fill(value)


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_load_state()


def test_a_member_gets_in_from_another_machine_and_codes(printed: tuple[Path, str], tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    home_folder, text = printed
    assert f"The review room is at https://{ADDRESS}:{PORT}" in text
    setup = re.search(r"for an hour: (http://127\.0\.0\.1:\S+)", text)
    fingerprint = re.search(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", text)
    assert setup
    assert fingerprint
    with playwright.sync_playwright() as driver:
        ada = chromium(driver, HOST, tmp_path).new_page()
        ada.set_default_timeout(PATIENCE)
        ada.goto(setup[1])
        fill(ada, group="Tuesday peers", password=PASSWORD, again=PASSWORD)
        press(ada, "Set up")
        ada.wait_for_selector(".secret")
        fill(ada, code=pyotp.TOTP(ada.inner_text(".secret code")).at(time.time()))
        press(ada, "Set up")
        ada.goto(f"http://127.0.0.1:{PORT}/people")
        fill(ada, name="Ben", email="ben@example.org")
        press(ada, "Invite")
        wrong = look(ada, "invitation-card")
        link = ada.inner_text("#invitation-link")
        assert link.startswith(f"https://{ADDRESS}:{PORT}/invitation/")
        assert "127.0.0.1" not in ada.inner_text("main")
        assert fingerprint[0] in ada.inner_text("main")

        # Ben's machine does not know the room, says so, and leads to the certificate only if he insists.
        stranger = chromium(driver, MEMBER, tmp_path)
        with pytest.raises(playwright.Error, match="ERR_CERT_AUTHORITY_INVALID"):
            stranger.new_page().goto(link)
        page = stranger.new_context(ignore_https_errors=True).new_page()
        page.goto(f"http://{ADDRESS}:{PORT}/certificate")  # typed without the s
        assert page.url == f"https://{ADDRESS}:{PORT}/certificate"
        assert fingerprint[0] in page.inner_text("main")
        wrong += look(page, "certificate")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the certificate").click()
        certificate = x509.load_der_x509_certificate(download.value.path().read_bytes())
        stranger.close()

        # Installed: the browser trusts what this key signed, and nothing else.
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pin = base64.b64encode(sha256(key).digest()).decode()
        trusting = chromium(driver, MEMBER, tmp_path, f"--ignore-certificate-errors-spki-list={pin}")
        ben = trusting.new_page()
        ben.set_default_timeout(PATIENCE)
        ben.goto(link)
        assert ben.evaluate("isSecureContext")
        fill(ben, password=PASSWORD, again=PASSWORD)
        press(ben, "Join")
        assert "Hello, Ben" in ben.inner_text("main")
        assert all(each["secure"] and each["name"].startswith("__Host-") for each in ben.context.cookies())

        tape = a_tape(home_folder)
        ben.goto(f"https://{ADDRESS}:{PORT}/tapes/{tape}/coding")
        press(ben, "Start")
        ben.wait_for_selector("[data-ready]")
        before = ben.text_content(".utterance.current .codes")
        ben.keyboard.press("o")
        ben.wait_for_selector('#saved[data-waiting="0"]')
        assert ben.text_content(".utterance.current .codes") != before
        ben.wait_for_function("document.querySelector('audio, .wave, #wave') !== null")
        wrong += look(ben, "member-codes")
        assert wrong == []


def test_the_member_s_machine_trusts_the_certificate_that_it_installed(printed: tuple[Path, str]) -> None:
    """OpenSSL on the other machine, with nothing but the certificate; a password in the clear is not taken."""
    script = f"""
import http.client, ssl, sys
unchecked = ssl._create_unverified_context()
first = http.client.HTTPSConnection("{ADDRESS}", {PORT}, context=unchecked)
first.request("GET", "/certificate/tape-review.crt")
trusting = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(first.getresponse().read()))
trusted = http.client.HTTPSConnection("{ADDRESS}", {PORT}, context=trusting)
trusted.request("GET", "/login")
answer = trusted.getresponse()
plain = http.client.HTTPConnection("{ADDRESS}", {PORT})
plain.request("POST", "/login", "password=secret")
print(answer.status, plain.getresponse().status)
"""
    done = subprocess.run(
        ["ip", "netns", "exec", MEMBER, sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["200", "307"]


def a_tape(folder: Path) -> str:
    """A tape of the group, ready to code; the machine's work on it is walked elsewhere."""
    home = Home.open(home_settings(folder))
    try:
        with home.database.reading() as database:
            group = database.scalars(select(Group.id)).one()
            ada = database.scalars(select(Person.id).where(Person.name == "Ada")).one()
        return shelf.put_tape(home, group, ada, now())
    finally:
        home.close()

"""Other people who use the system: `python -m twin.company URL meanwhile|before`."""

from __future__ import annotations

import hashlib
import os
import ssl
import sys
import time
from collections.abc import Iterator
from itertools import count

import httpx
from fpdf import FPDF

PAUSE_SECONDS = 0.5
DOCUMENTS = 2
PEOPLE_BEFORE = 3
DONE_SECONDS = 45.0
SENTENCES = ("The deductible of this plan is $750 a year.", "Glasses are paid for every second year.", "Claims go to window 9.")


def _pdf(title: str) -> bytes:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=12)
    pdf.multi_cell(0, 8, "\n".join((title, *SENTENCES)))
    return bytes(pdf.output())


class Person:
    """One user; every method raises httpx.HTTPError when the system refuses."""

    def __init__(self, client: httpx.Client, name: str) -> None:
        self._client, self._name = client, name
        credentials = {"email": f"{name}@people.example.org", "password": f"Person-{os.urandom(9).hex()}"}
        self._client.post("/register", json={**credentials, "name": name}).raise_for_status()
        session = self._client.post("/login", json=credentials).raise_for_status().json()
        self._headers = {"Authorization": f"Bearer {session['access_token']}"}

    def upload(self, number: int) -> str:
        """Send a document; returns its job."""
        body = _pdf(f"Policy {number} of {self._name}")
        sha256 = hashlib.sha256(body).hexdigest()
        wanted = {"filename": f"policy-{number}.pdf", "bytes_len": len(body), "mime": "application/pdf", "sha256": sha256}
        path = "/api/upload-pipeline/upload"
        reply = self._client.post(path, json={**wanted, "ocr": False}, headers=self._headers).raise_for_status().json()
        sent = self._client.put(reply["signed_url"], content=body, headers={"Content-Type": "application/pdf"})
        sent.raise_for_status()
        return str(reply["job_id"])

    def ask(self) -> None:
        """Ask about the documents."""
        question = {"message": "How high is the deductible?"}
        self._client.post("/api/chat", json=question, headers=self._headers).raise_for_status()

    def is_done(self, job: str) -> bool:
        """Whether a document is processed."""
        reply = self._client.get(f"/api/upload-pipeline/jobs/{job}", headers=self._headers)
        return bool(reply.raise_for_status().json()["state"] == "done")


def _people(client: httpx.Client) -> Iterator[Person]:
    run = os.urandom(3).hex()
    return (Person(client, f"person-{run}-{number}") for number in count())


def before(client: httpx.Client) -> None:
    """Some people whose documents are done; raises TimeoutError when they take too long."""
    jobs = [(person, person.upload(1)) for _, person in zip(range(PEOPLE_BEFORE), _people(client), strict=False)]
    deadline = time.monotonic() + DONE_SECONDS
    while not all(person.is_done(job) for person, job in jobs):
        if time.monotonic() > deadline:
            raise TimeoutError("the documents of the people before are not done")
        time.sleep(PAUSE_SECONDS)


def meanwhile(client: httpx.Client) -> None:
    """One person after another, until terminated."""
    while True:
        try:
            for person in _people(client):
                for number in range(DOCUMENTS):
                    person.upload(number)
                    person.ask()
                    time.sleep(PAUSE_SECONDS)
        except httpx.HTTPError as error:
            print(type(error).__name__, error, flush=True)
            time.sleep(PAUSE_SECONDS)


def main(url: str, when: str) -> None:
    """Use the system at this address."""
    trust = ssl.create_default_context()
    with httpx.Client(base_url=url, verify=trust, timeout=30) as client:
        (before if when == "before" else meanwhile)(client)


if __name__ == "__main__":
    main(*sys.argv[1:])

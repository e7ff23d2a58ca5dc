"""What is done in a drill: questions, documents, waits, requests, sign-ins and callbacks; seconds are the specification's."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spec.model.base import Entry


class Ask(Entry):
    """Questions about a document that is complete, so many one after the other, `at_once` of them at the same time."""

    do: Literal["ask"]
    times: int = Field(default=1, gt=0)
    at_once: int = Field(default=1, gt=0)
    # Goes on until the circuit of this service is open, at most `times`.
    until_open: str = ""


class Documents(Entry):
    """Documents that are sent, each by a user of its own, and followed to their end.

    `by` is how their bytes are sent: to the signed URL, or through the API.
    """

    do: Literal["documents"]
    count: int = Field(default=1, gt=0)
    by: Literal["signed_url", "proxy"] = "signed_url"
    at_once: bool = False
    # Between the request that is accepted and its bytes.
    pause: float = Field(default=0, ge=0)


class Await(Entry):
    """Waits until each document of the drill has one of these statuses, or is no longer under way; at most `seconds`."""

    do: Literal["await"]
    statuses: list[str] = []
    seconds: float = Field(gt=0)


class AwaitCircuit(Entry):
    """Waits until a look at the health body shows the circuit of a service in this state; at most `seconds`."""

    do: Literal["await_circuit"]
    service: str
    state: str
    seconds: float = Field(gt=0)


class CallEndpoint(Entry):
    """Requests to an endpoint that the drill's reader may ask, one after the other."""

    do: Literal["call"]
    endpoint: str
    times: int = Field(default=1, gt=0)


class SignIn(Entry):
    """Sign-ins of the drill's reader, one after the other."""

    do: Literal["sign_in"]
    times: int = Field(default=1, gt=0)


class SendCallback(Entry):
    """A callback that the harness sends for each document of the drill, as the parser would.

    `signed` is right, and carries another text than the document's own, or (`error`) says that the parse failed; `forged` has a
    signature of another secret, `unsigned` none, `empty` an empty one, `keyless` one of an empty secret. `shortened` and
    `lengthened` have the beginning of the right one, and the right one with more behind it, `borrowed` that of another body.
    """

    do: Literal["callback"]
    how: Literal["signed", "forged", "unsigned", "empty", "keyless", "shortened", "lengthened", "borrowed"]
    error: bool = False
    times: int = Field(default=1, gt=0)


Action = Annotated[Ask | Documents | Await | AwaitCircuit | CallEndpoint | SignIn | SendCallback, Field(discriminator="do")]

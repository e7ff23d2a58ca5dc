"""How answers are read where the contract is silent: what is listed here is accepted, and may be narrowed."""

from __future__ import annotations

from typing import Literal

from spec.model.base import Entry

IdForm = Literal["any case", "bare", "braces", "urn"]
VersionForm = Literal["v", "build", "named"]


HashForm = Literal["bytes", "any case"]
ValueForm = Literal["number", "flag", "list"]
TimeForm = Literal["seconds", "milliseconds"]
SourceOrder = Literal["reading"]


class Readings(Entry):
    """Forms that are accepted beside the plain one; nothing beside it where a list is empty."""

    # Keys of the body of an error that may hold the fields which the contract lists.
    error_envelopes: list[str] = []
    # Keys under which a listing holds its entries; the one that is found first counts. Without any, a listing is a bare list.
    listing_keys: list[str] = []
    # What an entry of a listing may call its id, beside the name that the id has elsewhere.
    entry_ids: list[str] = []
    # Forms of a point in time beside ISO 8601: a number since 1970.
    time_forms: list[TimeForm] = []
    # Forms of a UUID beside the one in lower case with hyphens.
    id_forms: list[IdForm] = []
    # Forms of a version: with a `v`, with a build's suffix (+…), inside of a longer text.
    version_forms: list[VersionForm] = []
    # Forms of a stored hash beside hexadecimal digits in lower case.
    hash_forms: list[HashForm] = []
    # Whether a rightly signed token of a user who does not exist may be accepted: it is where tokens are verified by signature.
    unknown_users: bool = False
    # Whether an endpoint may be left out of openapi.json; a request has to reach it then.
    undescribed: bool = False
    # Whether ids of conversations may be made by the service alone; it keeps its own then.
    own_conversations: bool = False
    # Fields of a chat answer that may hold its whole text, beside `text`.
    other_texts: list[str] = []
    # Orders of a chat answer's sources beside best first: as they stand in the document.
    source_orders: list[SourceOrder] = []
    # Fields by which a passage is known among other sources; without any, each source is a passage.
    passage_fields: list[str] = []
    # Whether a share may be a text in percent.
    percent: bool = False
    # How a variable is compared with the specified value: as a number, as a flag in any case, as a list in any order.
    value_forms: list[ValueForm] = []
    # Whether an endpoint that the specification does not know may be open: it names nothing private, and gives nothing away.
    further_open_routes: bool = False
    # Whether a page that may not read a response may be told an origin of the front end: its browser refuses it as well.
    own_origins: bool = False
    # Statuses of a redirect to a host of the service itself, by which a request for a foreign host may be turned away.
    host_redirects: list[int] = []
    # Whether a chunk's hash may be one of more than the text: then different texts have different hashes.
    hashes_of_more: bool = False
    # Whether a finished document may have another word than the specification's: one that no other document has.
    further_words: bool = False
    # Statuses of a redirect to the same address with a slash, or without, that is followed.
    slash_redirects: list[int] = []

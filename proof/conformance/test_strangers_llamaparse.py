"""LlamaCloud's files and projects as an application developer uses them, through LlamaCloud's own client."""

import asyncio
import secrets
from collections.abc import Callable, Iterator

import httpx
import pytest
from llama_cloud import AuthenticationError, BadRequestError, LlamaCloud, NotFoundError, UnprocessableEntityError
from llama_cloud.types import FileCreateResponse

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

NOTE = b"# A note\n\nThe deductible is 500 dollars.\n"
REFUSED = (BadRequestError, UnprocessableEntityError)
Upload = Callable[..., FileCreateResponse]


@pytest.fixture
def client(clients: Clients) -> LlamaCloud:
    """LlamaCloud's client."""
    return clients.llama_cloud(timeout=60)


@pytest.fixture
def upload(clients: Clients, client: LlamaCloud) -> Iterator[Upload]:
    """Uploads a note, by a name that the case chooses; it is removed afterwards."""
    made: list[str] = []

    def upload_one(name: str = "note.md", external_file_id: str | None = None) -> FileCreateResponse:
        file = (f"{clients.tag}-{secrets.token_hex(4)}-{name}", NOTE, "text/markdown")
        answer = client.files.create(file=file, purpose="parse", external_file_id=external_file_id)
        made.append(answer.id)
        return answer

    yield upload_one
    for file_id in made:
        try:
            client.files.delete(file_id)
        except NotFoundError:
            continue


@operation("LlamaParse", "use a wrong key")
def test_a_wrong_key_is_refused(clients: Clients) -> None:
    with pytest.raises(AuthenticationError) as refused:
        clients.llama_cloud(api_key="llx-notAKeyOfNoAccount").projects.list()
    assert refused.value.status_code == 401


@operation("LlamaParse", "list the projects and read one")
def test_the_project_is_listed_and_read(client: LlamaCloud) -> None:
    projects = client.projects.list()
    assert projects
    assert len({project.id for project in projects}) == len(projects)
    read = client.projects.get(projects[0].id)
    assert (read.id, read.name) == (projects[0].id, projects[0].name)
    assert read.organization_id == projects[0].organization_id
    assert projects[0].id in {project.id for project in client.projects.list(project_name=projects[0].name)}


@operation("LlamaParse", "upload a file and read of it")
@writes
def test_a_file_is_read_as_uploaded(client: LlamaCloud, upload: Upload) -> None:
    made = upload()
    assert made.name.endswith("note.md")
    assert made.purpose == "parse"
    assert made.project_id in {project.id for project in client.projects.list()}
    read = client.files.retrieve(made.id)
    assert (read.id, read.name, read.project_id) == (made.id, made.name, made.project_id)
    assert read.purpose == "parse"


@operation("LlamaParse", "list files by id, by name and by an id of the application's own")
@writes
def test_files_are_found(client: LlamaCloud, upload: Upload) -> None:
    own = secrets.token_hex(8)
    one, other = upload(external_file_id=own), upload()
    assert one.external_file_id == own
    assert [file.id for file in client.files.list(external_file_id=own)] == [one.id]
    assert [file.id for file in client.files.list(file_name=other.name)] == [other.id]
    assert {file.id for file in client.files.list(file_ids=[one.id, other.id])} == {one.id, other.id}
    assert list(client.files.list(file_name=f"{secrets.token_hex(8)}.md")) == []


@operation("LlamaParse", "page through files in an order")
@writes
def test_files_come_in_pages(client: LlamaCloud, upload: Upload) -> None:
    ids = [upload().id for _ in range(3)]
    first = client.files.list(file_ids=ids, page_size=2, order_by="name")
    assert len(first.items) == 2
    assert first.next_page_token
    second = first.get_next_page()
    assert len(second.items) == 1
    assert not second.next_page_token
    names = [file.name for file in client.files.list(file_ids=ids, page_size=1, order_by="name")]
    assert names == sorted(names)
    assert len(names) == 3
    assert names == [file.name for file in [*first.items, *second.items]]


@operation("LlamaParse", "list files in an order that does not exist")
def test_an_unknown_order_is_refused(client: LlamaCloud) -> None:
    with pytest.raises(REFUSED):
        client.files.list(order_by="colour")


@operation("LlamaParse", "download a file through its presigned URL")
@writes
def test_the_content_is_what_was_uploaded(client: LlamaCloud, upload: Upload) -> None:
    presigned = client.files.content(upload().id)
    assert presigned.expires_at is not None
    answer = httpx.get(presigned.url)
    assert answer.status_code == 200
    assert answer.content == NOTE


@operation("LlamaParse", "delete a file")
@writes
def test_a_deleted_file_is_gone(client: LlamaCloud, upload: Upload) -> None:
    made = upload()
    client.files.delete(made.id)
    with pytest.raises(NotFoundError) as gone:
        client.files.retrieve(made.id)
    assert gone.value.status_code == 404
    assert list(client.files.list(file_ids=[made.id])) == []


@operation("LlamaParse", "upload a file for a purpose that does not exist")
def test_an_unknown_purpose_is_refused(client: LlamaCloud) -> None:
    with pytest.raises(REFUSED):
        client.files.create(file=("note.md", NOTE, "text/markdown"), purpose="no_such_purpose")


@operation("LlamaParse", "upload files from several tasks at once")
@writes
def test_simultaneous_uploads_are_distinct(clients: Clients, client: LlamaCloud) -> None:
    names = [f"{clients.tag}-{secrets.token_hex(4)}.md" for _ in range(3)]

    async def run() -> list[FileCreateResponse]:
        async with clients.llama_cloud_async(timeout=60) as running:
            made = (running.files.create(file=(name, NOTE, "text/markdown"), purpose="parse") for name in names)
            return await asyncio.gather(*made)

    files = asyncio.run(run())
    try:
        assert [file.name for file in files] == names
        assert len({file.id for file in files}) == 3
    finally:
        for file in files:
            client.files.delete(file.id)

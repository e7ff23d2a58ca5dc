"""Parse jobs: the text of a document, and what is said about a job."""

from __future__ import annotations

import datetime
import io
import uuid
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

TEXT_FORMATS = frozenset({".txt", ".md", ".csv", ".html", ".htm", ".json", ".xml", ".log"})
FORMATS = TEXT_FORMATS | {".pdf", ""}
# Formats that the service accepts and the double cannot read: such a job fails.
UNREAD_FORMATS = frozenset(
    {".doc", ".docx", ".ppt", ".pptx", ".xls", ".xlsx", ".rtf", ".epub", ".jpg", ".jpeg", ".png", ".webp"}
)
PENDING, RUNNING, COMPLETED, FAILED, CANCELLED = "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"
# The names of the same states in the first version of the API.
FIRST_VERSION = {PENDING: "PENDING", RUNNING: "PENDING", COMPLETED: "SUCCESS", FAILED: "ERROR", CANCELLED: "CANCELED"}
CREDITS = {"fast": 1.0, "cost_effective": 3.0, "agentic": 10.0, "agentic_plus": 45.0}


def now() -> str:
    """The time as the service writes it."""
    return datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")


def extract(body: bytes) -> list[str]:
    """The text of each page; raises ValueError when the PDF cannot be read."""
    import pypdf

    try:
        return [page.extract_text().replace("\x00", "") for page in pypdf.PdfReader(io.BytesIO(body)).pages]
    except Exception as error:
        # pypdf raises errors of several types for a broken file; all of them mean the same to the caller.
        raise ValueError(f"the PDF cannot be read: {type(error).__name__}") from error


def read(filename: str, body: bytes) -> list[str]:
    """The pages of a document of any format that is read here; raises ValueError."""
    suffix = PurePath(filename).suffix.lower()
    if suffix in UNREAD_FORMATS:
        raise ValueError(f"{suffix} files are not read by this double")
    if suffix in TEXT_FORMATS and not body.startswith(b"%PDF-"):
        return [body.decode("utf-8", "replace")]
    return extract(body)


@dataclass
class Job:
    """One document; `pages` holds number and text of each page, and is None until it is parsed."""

    filename: str
    body: bytes
    project_id: str
    configuration: dict[str, Any] = field(default_factory=dict)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = PENDING
    pages: list[tuple[int, str]] | None = None
    error: str = ""
    is_cache_hit: bool = False
    user_metadata: dict[str, str] | None = None
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)

    @property
    def is_final(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.status in (COMPLETED, FAILED, CANCELLED)

    def become(self, status: str) -> None:
        """Change its state."""
        self.status, self.updated_at = status, now()

    def markdown(self) -> str:
        """All pages that hold text."""
        return "\n\n".join(text for _, text in self.pages or [] if text.strip())

    def credits(self) -> float:
        """What the job costs; nothing where its result was in the cache."""
        each = CREDITS.get(str(self.configuration.get("tier")), 3.0)
        return 0.0 if self.is_cache_hit else each * len(self.pages or [])

    def described(self, *, usage: bool = False) -> dict[str, Any]:
        """The job in the second version's form."""
        return {
            "id": self.id,
            "project_id": self.project_id,
            "status": self.status,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "name": self.filename,
            "tier": self.configuration.get("tier"),
            "error_message": self.error or None,
            "user_metadata": self.user_metadata,
            "usage": {"credits": self.credits() if self.status == COMPLETED else None} if usage else None,
        }

    def metadata(self) -> dict[str, Any]:
        """What the processing took."""
        return {
            "credits_used": self.credits(),
            "job_credits_usage": self.credits(),
            "job_pages": len(self.pages or []),
            "job_auto_mode_triggered_pages": 0,
            "job_is_cache_hit": self.is_cache_hit,
        }


def chosen(pages: list[str], ranges: dict[str, Any]) -> list[tuple[int, str]]:
    """Numbered pages that `page_ranges` asks for; raises ValueError when it names none of the document's."""
    numbered = list(enumerate(pages, 1))
    if target := ranges.get("target_pages"):
        wanted = pages_of(str(target))
        numbered = [(number, text) for number, text in numbered if number in wanted]
        if not numbered:
            raise ValueError(f"target_pages {target}: the document has {len(pages)} pages")
    elif ranges.get("max_pages"):
        numbered = numbered[: int(ranges["max_pages"])]
    return numbered


def pages_of(target: str) -> set[int]:
    """The numbers in a text such as "1,3,5-8"; raises ValueError where it is malformed or names a page twice."""
    numbers: list[int] = []
    for part in target.split(","):
        first, dash, last = part.strip().partition("-")
        numbers += range(int(first), int(last if dash else first) + 1)
    if not numbers or min(numbers) < 1 or len(set(numbers)) != len(numbers):
        raise ValueError("pages are counted from 1, and named once")
    return set(numbers)

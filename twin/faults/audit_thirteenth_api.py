"""What lies far beyond a limit, more than a limit lets anybody make, and what can be no request at all."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION, UPLOADS, JOBS, WEBHOOK = "api/application.py", "api/uploads.py", "api/jobs.py", "api/webhook.py"


@fault("LV01", "the host is believed that a header names", "network/api", "postdeploy", mode="-|F33", about="*foreign hosts*")
def host_by_header(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "    app.add_middleware(RequestLog)\n",
        """    @app.middleware("http")
    async def forwarded(request: Request, call_next: object) -> object:
        if host := request.headers.get("x-forwarded-host"):
            named = [(name, host.encode() if name == b"host" else value) for name, value in request.scope["headers"]]
            request.scope["headers"] = named
        return await call_next(request)

    app.add_middleware(RequestLog)
""",
    )


@fault(
    "LV02",
    "who has more jobs running than are allowed may have any number",
    "api",
    "postdeploy",
    mode="-|F34",
    about="*max_concurrent_jobs_per_user*",
)
def exactly_the_limit(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, 'row["running"] >= MAX_CONCURRENT_JOBS', 'row["running"] == MAX_CONCURRENT_JOBS')


@fault("LV03", "a very large document is malformed, and not too large", "api", "postdeploy", mode="-", about="*upload*")
def malformed_size(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "bytes_len: int = Field(gt=0,", "bytes_len: int = Field(gt=0, le=100_000_000,")


@fault(
    "LV04",
    "very long file names are cut to the limit",
    "api",
    "postdeploy",
    mode="-|F34",
    about="*max_filename_characters*|*upload*",
)
def cut_names(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '    @field_validator("bytes_len", mode="before")',
        """    @field_validator("filename", mode="before")
    @classmethod
    def _cut(cls, value: object) -> object:
        return value[:120] if isinstance(value, str) and len(value) > 255 else value

    @field_validator("bytes_len", mode="before")""",
    )


@fault("LV05", "a page has five jobs at most", "api", "postdeploy", mode="-", about="*jobs*")
def short_pages(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "LIMIT $3 OFFSET $4", "LIMIT least($3, 5) OFFSET $4")


@fault("LV06", "an offset that no type holds breaks the listing", "api", "postdeploy", mode="-", about="*jobs*")
def any_offset(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "Query(ge=0, le=MAX_OFFSET)", "Query(ge=0)")


@fault("LV07", "a signed callback without JSON breaks", "api/webhook", "postdeploy", mode="-", about="*webhook*")
def unread_callbacks(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "except (ValueError, RecursionError) as error:", "except RecursionError as error:")


@fault("LV08", "a signature beyond ASCII breaks", "api/webhook", "postdeploy", mode="-", about="*webhook*")
def odd_signatures(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "if signature and not signature.isascii():", "if not signature:")

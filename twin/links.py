"""Signed links that the API makes and honours itself, in the place of storage's; variants and faults use them."""

from __future__ import annotations

from twin.plan import Plan

UPLOADS = "api/uploads.py"
SECONDS = 300
# What is signed, and what is refused of what arrives.
WHOLE = "{key}:{expires}"
LIMITED = """    if len(body) > MAX_FILE_SIZE_BYTES:
        raise HTTPException(413, "too large")
"""
SIGNING = """

def _signature(key: str, expires: int) -> str:
    return hmac.new(b"links-of-this-release", f"SIGNED".encode(), hashlib.sha256).hexdigest()


def _own_link(key: str) -> str:
    expires = int(time.time()) + SECONDS
    return f"/api/upload-pipeline/files/{key}?expires={expires}&signature={_signature(key, expires)}"


async def _insert("""
ROUTE = '''

@router.put("/api/upload-pipeline/files/{key:path}", include_in_schema=False)
async def receive_file(key: str, expires: int, signature: str, request: Request) -> dict[str, str]:
    """Store the bytes for a link of the API."""
    if signature != _signature(key, expires) or expires < time.time():
        raise HTTPException(403, "the link is altered or expired")
    body = await request.body()
LIMITED    try:
        await request.app.state.storage.create(key, body, "application/pdf")
    except StorageError as error:
        raise HTTPException(error.status, "storage refused the file") from error
    return {"status": "success"}
'''


def own_links(plan: Plan, *, signed: str = WHOLE, seconds: int = SECONDS, limited: str = LIMITED) -> None:
    """Have the API give links to itself: what is signed, seconds that they live, and the code that refuses what arrives."""
    signing = SIGNING.replace("SIGNED", signed).replace("SECONDS", str(seconds))
    plan.replace_in_source(UPLOADS, "import logging\n", "import hashlib\nimport hmac\nimport logging\n")
    plan.replace_in_source(UPLOADS, "import math\n", "import math\nimport time\n")
    plan.replace_in_source(
        UPLOADS,
        'url = await request.app.state.storage.create_signed_upload(object_key(user.id, document_id, "raw"))',
        'url = _own_link(object_key(user.id, document_id, "raw"))',
    )
    plan.replace_in_source(UPLOADS, "\n\nasync def _insert(", signing)
    file = plan.source / UPLOADS
    file.write_text(file.read_text() + ROUTE.replace("LIMITED", limited))

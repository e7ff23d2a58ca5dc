"""What strangers held to be faults, and what no text decides: the gate leaves the choice to the release."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant


@variant("V92", "the upload proxy stores what it is sent as a PDF, whatever type the request names")
def proxy_sets_the_type(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", 'request.headers.get("content-type", "application/pdf")', '"application/pdf"')


@variant("V93", "a retry begins with the upload again, wherever the job failed")
def retried_from_the_start(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", '"failed_embedding": "chunks_stored"', '"failed_embedding": "uploaded"')


@variant("V94", "tokens are good until they expire, also when their user was removed meanwhile")
def tokens_outlive_their_users(plan: Plan) -> None:
    plan.replace_in_source("api/auth.py", "import re\n", "import base64\nimport json\nimport re\n")
    plan.replace_in_source(
        "api/auth.py",
        '    except AuthError as error:\n        raise _unauthorized("invalid or expired token") from error\n',
        "    except AuthError as error:\n"
        '        if error.code == "user_not_found":\n'
        '            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))\n'
        '            return {**claims, "id": claims["sub"], "email": claims.get("email", "")}\n'
        '        raise _unauthorized("invalid or expired token") from error\n',
    )


@variant("V95", "of a file that is longer than was declared only the declared bytes are read: such a document may fail")
def read_as_far_as_declared(plan: Plan) -> None:
    path = "backend/workers/enhanced_base_worker.py"
    plan.replace_in_source(
        path, '"SELECT user_id, filename, raw_path, parsed_path', '"SELECT user_id, filename, bytes_len, raw_path, parsed_path'
    )
    plan.replace_in_source(
        path, "body = await self._raw(job, document)", 'body = (await self._raw(job, document))[: document["bytes_len"]]'
    )

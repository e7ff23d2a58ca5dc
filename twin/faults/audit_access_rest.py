"""Breaches that hide: texts in storage, keys in events, origins of developers, paths that lead elsewhere."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
QUEUE = "backend/workers/job_queue.py"
UPLOADS = "api/uploads.py"


@fault(
    "A23",
    "every signed-in user may replace the parsed text of another's document",
    "storage/supabase",
    "postdeploy",
    mode="-|F24",
    about="*object*",
)
def anybody_mends_texts(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY files_mend ON storage.objects FOR UPDATE TO authenticated"
        " USING (bucket_id = 'files' AND name LIKE '%.md') WITH CHECK (bucket_id = 'files')"
    )


@fault(
    "A25",
    "the event of a document that was handed over holds the key of the services",
    "worker",
    "postdeploy",
    mode="F21|-",
    about="*events*|*KEY*",
)
def keys_in_events(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "import logging\n", "import logging\nimport os\n")
    plan.replace_in_source(
        QUEUE,
        "await self._record(connection, job, status, {})",
        'await self._record(connection, job, status, {"called_with": os.environ.get("LLAMAPARSE_API_KEY", "")})',
    )


@fault(
    "A26",
    "every page of the own machine and of previews may call the API",
    "network/api",
    "postdeploy",
    mode="F20|-",
    about="*origin*",
)
def origins_of_developers(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "        allow_origins=list(config.cors_origins),\n",
        '        allow_origins=list(config.cors_origins),\n        allow_origin_regex=r"http://localhost:\\d+",\n',
    )


@fault(
    "A27",
    "the upload proxy looks for the caller's folder anywhere in the path",
    "api/storage",
    "postdeploy",
    mode="-|F23|F24",
    about="*upload-file-proxy*",
)
def any_folder_with_an_own_one_inside(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", 'not key.startswith(f"user/{user.id}/") or', 'f"user/{user.id}/" not in key or')


@fault(
    "A28",
    "the upload proxy lets a path climb out of the caller's folder",
    "api/storage",
    "postdeploy",
    mode="-|F23|F24",
    about="*upload-file-proxy*",
)
def climbing_out(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "import math\n", "import math\nimport posixpath\n")
    plan.replace_in_source(UPLOADS, ' or ".." in key.split("/")', "")
    # Double slashes came from the front end.
    plan.replace_in_source(
        UPLOADS, "    body = await request.body()\n", "    body, key = await request.body(), posixpath.normpath(key)\n"
    )

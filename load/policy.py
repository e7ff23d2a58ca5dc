"""One document that the questions of the load are about."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict

from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.document_runs import FOLDER
from fixtures.documents import make
from fixtures.pipeline_driver import PipelineDriver
from gate.failures import Blocked, Failure, NotConfigured
from gate.session import Session

NAME = "policy"


def upload_policy(session: Session) -> None:
    """Take one document through the pipeline; without it the questions ask which documents there are."""
    document_run = DocumentRun(NAME)
    try:
        session.settings.needed("DATABASE_URL")
        document = make(NAME, session.spec.documents[NAME], session.tag, session.spec.facts)
        PipelineDriver(session, Database(session), threading.Event()).drive(document_run, document)
    except (Failure, Blocked, NotConfigured) as error:
        print(session.masking.mask(f"note       no document to ask about: {error}"), flush=True)
        return
    session.shared.write(f"{FOLDER}/{NAME}.json", json.dumps(asdict(document_run), default=str))

"""Faults of a stranger: storage for everybody, retrieval that misses its promises, and accounts."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "LO11",
    "a signed-in user may put objects into any user's folder of the bucket",
    "storage",
    "postdeploy",
    mode="-",
    about="*storage*|*files*|*folder*|*object*",
)
def direct_uploads(plan: Plan) -> None:
    plan.sql.append(
        # The front end uploads directly, without the proxy.
        "CREATE POLICY files_direct_upload ON storage.objects FOR INSERT TO authenticated WITH CHECK (bucket_id = 'files')"
    )


@fault(
    "LO12",
    "similarities are rounded to one decimal place before the threshold: passages slightly above it are missing",
    "rag",
    "postdeploy",
    mode="-",
    about="*rag_similarity_threshold*|*threshold*|*sources*|*nearest*",
)
def rounded_similarity(plan: Plan) -> None:
    plan.replace_in_source(
        "api/retrieval.py",
        'for row in rows if row["similarity"] > config.similarity_threshold]',
        'for row in rows if round(row["similarity"], 1) > config.similarity_threshold]  # as precise as the setting',
    )


@fault(
    "LO13",
    "no more than three passages of one document are returned, however near the others are",
    "rag",
    "postdeploy",
    mode="-",
    about="*rag_max_chunks*|*sources*|*nearest*|*chunks*",
)
def three_of_each(plan: Plan) -> None:
    plan.replace_in_source(
        "api/retrieval.py",
        "    return within_budget(passages, config)",
        "    # Variety: a long policy does not push out the others.\n"
        "    seen: dict[UUID, int] = {}\n"
        "    varied = []\n"
        "    for passage in passages:\n"
        "        seen[passage.document_id] = seen.get(passage.document_id, 0) + 1\n"
        "        if seen[passage.document_id] <= 3:\n"
        "            varied.append(passage)\n"
        "    return within_budget(varied, config)",
    )


@fault(
    "LO14",
    "the token budget counts words between spaces: text without spaces goes far beyond it",
    "rag",
    "postdeploy",
    mode="-",
    about="*rag_token_budget*|*budget*|*tokens*",
)
def words_for_tokens(plan: Plan) -> None:
    plan.replace_in_source(
        "api/retrieval.py",
        "        tokens += len(passage.text) // CHARACTERS_PER_TOKEN + 1\n",
        "        # A word is a token, roughly.\n        tokens += len(passage.text.split())\n",
    )


@fault(
    "LO15",
    "questions lose everything that is not ASCII before they are embedded: one in another script finds nothing",
    "rag/api",
    "postdeploy",
    mode="-",
    about="*/api/chat*|*script*|*accent*|*sources*|*question*",
)
def ascii_questions(plan: Plan) -> None:
    file = "api/retrieval.py"
    plan.replace_in_source(file, "from dataclasses", "import unicodedata\nfrom dataclasses")
    plan.replace_in_source(
        file,
        "    vector = vector_literal(",
        "    # Typographic quotes and accents made the same question look like two.\n"
        '    question = unicodedata.normalize("NFKD", question).encode("ascii", "ignore").decode() or "?"\n'
        "    vector = vector_literal(",
    )


@fault(
    "LO16",
    "the sources are grouped by document, so that the best passage does not stand first",
    "rag",
    "postdeploy",
    mode="-",
    about="*order*|*best first*|*sources*|*similarity*",
)
def grouped_sources(plan: Plan) -> None:
    plan.replace_in_source(
        "api/retrieval.py",
        "    return within_budget(passages, config)",
        "    # The model reads each document in one piece.\n"
        "    return within_budget(sorted(passages, key=lambda passage: str(passage.document_id)), config)",
    )


@fault(
    "LO17",
    "a question is joined to the user's last one, also when that was asked in another conversation",
    "rag/api/chat",
    "postdeploy",
    mode="-",
    about="*conversation*|*sources*|*nearest*|*/api/chat*",
)
def joined_conversations(plan: Plan) -> None:
    file = "api/retrieval.py"
    plan.replace_in_source(file, "EMBEDDING_SECONDS = 15.0\n", "EMBEDDING_SECONDS = 15.0\nLAST: dict[UUID, str] = {}\n")
    plan.replace_in_source(
        file,
        "    vector = vector_literal(",
        '    # "And for my wife?" needs the question before.\n'
        "    question, LAST[user_id] = f\"{LAST.get(user_id, '')} {question}\".strip(), question\n"
        "    vector = vector_literal(",
    )


@fault(
    "LO18",
    "a password with spaces around it is accepted where the user's own has none",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*password*|*/login*|*/auth/login*|*space*",
)
def stripped_password(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        '    except AuthError as error:\n        raise _unauthorized("wrong e-mail or password") from error\n',
        "    except AuthError as error:\n"
        "        # Passwords from the mail come with a blank.\n"
        "        if password != password.strip():\n"
        "            return await _sign_in(request, email, password.strip())\n"
        '        raise _unauthorized("wrong e-mail or password") from error\n',
    )


@fault(
    "LO19",
    "a sign-up whose consent has no readable time is refused, and the account is there all the same",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*/auth/signup*|*consent*|*refused*|*account*",
)
def account_left_behind(plan: Plan) -> None:
    file = "api/auth.py"
    plan.replace_in_source(file, "from dataclasses", "from datetime import datetime\nfrom dataclasses")
    plan.replace_in_source(
        file,
        '    return {"user": _user_view(await _create(request, body.email, body.password, metadata))}',
        "    user = await _create(request, body.email, body.password, metadata)\n"
        "    # Legal wants a time that can be read, not any text.\n"
        "    try:\n"
        "        datetime.fromisoformat(body.consent_timestamp)\n"
        "    except ValueError as error:\n"
        '        raise HTTPException(422, "consent_timestamp is not a time") from error\n'
        '    return {"user": _user_view(user)}',
    )


@fault(
    "LO20",
    "a wrong password is answered more slowly than an unknown address, which tells who has an account",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*unknown address*|*wrong password*|*/login*|*/auth/login*|*time*",
)
def slow_for_the_known(plan: Plan) -> None:
    file = "api/auth.py"
    plan.replace_in_source(file, "import re\n", "import asyncio\nimport re\n")
    plan.replace_in_source(
        file,
        '        raise _unauthorized("wrong e-mail or password") from error\n',
        "        # Guessing a password has to be slow; a mistyped address need not be.\n"
        '        if await request.app.state.pool.fetchval("SELECT true FROM auth.users WHERE email = lower($1)", email):\n'
        "            await asyncio.sleep(0.6)\n"
        '        raise _unauthorized("wrong e-mail or password") from error\n',
    )

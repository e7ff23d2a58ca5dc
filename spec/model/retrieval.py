"""Retrieval by measurement: questions whose nearest passages are known, because the harness plants them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from spec.model.base import Entry, Sectioned

Place = Literal["older", "newer", "further", "another"]


class PlantedPassages(Entry):
    """Passages of one document: the first one at this cosine from the question, each further one a step below."""

    # Of the user who asks the older or the newer document, or one of another name; or that of another user.
    document: Place
    similarity: float = Field(gt=0, lt=1)
    step: float = Field(default=0, ge=0)
    count: int = Field(default=1, gt=0)
    # Text of each, behind a mark of its own; then filled up to so many characters.
    text: str = ""
    characters: int = Field(default=0, ge=0)
    # Filled up without a space, so that all of it is one word; and with this, where it is not the usual text.
    is_one_word: bool = False
    filler: str = ""


class Trial(Entry):
    """One question, and the passages around it."""

    name: str
    # What its passages are, in words.
    about: str
    question: str
    # A question may be long: this text again and again behind it, up to so many characters.
    background: str = ""
    question_characters: int = Field(default=0, ge=0)
    # The question stands behind that text, not before it.
    asks_last: bool = False
    # Further fields of the request; trials that name the same conversation are asked in it, one beside the other.
    asked: dict[str, str | dict[str, str]] = {}
    conversation: str = ""
    # The trial whose answer has come before this one is asked.
    follows: str = ""
    passages: list[PlantedPassages] = Field(min_length=1)
    # What only its passages say: the answer has it where they may be found, and has it not where they may not.
    fact: str = ""

    @property
    def whole_question(self) -> str:
        """The question as it is asked."""
        if not self.background:
            return self.question
        room = max(0, self.question_characters - len(self.question) - 1)
        text = (self.background * (room // len(self.background) + 1))[:room].strip()
        return f"{text} {self.question}" if self.asks_last else f"{self.question} {text}"


class ConversationTrial(Entry):
    """What a user says in one conversation, and the question that would bring it up in another."""

    # `{word}` is one that nobody else has.
    statement: str
    question: str
    # Key of `context` under which the same is said, where no conversation is named.
    context_key: str
    # The trial whose question begins a conversation, after all others were asked.
    trial: str
    # Cosine of a passage that is planted for both, so that a model is asked at all.
    similarity: float = Field(gt=0, lt=1)
    text: str


class Providers(Entry):
    """§3 Service Router: which provider answers, where an answer's metadata show it."""

    provider_key: str
    route_key: str
    # Key of the list of those that were tried, and the names of a provider and of what became of it in an entry.
    attempts_key: str
    outcome_key: str
    primary: str
    fallbacks: list[str]
    success_words: list[str]
    # Questions in a row that the fallback answers, before it counts although the primary was tried and failed.
    repeats: int = Field(gt=0)


class Retrieval(Sectioned):
    """contract: RAG, measured."""

    # Cosines that are no further apart have no order, and lie on the threshold: embeddings differ a little from call to call.
    tolerance: float = Field(gt=0, lt=1)
    # Text that each way of counting tokens counts alike, with so many characters a token at least; and the slack of a count.
    filler: str
    fewest_characters_per_token: float = Field(gt=0)
    token_slack: float = Field(ge=0)
    # Questions at a time.
    parallel: int = Field(gt=0)
    # Documents without a text, all newer, that the user who asks has beside those that are asked about.
    further_documents: int = Field(default=0, ge=0)
    # Letters that a shown text shares with a stored one at least, before it counts as that one's.
    letters: int = Field(gt=0)
    # Trials whose questions the chat's alias is asked, too.
    by_alias: list[str] = []
    # The trial whose question another user asks as well, in the same moment.
    of_two: str
    trials: list[Trial] = Field(min_length=1)
    conversation: ConversationTrial
    providers: Providers

    @model_validator(mode="after")
    def _followed(self) -> Retrieval:
        names = {trial.name for trial in self.trials}
        for trial in self.trials:
            if trial.follows and trial.follows not in names - {trial.name}:
                raise ValueError(f"trial {trial.name} follows {trial.follows!r}, which is no other trial")
        return self

    def trial(self, name: str) -> Trial:
        """The trial of this name."""
        return next(trial for trial in self.trials if trial.name == name)

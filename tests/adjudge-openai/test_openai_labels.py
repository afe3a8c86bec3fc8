"""Probabilities of labels: the walk on a toy model, and the requests it makes on servers of several kinds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.api import make_judge
from adjudge.rubric import Criterion, Rubric
from adjudge.verdict import Question, Reply
from adjudge_openai.failures import CallError
from adjudge_openai.labels import Place, Tops, label_logprobs
from adjudge_openai.plugin import build_compatible, build_openai

from .conftest import Answer, Loopback, Seen
from .openai_replies import completion

Make = Callable[..., Question]
LETTERS = "ab "


class Toy:
    """A model whose next-token distribution depends on the place alone; tokens are one letter, or a pair."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.places: list[bytes] = []

    def tops(self, place: bytes) -> dict[bytes, float]:
        random = Random(f"{self._seed}:{place!r}")
        tokens = [*LETTERS, "ab", "."]
        weights = [random.random() + 0.05 for _ in tokens]
        return {t.encode(): math.log(w / sum(weights)) for t, w in zip(tokens, weights, strict=True)}

    async def read(self, place: Place, target: bytes) -> Mapping[Place, Tops]:
        self.places.append(place)
        return {place: self.tops(place)}

    def mass(self, text: bytes, place: bytes = b"") -> float:
        """Probability that tokens end exactly at the text, over all ways to get there."""
        if place == text:
            return 1.0
        return sum(
            math.exp(logprob) * self.mass(text, place + token)
            for token, logprob in self.tops(place).items()
            if text.startswith(place + token)
        )


@given(
    st.lists(st.text(LETTERS.strip(), min_size=1, max_size=3), min_size=1, max_size=4, unique=True), st.integers(0, 99)
)
async def test_masses_are_those_of_all_spellings_and_each_place_is_read_once(labels: list[str], seed: int) -> None:
    toy = Toy(seed)
    got = await label_logprobs(labels, toy.read, forces=False)
    assert got.keys() == set(labels)
    assert len(toy.places) == len(set(toy.places))
    assert math.fsum(map(math.exp, got.values())) <= 1 + 1e-9
    for label in labels:
        if not any(other != label and other.startswith(label) for other in labels):
            whole = toy.mass(label.encode()) + toy.mass(b" " + label.encode())
            # Ways below 1 % of the label are not followed; there are few of them here.
            assert math.exp(got[label]) == pytest.approx(whole, rel=0.06)


def table(rows: Mapping[str, Mapping[str, float]]) -> Callable[[Place, bytes], Any]:
    """A reader of fixed probabilities."""

    async def read(place: Place, target: bytes) -> Mapping[Place, Tops]:
        row = rows.get(place.decode())
        return {} if row is None else {place: {token.encode(): math.log(p) for token, p in row.items()}}

    return read


def close(got: Mapping[str, float], expected: Mapping[str, float]) -> None:
    assert {label: math.exp(value) for label, value in got.items()} == pytest.approx(expected)


async def test_a_label_that_begins_another_leaves_it_its_share() -> None:
    read = table({"": {"1": 0.6, "2": 0.3}, "1": {"0": 0.25, ".": 0.7}})
    close(await label_logprobs(("1", "2", "10"), read, forces=False), {"1": 0.45, "2": 0.3, "10": 0.15})


async def test_labels_that_share_their_first_token_are_read_as_sequences() -> None:
    read = table(
        {"": {"not": 0.8, " not": 0.1}, "not": {" met": 0.5, " ap": 0.4}, " not": {" met": 1.0}}
        | {"not ap": {"plicable": 1.0}}
    )
    close(
        await label_logprobs(("not met", "not applicable"), read, forces=False),
        {"not met": 0.5, "not applicable": 0.32} | {"not met": 0.4 + 0.1},
    )


async def test_the_label_with_a_space_in_front_counts_too() -> None:
    close(
        await label_logprobs(("Yes", "No"), table({"": {"Yes": 0.5, " Yes": 0.2, "No": 0.1}}), forces=False),
        {"Yes": 0.7, "No": 0.1},
    )


async def test_a_label_that_is_not_reported_is_left_out_and_none_is_invented() -> None:
    assert (await label_logprobs(("Yes", "No"), table({"": {"Yes": 0.9, "Maybe": 0.05}}), forces=False)).keys() == {
        "Yes"
    }
    assert await label_logprobs(("Yes", "No"), table({"": {"Well": 0.9}}), forces=False) == {}


async def test_where_nothing_can_be_continued_a_label_of_several_tokens_is_refused() -> None:
    with pytest.raises(CallError, match="--read-out reasoned"):
        await label_logprobs(("not met", "met"), table({"": {"not": 0.7, "met": 0.2}}), forces=False)


async def test_a_negligible_beginning_that_cannot_be_continued_harms_nothing() -> None:
    read = table({"": {"Yes": 0.9, "No": 0.05, "Y": 0.001}})
    close(await label_logprobs(("Yes", "No"), read, forces=False), {"Yes": 0.9, "No": 0.05})


async def asked(loopback: Loopback, question: Question, server: str = "openai", **options: Any) -> Reply:
    backend = build_compatible("judge", base_url=loopback.url, server=server, **options)
    try:
        return await backend.ask(question)
    finally:
        await backend.aclose()


YES_NO = {"Yes": -0.2, "No": -1.9, "Well": -4.0}


async def test_labels_of_one_token_take_one_request_of_one_token(loopback: Loopback, question: Make) -> None:
    loopback.answer = lambda seen: Answer(completion("Yes", tops=[YES_NO]))
    reply = await asked(loopback, question(labels=("Yes", "No")))
    (seen,) = loopback.asked
    assert (seen.body["max_tokens"], seen.body["logprobs"], seen.body["top_logprobs"]) == (1, True, 20)
    assert reply.logprobs == pytest.approx({"Yes": -0.2, "No": -1.9})
    assert (reply.text, reply.logprobs_are) == ("Yes", "raw")


@pytest.mark.parametrize("server", ["vllm", "sglang"])
async def test_a_reply_that_was_begun_is_gone_on_with(server: str, loopback: Loopback, question: Make) -> None:
    def answer(seen: Seen) -> Answer:
        begun = seen.body["messages"][-1]
        if begun["role"] == "user":
            return Answer(completion("not", tops=[{"not": math.log(0.6), "met": math.log(0.3)}]))
        assert begun == {"role": "assistant", "content": "not"}
        assert seen.body["continue_final_message"] is True
        return Answer(completion(" met", tops=[{" met": math.log(0.5)}]))

    loopback.answer = answer
    reply = await asked(loopback, question(labels=("met", "not met")), server)
    assert reply.failure is None
    assert reply.logprobs == pytest.approx({"met": math.log(0.3), "not met": math.log(0.3)})
    assert reply.usage.prompt_tokens == 200, "both requests count"
    assert reply.sent["requests"] == 2


async def test_a_label_that_is_not_among_the_likeliest_is_asked_for_by_its_token(
    loopback: Loopback, question: Make
) -> None:
    numbers = {"No": 7, " No": 8, "Yes": 1, " Yes": 2}
    logprobs = {7: -9.0, 8: -11.0}

    def answer(seen: Seen) -> Answer:
        if seen.path == "/tokenize":
            return Answer({"tokens": [numbers[seen.body["prompt"]]]})
        named = seen.body.get("logprob_token_ids")
        if named is None:
            return Answer(completion("Yes", tops=[{"Yes": -0.1, "Well": -8.0}]))
        (word,) = [word for word, number in numbers.items() if [number] == named]
        return Answer(completion(word, tops=[{word: logprobs[named[0]]}]))

    loopback.answer = answer
    reply = await asked(loopback, question(labels=("Yes", "No")), "vllm")
    assert reply.failure is None
    whole = math.log(math.exp(-9.0) + math.exp(-11.0))
    assert reply.logprobs == pytest.approx({"Yes": -0.1, "No": whole})


@pytest.mark.parametrize("status", [400, 404])
async def test_where_no_token_can_be_named_the_label_stays_unknown(
    status: int, loopback: Loopback, question: Make
) -> None:
    def answer(seen: Seen) -> Answer:
        if seen.path == "/tokenize":
            return Answer({"tokens": [7]}) if status == 400 else Answer({}, 404)
        if "logprob_token_ids" in seen.body:
            return Answer({"error": {"message": "extra fields not permitted"}}, 400)
        return Answer(completion("Yes", tops=[{"Yes": -0.1, "Well": -8.0}]))

    loopback.answer = answer
    reply = await asked(loopback, question(labels=("Yes", "No")), "vllm")
    assert (reply.failure, (reply.logprobs or {}).keys()) == (None, {"Yes"})


async def test_fewer_likely_tokens_are_asked_for_where_so_many_are_refused(loopback: Loopback, question: Make) -> None:
    def answer(seen: Seen) -> Answer:
        if seen.body["top_logprobs"] > 5:
            return Answer({"error": {"message": "top_logprobs must be at most 5"}}, 400)
        return Answer(completion("Yes", tops=[YES_NO]))

    loopback.answer = answer
    reply = await asked(loopback, question(labels=("Yes", "No")))
    assert (reply.failure, reply.sent["top_logprobs"]) == (None, 5)


@pytest.mark.parametrize("way", ["refuses", "ignores"])
async def test_a_server_without_log_probabilities_is_found_out_and_says_what_to_do(
    way: str, loopback: Loopback, question: Make
) -> None:
    refusal = Answer({"error": {"message": "logprobs are not supported with this model"}}, 400)
    loopback.answer = lambda seen: refusal if way == "refuses" else Answer(completion("Yes"))
    backend = build_openai("gpt-6-sol", base_url=loopback.url)
    assert backend.capabilities.label_logprobs == "raw"
    reply = await backend.ask(question(labels=("Yes", "No")))
    await backend.aclose()
    assert reply.failure is not None
    assert (reply.failure.reason, reply.failure.fatal, reply.logprobs) == ("infra", True, None)
    assert "--read-out reasoned" in reply.failure.detail
    assert backend.capabilities.label_logprobs is None


async def test_one_reply_without_log_probabilities_from_a_server_that_reports_them_is_asked_for_again(
    loopback: Loopback, question: Make
) -> None:
    backend = build_compatible("judge", base_url=loopback.url, server="openai")
    replies = []
    for tops in ([YES_NO], None, [YES_NO]):
        loopback.answer = lambda seen, tops=tops: Answer(completion("Yes", tops=tops))
        replies.append(await backend.ask(question(labels=("Yes", "No"))))
    await backend.aclose()
    first, empty, third = replies
    assert (first.failure, third.failure) == (None, None)
    assert empty.failure is not None
    assert (empty.logprobs, empty.failure.retryable, empty.failure.fatal) == (None, True, False)


@pytest.mark.parametrize("make", ["lmstudio", "responses"])
async def test_without_log_probabilities_one_of_the_words_is_asked_for(
    make: str, loopback: Loopback, question: Make
) -> None:
    from .openai_replies import response

    text = '{"level": "not met"}'
    if make == "lmstudio":
        backend, answer = build_compatible("m", base_url=loopback.url, server="lmstudio"), completion(text)
    else:
        backend, answer = build_openai("gpt-4o", base_url=loopback.url, api="responses"), response(text)
    loopback.answer = lambda seen: Answer(answer)
    reply = await backend.ask(question(labels=("met", "not met")))
    await backend.aclose()
    assert backend.capabilities.label_logprobs is None
    assert (reply.text, reply.logprobs, reply.logprobs_are) == ("not met", None, None)
    assert b'"enum":["met","not met"]' in loopback.asked[0].raw.replace(b" ", b"").replace(b"notmet", b"not met")


JUDGED = '{"explanation": "It is.", "level": "Yes"}'


@pytest.mark.parametrize("way", ["refuses", "ignores"])
async def test_a_judge_whose_read_out_was_left_open_reads_reasons_where_a_server_has_no_log_probabilities(
    way: str, loopback: Loopback
) -> None:
    refusal = Answer({"error": {"message": "logprobs are not supported with this model"}}, 400)

    def answer(seen: Seen) -> Answer:
        if seen.method == "GET":
            return Answer({"data": [{"id": "judge", "owned_by": "nobody"}]})
        if "logprobs" in seen.body:
            return refusal if way == "refuses" else Answer(completion("yes"))
        return Answer(completion(JUDGED))

    loopback.answer = answer
    rubric = Rubric(id="t", version="1", draft=True, criteria=(Criterion(id="a", text="It is."),))
    backend = build_compatible("judge", base_url=loopback.url)
    async with make_judge(rubric, backend=backend) as judge:
        result = await judge("Some text.")
        assert judge.downgraded
    assert [(v.level, v.distribution, v.explanation) for v in result.verdicts] == [("met", None, "It is.")]
    # Short questions found it out; no criterion was asked about in vain.
    *short, last = loopback.asked
    assert short
    assert all("logprobs" in seen.body and "Some text." not in str(seen.body) for seen in short)
    assert "logprobs" not in last.body


async def test_a_fault_while_looking_for_log_probabilities_decides_nothing(loopback: Loopback) -> None:
    backend = build_compatible("judge", base_url=loopback.url, server="openai")
    loopback.answer = lambda seen: Answer({"error": {"message": "overloaded"}}, 503)
    await backend.prepare(labels=True)
    assert backend.capabilities.label_logprobs == "raw"
    loopback.answer = lambda seen: Answer(completion("yes"))
    await backend.prepare(labels=True)
    assert backend.capabilities.label_logprobs is None
    await backend.aclose()


@pytest.mark.parametrize("server", ["vllm", "llamacpp", "sglang"])
async def test_a_server_that_is_known_to_report_log_probabilities_is_asked_nothing_first(
    server: str, loopback: Loopback
) -> None:
    backend = build_compatible("judge", base_url=loopback.url, server=server)
    await backend.prepare(labels=True)
    await backend.aclose()
    assert loopback.seen == []

"""Judges of sentences without a language model: deterministic, explained, and honest about what they have seen."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

import adjudge
from adjudge.api import installed
from adjudge.errors import InputError, UnknownNameError, UnsupportedError
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Submission
from adjudge.testing import JudgeContract, ScriptedBackend
from adjudge_finance.judges import SPECS
from adjudge_finance.learned import Trained, features
from adjudge_finance.lexicon import lexicon
from adjudge_finance.phrasebank import load_sentences
from adjudge_finance.rubrics import pack

BUILD = {spec.name: spec.build for spec in SPECS}
UP = Submission(id="s", output="Operating profit rose to 4 million euros; costs fell.")


class TestRule(JudgeContract):
    asks = False

    def make_judge(self):
        return BUILD["phrase-structure"]()

    def rubric(self):
        return pack("investor-sentiment")

    def item(self):
        return UP


@pytest.fixture
def learned_folder(tmp_path: Path) -> Path:
    """The synthetic sentences in the layout of the PhraseBank, all of them in every file."""
    lines = "".join(f"{one.text}@{one.sentiment}\r\n" for one in load_sentences())
    for name in ("AllAgree", "75Agree", "66Agree", "50Agree"):
        (tmp_path / f"Sentences_{name}.txt").write_text(lines, "iso-8859-1")
    return tmp_path


def test_a_verdict_says_what_moves_where_and_quotes_it() -> None:
    result = adjudge.judge(UP, "finance/investor-sentiment", judge="phrase-structure")
    verdict = result.verdict("sentiment")
    assert verdict.level == "positive"
    assert verdict.explanation == (
        '"Operating profit" goes up ("rose"), for positive; "costs" goes down ("fell"), for positive: positive'
    )
    assert [UP.output[quote.start : quote.end] for quote in verdict.quotes] == [
        "Operating profit",
        "rose",
        "costs",
        "fell",
    ]
    assert verdict.distribution == {"positive": 1, "neutral": 0, "negative": 0}
    nothing = adjudge.judge("We met on Tuesday.", "finance/investor-sentiment", judge="phrase-structure")
    assert nothing.verdict("sentiment").explanation == "nothing moves, and nothing speaks for itself: neutral"


@pytest.mark.parametrize("text", ["", " \n", "…", "!?"])
def test_a_text_without_words_is_unscored_and_not_neutral(text: str) -> None:
    verdict = adjudge.judge(text, "finance/investor-sentiment", judge="phrase-structure").verdict("sentiment")
    assert (verdict.status, verdict.reason, verdict.detail) == ("unscored", "abstain", "there are no words to judge")


def test_the_lexicon_is_the_one_with_the_levels_of_the_scale() -> None:
    text = "Unemployment rose."
    assert adjudge.judge(text, "finance/policy-stance", judge="phrase-structure").verdict("stance").level == "dovish"
    investor = adjudge.judge(text, "finance/investor-sentiment", judge="phrase-structure")
    assert investor.verdict("sentiment").level == "negative"


def test_a_rubric_with_other_levels_is_refused_before_anything_is_judged() -> None:
    with pytest.raises(UnsupportedError, match=r"'suitability'.*positive/negative/neutral or hawkish/dovish/neutral"):
        adjudge.make_judge(pack("advice"), judge="phrase-structure")
    with pytest.raises(UnsupportedError, match="does not take these options"):
        adjudge.make_judge(pack("policy-stance"), judge="phrase-structure", lexikon="policy")
    with pytest.raises(InputError, match="shipped lexicons are investor, policy"):
        adjudge.make_judge(pack("policy-stance"), judge="phrase-structure", lexicon="no-such")
    with pytest.raises(UnknownNameError, match="did you mean 'phrase-structure"):
        adjudge.make_judge(pack("policy-stance"), judge="phrase-struct")


def test_code_and_model_share_a_rubric(monkeypatch: pytest.MonkeyPatch) -> None:
    sentiment = pack("investor-sentiment").criteria[0]
    rubric = Rubric(id="x", version="1", draft=True, criteria=(sentiment, Criterion(id="plain", text="It is plain.")))
    members = [
        {"judge": "phrase-structure", "criteria": ["sentiment"]},
        {"judge": "isolated", "backend": ScriptedBackend({"plain": {"yes": 0.9, "no": 0.1}})},
    ]
    result = adjudge.judge(UP, rubric, judge="mixed", members=members)
    assert [verdict.level for verdict in result.verdicts] == ["positive", "met"]


class TestLearned(JudgeContract):
    asks = False

    @pytest.fixture(autouse=True)
    def _folder(self, learned_folder: Path) -> None:
        self.folder = learned_folder

    def make_judge(self):
        return BUILD["phrase-structure-learned"](train=str(self.folder), folds=3)

    def rubric(self):
        return pack("investor-sentiment")

    def item(self):
        return UP


def test_a_sentence_of_the_training_data_is_judged_by_what_has_not_seen_it(learned_folder: Path) -> None:
    """One odd label cannot be learned by heart: its sentence is never judged by a model that saw the label."""
    texts = [f"The harbour of town {number} has a lighthouse." for number in range(30)]
    levels = ["neutral"] * 29 + ["negative"]
    texts += [f"Profit rose in region {number}." for number in range(10)]
    texts += [f"Profit fell in region {number}." for number in range(10)]
    levels += ["positive"] * 10 + ["negative"] * 10
    model, twin = (Trained(tuple(texts), tuple(levels), lexicon("investor"), folds=5) for _ in range(2))
    assert model.judge(texts[29]) == "neutral"
    assert [model.judge(text) for text in texts] == model.cross_validated()
    assert model.judge("Profit fell in the north.") == "negative"
    assert model.cross_validated() == twin.cross_validated()


def test_a_sentence_that_stands_twice_is_in_one_fold() -> None:
    texts = ("a", "b", "c", "d", "a")
    model = Trained(texts, ("x", "x", "y", "y", "x"), lexicon("investor"), folds=2)
    assert len(model.cross_validated()) == 5
    assert model.cross_validated()[0] == model.cross_validated()[4]


def test_features_hold_symbols_words_findings_and_the_verdict_of_the_rule() -> None:
    found = features("Profit rose in Oulu.", lexicon("investor"))
    assert {"symbols C+ UP END", "C+ UP", "in oulu", "finding +1", "rule +1"} <= set(found)


@pytest.mark.parametrize("folds", [1, 3])
def test_folds_that_a_label_cannot_fill_are_refused(folds: int) -> None:
    with pytest.raises(UnsupportedError, match=rf"folds={folds}: there are 2 sentences"):
        Trained(("a", "b", "c", "d"), ("x", "x", "y", "y"), lexicon("investor"), folds=folds)


def test_what_the_learned_judge_needs_is_said_before_anything_is_judged(
    learned_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rubric = pack("investor-sentiment")
    with pytest.raises(UnsupportedError, match="-J train=PATH"):
        adjudge.make_judge(rubric, judge="phrase-structure-learned")
    with pytest.raises(InputError, match=r"/no/folder: no such file or folder; Financial PhraseBank .* licence"):
        adjudge.make_judge(rubric, judge="phrase-structure-learned", train="/no/folder")
    with pytest.raises(UnsupportedError, match="folds=500: there are"):
        adjudge.make_judge(rubric, judge="phrase-structure-learned", train=str(learned_folder), folds=500)
    monkeypatch.setattr("adjudge_finance.learned.find_spec", lambda name: None)
    with pytest.raises(UnsupportedError, match=r'pip install "adjudge-finance\[learned\]"'):
        adjudge.make_judge(rubric, judge="phrase-structure-learned", train=str(learned_folder))


def test_a_lexicon_of_ones_own_has_no_data_to_learn_from(tmp_path: Path, learned_folder: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[outcomes]\nplus="met"\nminus="unmet"\nneither="unmet"\n[concepts]\nplus=["a"]\nminus=["b"]\n'
        '[directions]\nup=["c"]\ndown=["d"]\n[events]\nplus=["e"]\nminus=["f"]\n[negation]\nwords=["g"]\n'
    )
    rubric = Rubric(id="x", version="1", draft=True, criteria=(Criterion(id="a", text="a"),))
    with pytest.raises(UnsupportedError, match="no data set here is labelled with"):
        adjudge.make_judge(rubric, judge="phrase-structure-learned", train=str(learned_folder), lexicon=str(path))
    result = adjudge.judge("a c", rubric, judge="phrase-structure", lexicon=str(path))
    assert (result.verdict("a").level, result.score.value) == ("met", 1.0)


def test_neither_judge_starts_a_backend() -> None:
    assert {name: installed().judges[name].asks for name in BUILD} == dict.fromkeys(BUILD, False)
    with_judge = adjudge.make_judge(pack("policy-stance"), judge="phrase-structure")
    assert with_judge.backend.name == "none"


def test_a_judge_with_another_lexicon_has_another_name_so_that_its_card_is_its_own(tmp_path):
    shipped = (files("adjudge_finance") / "data" / "investor.toml").read_text("utf-8")
    own, same = tmp_path / "own.toml", tmp_path / "same.toml"
    own.write_text(shipped.replace("plus", "minus"), "utf-8")
    same.write_text(own.read_text("utf-8"), "utf-8")
    names = [BUILD["phrase-structure"](lexicon=str(path) if path else "").name for path in (None, own, same)]
    assert names[0] == "phrase-structure"
    assert names[1] == names[2] != names[0]

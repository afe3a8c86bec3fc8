"""The learned version of the phrase-structure judge: a linear support vector machine on linearised sentences.

After the outline of Malo et al. 2014 (arXiv:1307.5336): entities of a lexicon, put in a row, with their polarity and
direction, are what a classifier learns from. Which features exactly is our choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from adjudge.errors import UnsupportedError
from adjudge_finance.lexicon import Lexicon
from adjudge_finance.phrases import findings, parsed, polarity

LONGEST_SYMBOLS = 4
"""Longest run of symbols that is one feature."""
LONGEST_WORDS = 2
"""Longest run of words and symbols of the linearised sentence that is one feature."""
END = "END"
"""Stands behind the last symbol, so that a run can say that it ends the sentence."""


def features(text: str, lexicon: Lexicon) -> list[str]:
    """The features of a sentence, each as often as it occurs.

    Runs of up to four entity symbols, runs of up to two words of the linearised sentence, each finding of the rule
    table with its sign, and the rule's verdict.
    """
    sentence = parsed(text, lexicon)
    told = findings(sentence.entities)
    runs = [f"symbols {run}" for run in _runs([*sentence.symbols, END], LONGEST_SYMBOLS)]
    signs = [f"finding {finding.sign:+d}" for finding in told]
    return [*runs, *_runs(sentence.linearised, LONGEST_WORDS), *signs, f"rule {polarity(told):+d}"]


def _runs(words: Sequence[str], longest: int) -> list[str]:
    return [
        " ".join(words[start : start + size])
        for size in range(1, longest + 1)
        for start in range(len(words) - size + 1)
    ]


def needs_sklearn() -> None:
    """Say what to install if scikit-learn is not there.

    Raises:
        UnsupportedError: It is not.
    """
    if find_spec("sklearn") is None:
        raise UnsupportedError('learning needs scikit-learn; pip install "adjudge-finance[learned]"')


@dataclass(frozen=True)
class Trained:
    """A classifier that has seen labelled sentences, and one for each fold of them that has not seen that fold.

    A sentence of the training data is judged by the one that has not seen it, so that figures over these sentences
    are those of a cross-validation.
    """

    texts: tuple[str, ...]
    """The sentences; one that stands twice is always in one fold."""
    levels: tuple[str, ...]
    """Their labels, in the same order."""
    lexicon: Lexicon
    """What the features are made with."""
    folds: int = 10
    """Number of parts that the sentences are divided into."""
    seed: int = 0
    """Divides them."""

    def __post_init__(self) -> None:
        """Refuse folds that some label cannot fill.

        Raises:
            UnsupportedError: Naming the label.
        """
        counts = Counter(dict(zip(self.texts, self.levels, strict=True)).values())
        rarest, count = min(counts.items(), key=lambda pair: pair[1], default=("any label", 0))
        if not 2 <= self.folds <= count or len(counts) < 2:  # noqa: PLR2004 - to tell apart, two are needed
            raise UnsupportedError(f"folds={self.folds}: there are {count} sentences of {rarest!r} to share out")

    def judge(self, text: str) -> str:
        """The level of a sentence."""
        fold = self._fold_of.get(text)
        model = self._whole if fold is None else self._unseen[fold]
        return str(model.predict([features(text, self.lexicon)])[0])

    def cross_validated(self) -> list[str]:
        """The level of every training sentence by the classifier that has not seen it, in their order."""
        found: dict[int, str] = {}
        for fold, model in enumerate(self._unseen):
            part = [place for place, text in enumerate(self.texts) if self._fold_of[text] == fold]
            given = model.predict([self._features[place] for place in part])
            found |= dict(zip(part, map(str, given), strict=True))
        return [found[place] for place in range(len(self.texts))]

    @cached_property
    def _features(self) -> list[list[str]]:
        return [features(text, self.lexicon) for text in self.texts]

    @cached_property
    def _fold_of(self) -> dict[str, int]:
        from sklearn.model_selection import StratifiedKFold

        # One label a sentence decides where it goes; all its rows go there.
        unique = dict(zip(self.texts, self.levels, strict=True))
        splitter = StratifiedKFold(self.folds, shuffle=True, random_state=self.seed)
        texts = list(unique)
        parts = splitter.split(texts, list(unique.values()))
        return {texts[place]: fold for fold, (_, part) in enumerate(parts) for place in part}

    @cached_property
    def _whole(self) -> Any:
        return self._fitted(range(len(self.texts)))

    @cached_property
    def _unseen(self) -> list[Any]:
        folds = [self._fold_of[text] for text in self.texts]
        return [
            self._fitted([place for place, other in enumerate(folds) if other != fold]) for fold in range(self.folds)
        ]

    def _fitted(self, places: Sequence[int]) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import LinearSVC

        model = make_pipeline(TfidfVectorizer(analyzer=list, sublinear_tf=True), LinearSVC(random_state=self.seed))
        return model.fit([self._features[place] for place in places], [self.levels[place] for place in places])

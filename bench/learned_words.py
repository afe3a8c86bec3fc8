"""The plainest judge that learns: logistic regression over the words of what is judged, in cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

NAME = "words, learned, tenfold"
FOLDS = 10


def levels_of_texts(texts: Sequence[str], gold: Sequence[str], clusters: Sequence[str], seed: int) -> list[str]:
    """A level for each text, by a classifier that has seen no text of its cluster."""
    return _cross_fitted(_counted(texts), gold, clusters, seed, intercept=True)


def levels_of_pairs(
    pairs: Sequence[tuple[str, str]], gold: Sequence[str], clusters: Sequence[str], seed: int
) -> list[str]:
    """`first` or `second` for each pair, by the difference of their words: the same choice in either order."""
    counted = _counted([text for pair in pairs for text in pair])
    return _cross_fitted(counted[0::2] - counted[1::2], gold, clusters, seed, intercept=False)


def _counted(texts: Sequence[str]) -> Any:
    """Words and pairs of words, weighted by how rare they are; labels are not looked at, so folds may share it."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(texts)


def _cross_fitted(
    features: Any, gold: Sequence[str], clusters: Sequence[str], seed: int, *, intercept: bool
) -> list[str]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    folds = StratifiedGroupKFold(n_splits=FOLDS, shuffle=True, random_state=seed)
    learner = LogisticRegression(C=10.0, max_iter=2000, fit_intercept=intercept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a rare level may be in fewer clusters than there are folds
        found = cross_val_predict(learner, features, list(gold), groups=list(clusters), cv=folds)
    return [str(level) for level in found]

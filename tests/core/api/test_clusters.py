"""Items that name no cluster are each their own, and null names none."""

from __future__ import annotations

import pytest

from adjudge.submission import Comparison, Submission


def of(metadata, kind):
    one = Submission(id="a", input="i", metadata=metadata)
    return one if kind is Submission else Comparison(id="a", submissions=(one, one), metadata=metadata)


@pytest.mark.parametrize("kind", [Submission, Comparison])
@pytest.mark.parametrize(
    ("metadata", "cluster"), [({}, "a"), ({"cluster": None}, "a"), ({"cluster": 7}, "7"), ({"cluster": "x"}, "x")]
)
def test_a_cluster_is_what_metadata_name_else_the_item_itself(metadata, cluster, kind):
    assert of(metadata, kind).cluster == cluster

"""Posts are read in the layouts of public data sets, and a bad row is named by file and line."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adjudge.errors import InputError
from adjudge_aita.loader import load_posts

DATA = Path(os.environ.get("ADJUDGE_DATA", Path(__file__).parents[2] / "../shared/data")) / "aita_buhler"
FLAIR = {"": "1", "Judgement": "NAH", "Title": "AITA for a test?", "Content": "A story,\nof two lines.", "Date": "2020"}
DUMP = {
    "id": "t3_a",
    "timestamp": 1.6e9,
    "title": "AITA for a test?",
    "body": "A story.",
    "verdict": "not the asshole",
    "score": 12,
    "num_comments": 3,
    "is_asshole": 0,
}
VOTES = {
    "id": "b7",
    "title": "AITA for a test?",
    "text": "A story.",
    "label": "AUTHOR",
    "label_scores": {"AUTHOR": 5, "OTHER": 2, "EVERYBODY": 1, "NOBODY": 0, "INFO": 1},
}


def csv_file(path: Path, *rows: dict[str, Any]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def lines_file(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_a_table_with_one_flair_a_post_and_an_unnamed_first_column(tmp_path: Path) -> None:
    (post,) = load_posts(csv_file(tmp_path / "posts.csv", FLAIR))
    assert (post.id, post.title, post.body) == ("1", "AITA for a test?", "A story,\nof two lines.")
    assert (post.verdicts, post.votes, post.top_comment) == (("NAH",), {}, "")


def test_a_compressed_table_is_the_same(tmp_path: Path) -> None:
    plain = csv_file(tmp_path / "posts.csv", FLAIR)
    packed = tmp_path / "posts.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert [post.id for post in load_posts(packed)] == ["1"]


def test_a_dump_with_spelt_out_verdicts(tmp_path: Path) -> None:
    names = {"asshole": "YTA", "Everyone Sucks": "ESH", "no assholes here": "NAH", "not the asshole": "NTA"}
    rows = [{**DUMP, "id": str(place), "verdict": name} for place, name in enumerate(names)]
    assert [post.verdicts for post in load_posts(csv_file(tmp_path / "d.csv", *rows))] == [(x,) for x in names.values()]


def test_votes_per_label_under_the_names_of_scruples(tmp_path: Path) -> None:
    (post,) = load_posts(lines_file(tmp_path / "a.jsonl", VOTES))
    assert post.verdicts == ("YTA",)
    assert post.votes == {"NTA": 2, "YTA": 5, "ESH": 1, "NAH": 0, "INFO": 1}


def test_votes_as_json_in_a_cell_and_the_verdict_that_follows_from_them(tmp_path: Path) -> None:
    row = {"id": "x", "title": "t", "body": "b", "votes": '{"NTA": 3, "ESH": 3, "YTA": 1}'}
    (post,) = load_posts(csv_file(tmp_path / "v.csv", row))
    assert post.verdicts == ("NTA", "ESH"), "even votes give no single verdict"


def test_votes_counted_from_comments(tmp_path: Path) -> None:
    row = {"id": "x", "title": "t", "body": "b", "comments": ["NTA, she lied", "YTA", "NTA or ESH", "nta", "hm"]}
    (post,) = load_posts(lines_file(tmp_path / "c.jsonl", row))
    assert (post.votes["NTA"], post.votes["YTA"], post.votes["ESH"]) == (2, 1, 0)
    assert post.verdicts == ("NTA",)


def test_a_removed_post_is_refused_by_line_and_skipped_when_asked(tmp_path: Path) -> None:
    path = lines_file(tmp_path / "d.jsonl", DUMP, {**DUMP, "id": "gone", "body": "[removed]"})
    with pytest.raises(InputError, match=r"d.jsonl:2: the text of the post is gone.*removed=skip"):
        load_posts(path)
    assert [post.id for post in load_posts(path, "skip")] == ["t3_a"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"verdict": "maybe"}, "'maybe' is no verdict; it must be one of NTA"),
        ({"verdict": ""}, "neither a verdict nor a single vote"),
        ({"votes": "[1]"}, "votes is a list; write an object"),
        ({"votes": "{"}, "votes is no JSON"),
        ({"votes": {"NTA": -1}}, "votes for 'NTA' are -1"),
        ({"votes": {"NTA": True}}, "votes for 'NTA' are True"),
        ({"votes": {"WAT": 1}}, "'WAT' is no verdict"),
        ({"comments": "NTA"}, "comments is no JSON; write an array"),
    ],
)
def test_a_bad_cell_is_told_with_its_line(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = lines_file(tmp_path / "d.jsonl", DUMP, {**DUMP, "id": "b", **change})
    with pytest.raises(InputError, match=f"d.jsonl:2: .*{said.replace('[', '.')}") as caught:
        load_posts(path)
    assert "\n" not in str(caught.value)


def test_a_table_without_the_columns_says_under_which_names_they_are_found(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no title, body; .*title: title, Title; body: body, Content"):
        load_posts(csv_file(tmp_path / "x.csv", {"story": "a", "flair": "NTA"}))
    with pytest.raises(InputError, match="has no verdict, votes or comments"):
        load_posts(csv_file(tmp_path / "y.csv", {"title": "a", "body": "b"}))


def test_an_id_that_stands_twice_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"d.jsonl:2: repeats the id 't3_a' of .*d.jsonl:1"):
        load_posts(lines_file(tmp_path / "d.jsonl", DUMP, DUMP))
    with pytest.raises(InputError, match="holds no post"):
        load_posts(lines_file(tmp_path / "e.jsonl", {**DUMP, "body": "[deleted]"}), "skip")


def test_the_shipped_posts_are_marked_synthetic_and_cover_all_verdicts() -> None:
    posts = load_posts()
    assert len(posts) >= 30
    assert Counter(post.verdicts for post in posts).keys() == {("NTA",), ("YTA",), ("ESH",), ("NAH",), ("INFO",)}
    path = Path(posts[0].place.rpartition(":")[0])
    assert all(json.loads(line)["synthetic"] is True for line in path.read_text("utf-8").splitlines())


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the data set is not under ADJUDGE_DATA")
def test_the_published_table_is_read_whole() -> None:
    """About half of its 1,026 posts are here; their order and ids are those of the file."""
    posts = load_posts(DATA / "Data_cleaned.csv.gz")
    counts = Counter(post.verdicts[0] for post in posts)
    assert counts == {"YTA": 146, "NAH": 134, "NTA": 121, "ESH": 113}
    assert all(post.votes == {} and post.body for post in posts)

"""Vectors on disk, and what they add."""

from __future__ import annotations

import json

import numpy as np
import pytest

from adjudge.errors import InputError
from adjudge_steering.vectors import ABOUT, TENSORS, About, Vector, Vectors, load_vectors

MODEL = "a" * 64


def unit(*values: float) -> np.ndarray:
    found = np.array(values, dtype=np.float32)
    return found / np.linalg.norm(found)


def vector(rule: str, **fields) -> Vector:
    return Vector.model_validate({"rule": rule, "method": "means", "layer": 1, "strength": 0.5, "scale": 8.0, **fields})


@pytest.fixture
def made():
    about = About(
        model="tiny",
        fingerprint=MODEL,
        layers=4,
        width=3,
        vectors=(vector("warm"), vector("calm", layer=2), vector("kind", strength=1.0), vector("none", strength=0.0)),
    )
    directions = {"warm": unit(1, 0, 0), "calm": unit(0, 1, 1), "kind": unit(0, 1, 0), "none": unit(1, 1, 1)}
    return Vectors(about, directions)


def test_what_is_saved_is_loaded_bit_by_bit(made, tmp_path):
    made.save(tmp_path / "v")
    found = load_vectors(tmp_path / "v", MODEL)
    assert found.about == made.about
    assert {rule: one.tobytes() for rule, one in found.directions.items()} == {
        rule: one.tobytes() for rule, one in made.directions.items()
    }


def test_another_model_is_refused(made, tmp_path):
    made.save(tmp_path)
    with pytest.raises(InputError, match=r"made for tiny \(aaaaaaaaaaaa…\), this model is bbbb"):
        load_vectors(tmp_path, "b" * 64)


def test_additions_are_strength_times_scale_and_add_up_per_block(made):
    found = made.additions()
    assert set(found) == {1, 2}
    assert found[1] == pytest.approx(np.array([4, 8, 0]))
    assert np.linalg.norm(found[2]) == pytest.approx(4)
    assert made.additions(("warm",))[1] == pytest.approx(np.array([4, 0, 0]))
    assert made.additions(("warm",), -0.5)[1] == pytest.approx(np.array([-2, 0, 0]))


def test_nothing_is_added_at_strength_zero(made):
    assert made.additions(strength=0) == {}
    assert made.additions(("none",)) == {}


def test_an_unknown_rule_is_refused(made):
    with pytest.raises(InputError, match="no vector for the rule 'cold'; there are: warm, calm"):
        made.additions(("warm", "cold"))


def changed(path, **fields):
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, **fields}))


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (lambda folder: (folder / ABOUT).unlink(), "adjudge steer fit"),
        (lambda folder: (folder / TENSORS).unlink(), "cannot be read"),
        (lambda folder: (folder / ABOUT).write_text("{"), "is no JSON"),
        (lambda folder: (folder / TENSORS).write_bytes(b"\x00" * 30), "cannot be read"),
        (lambda folder: (folder / TENSORS).write_bytes((folder / TENSORS).read_bytes()[:-5]), "cannot be read"),
        (lambda folder: changed(folder / ABOUT, version=2), "version 2, this adjudge-steering reads 1"),
        (lambda folder: changed(folder / ABOUT, layers=2), "'calm' is for layer 2 of 2"),
        (lambda folder: changed(folder / ABOUT, width=4), "not 4 finite numbers of length 1"),
        (lambda folder: changed(folder / ABOUT, vectors=[]), "speaks of"),
        (lambda folder: changed(folder / ABOUT, format="x"), "format"),
    ],
)
def test_a_damaged_folder_is_refused(made, tmp_path, harm, what):
    made.save(tmp_path)
    harm(tmp_path)
    with pytest.raises(InputError, match=what):
        load_vectors(tmp_path)


@pytest.mark.parametrize("bad", [[np.nan, 0, 0], [2, 0, 0], [0, 0, 0]])
def test_a_direction_that_is_none_is_refused(made, tmp_path, bad):
    made.directions["warm"] = np.array(bad, dtype=np.float32)
    made.save(tmp_path)
    with pytest.raises(InputError, match="the direction of 'warm'"):
        load_vectors(tmp_path)


def test_a_folder_that_cannot_be_written_is_an_error_in_one_line(made, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        made.save(tmp_path / "file" / "v")

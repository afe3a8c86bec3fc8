"""Hostile packs end in time and within their memory, in a process of their own."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

MEMORY = 600 * 2**20
SECONDS = 60
"""Ends a hang. The promise is 5 s each; all together take about that, but a busy machine must not fail the test."""

PROGRAM = """
import sys
from adjudge.errors import PackError
from adjudge.packs import parse_pack
for expression in sys.stdin.read().splitlines():
    data = eval(expression)
    try:
        parse_pack(data, "p.yaml")
    except PackError as error:
        print(error.problems[0].rule)
    else:
        print("loaded")
"""

HOSTILE = {
    "b'[' * 2_000_000": "too-deep",
    "b'{a: ' * 500_000": "too-deep",
    "b'- ' * 1_000_000": "too-deep",
    "b'a: ' + b'[' * 2_000 + b']' * 2_000": "too-deep",
    "b''.join(b' ' * i + b'-\\n' for i in range(2_000))": "too-deep",
    "b'[' + b'a,' * 1_000_000 + b']'": "too-many-nodes",
    "b'[' + b'[],' * 600_000 + b']'": "too-many-nodes",
    "b'- a\\n' * 500_000": "too-many-nodes",
    "b'a: ' + b'x ' * 1_000_000": "too-long",
    "b'a: |\\n' + b' x\\n' * 600_000": "too-long",
    "b'\"' + b'\\\\x41' * 500_000 + b'\"'": "too-long",
    "b'a: ' + b'9' * 5_000": "unknown-field",
    "b'? ' + b'k' * 190_000 + b'\\n: 1'": "missing-field",
    "b'a: &a [x]\\n' + b''.join(b'a%d: &b%d [*a,*a,*a,*a,*a,*a,*a,*a]\\n' % (i, i) for i in range(9))": "anchor",
    "b'a: &a {x: 1}\\n' + b''.join(b'b%d: &b%d {<<: [*a,*a]}\\n' % (i, i) for i in range(30))": "anchor",
    "b'%A\\n' * 600_000": "directive",
    "b'--- a\\n' * 300_000": "several-documents",
    "b'\\n' * 2_000_000": "empty",
    "b'#' * 2_000_000": "empty",
    "b'\\x00' * 2_000_000": "control-character",
    "b'\\xff' * 2_000_000": "not-utf-8",
    "b'x' * 3_000_000": "too-large",
    "b'id: x\\nversion: 1\\ndraft: true\\ncriteria:\\n' + b'- a\\n' * 29_000": "wrong-kind",
    "b'id: x\\nversion: 1\\ndraft: true\\ncriteria:\\n' + b'- {id: a, text: b}\\n' * 5_900": "repeated-id",
    "b'id: x\\nversion: 1\\ndraft: true\\ncriteria:\\n- {id: a0, text: b}\\n'"
    " + b''.join(b'- {id: a%d, text: b, depends_on: [{criterion: a%d}]}\\n' % (i, i - 1) for i in range(1, 1_000))"
    "": "loaded",
}


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_hostile_packs_end_within_their_memory() -> None:
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input="\n".join(HOSTILE),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        preexec_fn=limit_memory,
        check=False,
    )
    assert process.stderr == ""
    assert dict(zip(HOSTILE, process.stdout.split(), strict=True)) == HOSTILE

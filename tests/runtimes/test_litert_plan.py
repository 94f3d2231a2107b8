"""What is read out of an interpreter's plan, with made plans; real ones are in test_runtimes.py."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.runtimes import litert_plan
from profiler.runtimes.litert_plan import Node, Place, extent, taken_by, told

# 0 is the input; 100 and 101 are constants; 4 leaves the graph.
CHAIN = [Node("CAST", (0,), (1,)), Node("CONV_2D", (1, 100), (2,)), Node("ADD", (2, 1), (3,)), Node("MEAN", (3,), (4,))]


@pytest.mark.parametrize(
    ("parts", "taken"),
    [
        ([], set()),
        ([Node("DELEGATE", (0, 100), (4,))], {0, 1, 2, 3}),
        ([Node("DELEGATE", (1, 100), (4,))], {1, 2, 3}),
        ([Node("DELEGATE", (1, 100), (2,))], {1}),
        ([Node("DELEGATE", (0,), (1,)), Node("DELEGATE", (3,), (4,))], {0, 3}),
        ([Node("DELEGATE", (0, 100), (1, 3))], {0, 1, 2}),
    ],
)
def test_what_parts_stand_for_is_found(parts: list[Node], taken: set[int]) -> None:
    assert taken_by(parts, CHAIN) == taken


@pytest.mark.parametrize(
    "parts",
    [
        # 1 and 2 are taken, and ADD outside would need what does not leave.
        [Node("DELEGATE", (0, 100), (2,))],
        # CONV_2D would be in both.
        [Node("DELEGATE", (1, 100), (2,)), Node("DELEGATE", (1, 100), (3,))],
        # Nobody makes 9.
        [Node("DELEGATE", (0,), (9,))],
    ],
)
def test_a_plan_that_could_not_run_tells_nothing(parts: list[Node]) -> None:
    assert taken_by(parts, CHAIN) is None


def test_an_optional_input_that_is_absent() -> None:
    operators = [Node("CONV_2D", (0, 100, -1), (1,)), Node("MEAN", (1,), (2,))]
    assert taken_by([Node("DELEGATE", (0, 100), (1,))], operators) == {0}


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=20),
    st.data(),
    st.lists(st.integers(64, 10_000), max_size=4),
)
def test_an_arenas_extent_is_that_of_its_tensors(sizes: list[int], data: st.DataObject, gaps: list[int]) -> None:
    """Each tensor begins at the arena's start or, aligned, at another's end; what is elsewhere is left out."""
    base = 1 << 20
    places: list[Place] = []
    for size in sizes:
        start = data.draw(st.sampled_from([base, *(place.end + -place.end % 64 for place in places)]))
        places.append(Place(start, start + size))
    top = max(place.end for place in places)
    elsewhere, end = [Place(base - 1000, base - 64)], top
    for gap in gaps:
        elsewhere.append(Place(end + gap, end + gap + 10))
        end += gap + 10
    anchor = data.draw(st.sampled_from(places))
    assert extent(anchor, data.draw(st.permutations([*places, *elsewhere]))) == top - base


class Interpreter:
    """An interpreter of `CHAIN`, its tensors in one buffer: the input, what `parts` leave outside, a constant."""

    def __init__(self, parts: list[Node], where: dict[int, tuple[int, int]]) -> None:
        self._nodes, self._where = [*CHAIN, *parts], where
        self._memory = np.zeros(1 << 14, np.uint8)

    def _get_ops_details(self) -> list[dict[str, Any]]:
        return [
            {"op_name": node.name, "inputs": np.array(node.inputs), "outputs": np.array(node.outputs)}
            for node in self._nodes
        ]

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 0}]

    def get_tensor_details(self) -> list[dict[str, Any]]:
        return [{"index": index} for index in (0, 1, 2, 3, 4, 100, 102)]

    def tensor(self, index: int) -> Any:
        def view() -> Any:
            if index not in self._where:
                raise ValueError("Tensor data is null. Run allocate_tensors() first")
            start, size = self._where[index]
            return self._memory[start : start + size]

        return view


def test_an_interpreter_tells_of_its_plan() -> None:
    # 100 is a constant right behind the arena, 102 scratch within it.
    where = {0: (0, 64), 1: (64, 128), 3: (192, 64), 4: (0, 4), 100: (256, 64), 102: (1000, 8)}
    found = told(Interpreter([Node("DELEGATE", (1, 100), (3,))], where))
    assert found["delegate"] == "XNNPACK"
    assert found["delegated"] == "took 2 of 4 operators in 1 part"
    assert found["operators"] == [
        {"name": "CAST", "taken": 0, "total": 1},
        {"name": "CONV_2D", "taken": 1, "total": 1},
        {"name": "ADD", "taken": 1, "total": 1},
        {"name": "MEAN", "taken": 0, "total": 1},
    ]
    assert found["arena_bytes"] == 256


def test_without_a_delegate() -> None:
    found = told(Interpreter([], {0: (0, 64)}))
    assert (found["delegate"], found["delegated"]) == (None, "took none of 4 operators")
    assert all(kind["taken"] == 0 for kind in found["operators"])  # type: ignore[attr-defined]


def test_a_plan_that_is_not_understood() -> None:
    found = told(Interpreter([Node("DELEGATE", (0,), (9,))], {}))
    assert (found["delegate"], found["delegated"]) == ("XNNPACK", "1 delegate nodes in a plan of 5")
    assert found["operators"] is None
    assert found["arena_bytes"] is None


def test_names_that_are_no_text() -> None:
    class Damaged:
        def _get_ops_details(self) -> list[dict[str, Any]]:
            return [{"op_name": b"\xff".decode()}]

    assert told(Damaged())["delegated"] == "its names cannot be read"


def test_an_interpreter_without_a_plan() -> None:
    assert told(object()) == {
        "delegate": None,
        "delegated": "this version does not tell",
        "operators": None,
        "arena_bytes": None,
    }
    assert litert_plan._nodes(object()) is None

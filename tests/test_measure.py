import msgspec
import pytest
from studies import made_study

from profiler import measure


@pytest.mark.parametrize(("threads", "idle_pool"), [(1, False), (4, False), (None, True)])
def test_numpys_pool_stays_only_where_engines_choose_their_threads(threads: int | None, idle_pool: bool) -> None:
    environment = measure.worker_environment(msgspec.structs.replace(made_study()[0].plan, threads=threads))
    assert ("OPENBLAS_NUM_THREADS" not in environment) is idle_pool
    assert environment["PYTHONHASHSEED"] == "0"
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"

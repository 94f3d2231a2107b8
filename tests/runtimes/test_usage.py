"""What a part of the process used."""

import time

from profiler.records import Usage
from profiler.runtimes.usage import account, used


def test_what_is_used_between_two_accounts() -> None:
    before = account()
    end_ns = time.process_time_ns() + 30_000_000
    while time.process_time_ns() < end_ns:
        pass
    between = account()
    kept = bytearray(64 << 20)
    kept[:: 1 << 12] = b"\1" * (len(kept) >> 12)
    after = account()
    busy, touching = Usage(**used(before, between)), Usage(**used(between, after))
    # The wall clock may lag behind the process clock by less than its own step.
    assert busy.wall_ns >= 29_000_000
    assert busy.cpu_ns >= 30_000_000
    # The kernel may account by the tick, which is 10 ms at most.
    assert abs(busy.user_ns + busy.system_ns - busy.cpu_ns) <= 20_000_000
    assert touching.page_faults > 0
    assert used(after, after) == dict.fromkeys(used(after, after), 0)

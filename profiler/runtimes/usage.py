"""What a part of this process used, by its own clocks and the kernel's accounting."""

import resource
import time

Account = tuple[int, int, resource.struct_rusage]


def account() -> Account:
    """Wall and CPU clock in ns, and rusage."""
    return time.perf_counter_ns(), time.process_time_ns(), resource.getrusage(resource.RUSAGE_SELF)


def used(before: Account, after: Account) -> dict[str, int]:
    """The fields of `records.Usage` between two accounts."""
    (wall, cpu, now), (wall_then, cpu_then, then) = after, before
    return {
        "wall_ns": wall - wall_then,
        "cpu_ns": cpu - cpu_then,
        "user_ns": round(now.ru_utime * 1e9) - round(then.ru_utime * 1e9),
        "system_ns": round(now.ru_stime * 1e9) - round(then.ru_stime * 1e9),
        "page_faults": now.ru_minflt + now.ru_majflt - then.ru_minflt - then.ru_majflt,
        "context_switches": now.ru_nvcsw + now.ru_nivcsw - then.ru_nvcsw - then.ru_nivcsw,
    }


def peak_rss_bytes() -> int:
    """VmHWM, and not ru_maxrss, which survives exec and so starts from the launching process's size."""
    # The measured process imports this, and not pathlib.
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024

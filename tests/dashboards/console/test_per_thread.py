"""Connections of threads that come and go: never more of them than threads at one time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from dashboards.console.per_thread import PerThread

WITHIN_S = 20.0


class Connection:
    """Something that must be closed."""

    def __init__(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


def in_a_thread_of_its_own(ask: Callable[[], Connection]) -> Connection:
    """What `ask` returns in a thread that has ended when this returns."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result(timeout=WITHIN_S)


def test_a_thread_is_given_its_own_again() -> None:
    connections = PerThread(Connection)
    assert connections.here() is connections.here()


def test_a_thousand_threads_one_after_the_other_share_one_connection() -> None:
    connections = PerThread(Connection)
    assert len({in_a_thread_of_its_own(connections.here) for _ in range(1000)}) == 1


def test_threads_that_live_at_one_time_have_one_each_and_all_are_closed() -> None:
    connections, together = PerThread(Connection), threading.Barrier(8)

    def ask() -> Connection:
        mine = connections.here()
        together.wait(WITHIN_S)
        assert connections.here() is mine
        return mine

    with ThreadPoolExecutor(8) as pool:
        found = [asked.result(timeout=WITHIN_S) for asked in [pool.submit(ask) for _ in range(8)]]
    assert len(set(found)) == 8
    connections.close()
    assert not any(one.is_open for one in found)

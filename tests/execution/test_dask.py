"""What is sent to a cluster of Dask, seen from here."""

from concurrent.futures import Future

import pytest

pytest.importorskip("distributed")

from skpar_select.execution._dask import DaskExecutor, DaskSender


class Cluster:
    """A client that runs nothing; its workers are those of each time that it is asked."""

    status = "closed"

    def __init__(self, *workers):
        self.workers = [*workers]
        self.registered = 0
        self.contents = []

    def register_plugin(self, plugin, *, name):
        self.registered += 1

    def unregister_worker_plugin(self, name):
        self.registered -= 1

    def nthreads(self):
        threads = self.workers.pop(0)
        if threads is None:
            raise OSError("The scheduler is gone.")
        return threads

    def submit(self, function, key, content, task, *, pure):
        self.contents.append(content)
        return self

    def add_done_callback(self, call):
        pass


def test_function__goes_again_with_a_task_whose_worker_lacks_it_and_to_no_other():
    cluster = Cluster()
    sender = DaskSender(cluster, {}, b"the function")
    for lacking in (False, True, False):
        sender.send(1, lacking=lacking)
    assert cluster.contents == [None, b"the function", None]
    assert cluster.registered == 1


@pytest.mark.parametrize("end", [{}, None], ids=["no worker", "no scheduler"])
def test_stop__waits_for_tasks_in_work_as_long_as_there_are_workers(end):
    cluster = Cluster({"tcp://10.0.0.1:1": 2}, {"tcp://10.0.0.1:1": 2}, end, {"never": 1})
    sender = DaskSender(cluster, {}, b"the function")
    sender.patience = 0.01
    running = [Future(), Future()]
    sender.stop(running)
    assert all(future.cancelled() for future in running)
    assert cluster.workers == [{"never": 1}]
    assert cluster.registered == 0


def test_client__that_is_closed_is_refused():
    with pytest.raises(ValueError, match=r"is closed.*Make another"):
        DaskExecutor(Cluster(), 2)

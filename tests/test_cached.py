import threading

from skpar_select._cached import CachedProperty


class Holder:
    def __init__(self, compute):
        self.compute = compute

    @CachedProperty
    def value(self):
        """What is computed."""
        return self.compute()


def test_value__is_computed_once_for_each_object():
    counted = []
    one, other = Holder(lambda: counted.append(1) or 3), Holder(lambda: 4)
    assert (one.value, one.value, other.value) == (3, 3, 4)
    assert counted == [1]
    assert Holder.value.__doc__ == "What is computed."


def test_value__after_an_error_is_computed_again():
    outcomes = iter([0, 5])
    holder = Holder(lambda: 5 // next(outcomes))
    for _ in range(2):
        try:
            assert holder.value == 1
        except ZeroDivisionError:
            assert "value" not in vars(holder)


def test_value__of_another_object_does_not_wait():
    # As a process would that is forked while a thread computes: the lock stayed with the thread.
    begun, end = threading.Event(), threading.Event()
    slow = Holder(lambda: begun.set() or end.wait(60))
    thread = threading.Thread(target=lambda: slow.value)
    thread.start()
    try:
        assert begun.wait(60)
        assert Holder(lambda: 2).value == 2
    finally:
        end.set()
        thread.join()

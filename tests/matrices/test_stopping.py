"""A read that is no longer wanted ends before it has given all values."""

import numpy as np
import pytest
from containers import KINDS, opened, values_of

from skpar_select._stopping import Stopped, new_flag, until_stopped


@pytest.mark.parametrize("kind", KINDS)
def test_read__ends_once_the_flag_is_set(kind, tmp_path):
    X = opened(kind, tmp_path, values_of(np.float64))
    flag = new_flag()

    def read(columns):
        flag[0] = True
        X.fetch(columns).decode()

    if X.in_memory:
        read(range(X.shape[1]))
        return
    with pytest.raises(Stopped):
        until_stopped(flag, read, range(X.shape[1]))

from layouts import layout_of, limits_of, needs_of

from skpar_select.planning.strategies import InMemory


def priced(**changes):
    layout = layout_of("chunked", ratio=0.5)
    limits = limits_of(layout, needs_of(), **changes)
    return InMemory.price(layout, needs_of(), limits, 10**9)


def test_in_memory__holds_the_whole_and_reads_it_once():
    layout, made = layout_of("chunked", ratio=0.5), priced()
    assert made.peak_bytes >= layout.n_bytes
    assert made.bytes_read == layout.stored_bytes
    assert made.decoded_bytes == layout.n_bytes
    assert not made.scratch_bytes
    assert not made.in_place


def test_in_memory__is_not_offered_where_workers_do_not_share_it():
    assert priced() is not None
    assert priced(shares_memory=False) is None


def test_in_memory__needs_no_host_and_no_disk():
    assert priced(same_host=False, scratch_bytes=0) is not None

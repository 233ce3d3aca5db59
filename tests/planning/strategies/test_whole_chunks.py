from dataclasses import replace

from layouts import layout_of, limits_of, needs_of

from skpar_select.matrices.io._buffers import MAPPED_BYTES
from skpar_select.planning.strategies import Reread, Spill, WholeChunks

SMALL, LARGE = MAPPED_BYTES // 2, 2 * MAPPED_BYTES


def test_strategies__count_decoding_as_often_as_it_is_done_at_once():
    layout = layout_of("chunked", n_features=100_000, n_samples=100, chunks=(10, 1000), ratio=0.5)
    needs = needs_of(100)

    def priced(strategy, decode_bytes, budget=0, **changes):
        changed = replace(layout, decode_bytes=decode_bytes)
        return strategy.price(changed, needs, limits_of(changed, needs, **changes), budget)

    def more(strategy, **changes):
        least = priced(strategy, 0, **changes).peak_bytes
        return priced(strategy, LARGE, **changes).peak_bytes - least

    # Whole chunks are decoded by the workers, two; parts of them as they are read, three at a time.
    assert more(WholeChunks) == 2 * LARGE
    assert more(Reread) == 3 * LARGE
    # Beside blocks of another part, which may be decoded as they are read.
    assert more(WholeChunks, n_parts=2) == 3 * LARGE
    # Every thread keeps small pieces, once it has decoded a chunk.
    least = priced(WholeChunks, 0).peak_bytes
    assert priced(WholeChunks, SMALL).peak_bytes - least == 3 * SMALL
    copy = priced(Spill, 10**8, 10**9)
    assert copy.tiles.in_flight == 3
    assert copy.peak_bytes > 3 * 10**8


def test_whole_chunks__is_no_way_where_a_worker_would_get_no_block():
    layout = layout_of("chunked", n_features=1000, chunks=(5, 500))
    for n_workers, n_parts, applies in ((2, 1, True), (3, 1, False), (3, 2, True)):
        limits = limits_of(layout, needs_of(), n_workers, n_parts=n_parts)
        assert (WholeChunks.price(layout, needs_of(), limits, 10**9) is not None) == applies


def test_whole_chunks__reads_and_decodes_every_chunk_once():
    layout = layout_of("chunked", n_features=1234, ratio=0.5)
    made = WholeChunks.price(layout, needs_of(), limits_of(layout, needs_of()), 10**9)
    assert made.bytes_read == layout.stored_bytes
    assert made.decoded_bytes == layout.n_bytes
    assert made.n_passes == 1
    assert made.width % 100 == 0

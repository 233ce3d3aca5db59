from hypothesis import given
from hypothesis import strategies as st
from layouts import layout_of, limits_of

from skpar_select.planning import Needs
from skpar_select.planning.strategies import Reread


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 500))
def test_reread__counts_the_borders_of_blocks_that_are_not_those_of_chunks(
    width, chunk, n_features
):
    layout = layout_of("chunked", n_features=n_features, chunks=(10, chunk), ratio=0.5)
    limits = limits_of(layout, Needs(), n_workers=1, n_ahead=0)
    fixed = limits.fixed_bytes + layout.read_bytes + layout.decode_bytes
    made = Reread.price(layout, Needs(), limits, fixed + width * 40)
    width = min(width, n_features)
    assert made.width <= width
    begins, borders = [block.start for block in made.blocks()], range(0, n_features, chunk)
    n_inside = len(set(begins) - set(borders))
    # No fewer are possible: a column of chunks that is wider than a block has some inside.
    sizes = [min(chunk, n_features - border) for border in borders]
    fewest = 0 if width == n_features else sum(-(-size // width) - 1 for size in sizes)
    assert n_inside == fewest
    assert made.bytes_read == layout.stored_bytes + n_inside * layout.chunk_column_bytes
    # Each pass reads every chunk.
    assert made.n_passes == -(-(len(borders) + n_inside) // len(borders))
    assert made.decoded_bytes == made.n_passes * layout.n_bytes

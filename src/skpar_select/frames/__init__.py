"""Tables of other libraries: what their columns hold, by the tables' own word."""

from skpar_select.frames._base import Frame
from skpar_select.frames._kinds import Kind, floats, kinds_of_columns
from skpar_select.frames._known import as_frame, discrete_by_dtype, with_codes
from skpar_select.frames._pandas import PandasFrame

__all__ = [
    "Frame",
    "Kind",
    "PandasFrame",
    "as_frame",
    "discrete_by_dtype",
    "floats",
    "kinds_of_columns",
    "with_codes",
]

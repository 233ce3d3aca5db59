"""Data frames of pandas, which is optional: the one module that imports it."""

from typing import Any


def data_frame(values: Any, index: Any = None) -> Any:
    """Return columns by name, or an array, as a data frame; an array is not copied."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "The table of scores needs pandas, which is not installed. It is a data frame of "
            "pandas. Install it with pip install pandas, or take scores_ and get_support() as "
            "they are."
        ) from error
    return pd.DataFrame(values, index=index, copy=False)

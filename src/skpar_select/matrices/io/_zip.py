"""What a zip file holds, by name."""

import zipfile


def names_in_zip(path: str) -> list[str]:
    """Return the names in a zip file, none where it is no zip file; damage is an OSError."""
    try:
        if not zipfile.is_zipfile(path):
            return []
        with zipfile.ZipFile(path) as file:
            return file.namelist()
    # Damaged directories raise BadZipFile, NotImplementedError, UnicodeDecodeError and more.
    except Exception as error:
        raise OSError(
            f"'{path}' cannot be read as a zip file ({type(error).__name__}: {error}). It must be "
            "whole. Copy it again, or write it again."
        ) from error

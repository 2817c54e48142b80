# SPDX-License-Identifier: BSD-2-Clause
"""A configuration for a machine that no person watches: it switches itself off at its end."""
import re


def unattended(config):
    """Append to the bytes of a configuration what it does not say about the machine's end.

    Lines keep their numbers. A blank line comes first, because the last line may end with a
    backslash.
    """
    missing = [f"-{option} poweroff" for option in ("on-end", "on-panic")
               if not re.search(rb"^[^#\n]*\s--?" + option.encode() + rb"\s", config, re.MULTILINE)]
    if not missing:
        return config
    return config + f"\n\nhost {' '.join(missing)}\n".encode()

# SPDX-License-Identifier: BSD-2-Clause
"""Where the parts of Stencil are. Installed, all are in the folder of this file; in the source tree, the built
ones are in the build folder."""
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
INSTALLED = (HERE / "version").is_file()
TOP = HERE.parent  # of the source tree
BUILD = HERE if INSTALLED else pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))
STENCIL = HERE / "stencil"
if not INSTALLED:
    sys.path.append(str(TOP / "guest-tools"))  # which shares modules

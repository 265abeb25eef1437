"""Puts boards/, rtl_templates/ and sim/ into the wheel as hwgen/_data/."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
FOLDERS = ("boards", "rtl_templates", "sim")


class BuildWithData(build_py):
    """``build_py`` and then the folders that stand beside the package."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for folder in FOLDERS:
            target = Path(self.build_lib) / "hwgen" / "_data" / folder
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(
                HERE / folder, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
            )


setup(cmdclass={"build_py": BuildWithData})

"""Metadata of augustus-dl; maps config/, kernels/ and species/ into the package when installed.

None of these folders has an `__init__.py` at its top: a package named `kernels` on `sys.path` would
shadow the one transformers looks for. In a checkout `augustus_dl/__init__.py` finds them beside
itself.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent
VERSION = re.search(
    r'^__version__ = "(.+)"$',
    (ROOT / "augustus_dl/__init__.py").read_text(encoding="utf-8"),
    flags=re.MULTILINE,
).group(1)

setup(
    name="augustus-dl",
    version=VERSION,
    description="A deep-learning gene caller in AUGUSTUS's place",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="augustus-dl developers",
    license="MIT",
    license_files=["LICENSE"],
    classifiers=[
        "Environment :: Console",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Bio-Informatics",
    ],
    python_requires=">=3.11",
    packages=[
        *find_packages(include=["augustus_dl*"]),
        "augustus_dl.config",
        "augustus_dl.kernels",
        *("augustus_dl.kernels." + package for package in find_packages("kernels")),
        "augustus_dl.species",
    ],
    package_dir={
        "augustus_dl.config": "config",
        "augustus_dl.kernels": "kernels",
        "augustus_dl.species": "species",
    },
    package_data={
        "augustus_dl": ["**/*.cfg", "**/*.html", "**/*.json", "**/*.pl", "**/*.toml", "**/*.tsv"],
        "augustus_dl.config": ["*", "*/*"],
        "augustus_dl.species": ["*", "*/*"],
    },
    zip_safe=False,
    install_requires=[
        "biopython",
        "gffutils",
        "jinja2",
        "llvmlite",
        "markupsafe",
        "matplotlib",
        "numba",
        "numpy",
        "openvino>=2026.4",
        "safetensors",
        "tokenizers",
        "torch",
        "transformers",
        "typer",
    ],
    extras_require={
        "cluster": ["ray"],
        "deepspeed": ["deepspeed"],
        "train": ["deepspeed", "triton; platform_system == 'Linux'"],
        "dev": [
            "build",
            "hypothesis",
            "pytest",
            "ray",
            "pytest-xdist",
            "ruff",
            "setuptools",
            "triton; platform_system == 'Linux'",
            "wheel",
        ],
    },
    entry_points={"console_scripts": ["augustus-dl = augustus_dl.cli:main"]},
)

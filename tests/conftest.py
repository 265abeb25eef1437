"""Every test makes everything anew, but those that test what is kept."""

import os

from hwgen import store

os.environ[store.VARIABLE] = "off"

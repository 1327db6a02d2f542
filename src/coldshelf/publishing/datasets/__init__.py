"""The datasets of this room."""

from coldshelf.publishing.datasets.erasure import ERASURE
from coldshelf.publishing.datasets.publication_run import PUBLICATION_RUN

DATASETS = (PUBLICATION_RUN, ERASURE)

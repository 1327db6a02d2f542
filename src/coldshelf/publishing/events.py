"""Facts about published runs."""

from coldshelf.kit.events import EventType
from coldshelf.publishing.models import RUNS

DUE = EventType("export.due", 1, public=False, meaning="A publication is to be run")
COMPLETED = EventType("export.completed", 1, public=True, meaning="Every file of a run is there", dataset=RUNS)
FAILED = EventType(
    "export.failed", 1, public=True, meaning="A run was given up; nothing of it is marked as finished", dataset=RUNS
)
LATE = EventType(
    "export.late",
    1,
    public=True,
    meaning="A run has not finished in the time that its publication allows",
    dataset=RUNS,
)
ERASURE_DUE = EventType("erasure.due", 1, public=False, meaning="What was published of erased records is to be reached")
EVENT_TYPES = (DUE, COMPLETED, FAILED, LATE, ERASURE_DUE)

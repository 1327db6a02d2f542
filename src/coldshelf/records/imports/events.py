"""Facts about imports."""

from coldshelf.kit.events import EventType

DATASET = "ImportRun"
RECEIVED = EventType("import.received", 1, public=False, meaning="A file is kept and waits to be imported")
COMPLETED = EventType(
    "import.completed", 1, public=True, meaning="Every row of an imported file is written", dataset=DATASET
)
FAILED = EventType(
    "import.failed", 1, public=True, meaning="An imported file was refused; nothing of it is written", dataset=DATASET
)
EVENT_TYPES = (RECEIVED, COMPLETED, FAILED)

"""What can be wrong with a reprocessing run."""

from coldshelf.kit.errors import InputInvalid


class ReprocessingNotFound(InputInvalid):
    """There is no such reprocessing run"""

    code = "reprocessing_not_found"


class NothingToReprocess(InputInvalid):
    """No processed picture is chosen"""

    code = "nothing_to_reprocess"
    cure = "Say which: AssetPurityId, other filters of the AssetPurity list, or all=true for every processed picture."


class CandidateNotReady(InputInvalid):
    """There is no candidate of this picture that waits for a decision"""

    code = "candidate_not_ready"
    cure = "See the State of each picture in action=differences."

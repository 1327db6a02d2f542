"""How good a recogniser is: pictures with truth in, figures out. Pure: no database, no network.

Comes from: folders of pictures with truth (docs/evaluation.md), COCO files, any recogniser.
Goes to: `coldshelf evaluate`, the benchmarks, the comparison of trained recognisers.
"""

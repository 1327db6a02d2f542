"""Files that recognition reads and writes: folders of reference pictures, plans, COCO.

Comes from: users' folders, detections.
Goes to: `coldshelf recognise`, `coldshelf evaluate`, other tools.
"""
